"""Numbers in README and on the page "Results" come from measured documents."""

import json
import re
import subprocess
import sys

import pytest

from tests.test_house import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import results


def test_readme_is_in_step_with_the_documents() -> None:
    done = subprocess.run(
        [sys.executable, "tools/results.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_document_has_an_entry_and_every_entry_a_document() -> None:
    files = {path.stem for path in results.FOLDER.glob("*.json")}
    assert files == results.entries().keys()


@pytest.mark.parametrize("name", results.entries())
def test_a_table_can_be_made(name: str) -> None:
    text = results.section(name)
    assert text.count("|") > 10
    assert results.entries()[name]["command"] in text


def test_documents_name_no_file_of_a_machine() -> None:
    for path in results.FOLDER.glob("*.json"):
        assert not re.search(r'"/|"report"', path.read_text("utf-8")), path


def test_paths_are_removed_from_documents() -> None:
    document = results.without_paths({"report": "/x", "folds": [{"place": "/y", "accuracy": 1}]})
    assert json.dumps(document) == '{"folds": [{"accuracy": 1}]}'


def test_the_page_shows_every_entry() -> None:
    page = (ROOT / "docs" / "results.md").read_text("utf-8")
    assert set(re.findall(r"<!-- result: ([\w-]+) -->", page)) == results.entries().keys()
