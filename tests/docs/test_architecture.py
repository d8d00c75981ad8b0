"""Paths and links that the pages name exist."""

import re
from pathlib import Path

import pytest

from tests.docs.markdown import pages
from tests.test_house import ROOT

_PATH = re.compile(r"`((?:edgebio|firmware_assets|boards|examples|tests|tools|docs)/[\w./*<>-]*)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_paths_and_links_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    missing = [
        path
        for path in _PATH.findall(text)
        if not re.search(r"[<>]", path) and not any(ROOT.glob(path.rstrip("/")))
    ]
    missing += [link for link in _LINK.findall(text) if not (page.parent / link).exists()]
    assert not missing
