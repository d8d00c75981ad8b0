"""Fenced blocks of the documentation's pages."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.test_house import ROOT

_FENCE = re.compile(
    r"^```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file name that it is titled with, and its text."""

    language: str
    title: str
    text: str


def pages() -> list[Path]:
    """README and every page below docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    for match in _FENCE.finditer(page.read_text("utf-8")):
        yield Block(match["language"], match["title"] or "", match["text"])


def commands(page: Path) -> Iterator[list[str]]:
    """Words of every edgebio command that a page shows, without the name itself."""
    for block in blocks(page):
        if block.language != "console":
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ edgebio "):
                yield shlex.split(line.removeprefix("$ edgebio "), comments=True)
