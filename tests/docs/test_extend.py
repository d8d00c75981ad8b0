"""The pages under "How to extend", followed to the letter."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgebio.cli import main
from tests.docs.markdown import blocks, commands
from tests.docs.overlay import copy_package, run_python, write_blocks
from tests.test_house import ROOT

PAGES = ROOT / "docs" / "extend"


def run_copy(package: Path, cwd: Path, words: list[str]) -> dict:
    """Document that a command of a copied package prints."""
    return json.loads(run_python(package, cwd, "-m", "edgebio", *words, "--json"))


def test_add_a_data_set(tmp_path: Path) -> None:
    package = copy_package(tmp_path / "package")
    write_blocks(package, list(blocks(PAGES / "dataset.md")))
    folder = tmp_path / "recordings" / "lab-grips"
    folder.mkdir(parents=True)
    for name in ("S1_rest_0", "S1_fist_0", "S2_fist_1"):
        np.savetxt(folder / f"{name}.csv", np.arange(2000).reshape(-1, 2), "%d", ",")
    listed, info = (run_copy(package, tmp_path, words) for words in commands(PAGES / "dataset.md"))
    assert "lab-grips" in {row["name"] for row in listed["datasets"]}
    assert info["held"]["recordings"] == 3
    assert info["rate"] == 500


def test_add_a_protocol(tmp_path: Path) -> None:
    package = copy_package(tmp_path / "package")
    write_blocks(package, list(blocks(PAGES / "protocol.md")))
    code = """
import edgebio
recordings = edgebio.load_dataset("emg-synthetic", subjects=["1"])
splitter = edgebio.ProtocolSplitter("odd-even", recordings)
from edgebio import protocols
[fold] = protocols.split("odd-even", recordings)
print({r.repetition % 2 for r in fold.train}, {r.repetition % 2 for r in fold.test})
print(protocols.describe("odd-even"))
"""
    printed = run_python(package, tmp_path, "-c", code).splitlines()
    assert printed[0] == "{0} {1}"
    assert "even repetitions" in printed[1]


@pytest.mark.usefixtures("in_this_process")
def test_add_a_recipe_and_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("recipe.md", "board.md"):
        write_blocks(
            tmp_path, [block for block in blocks(PAGES / name) if block.language == "toml"]
        )
    for page in ("recipe.md", "board.md"):
        for words in commands(PAGES / page):
            if words[0] in ("build", "hil") and shutil.which("arm-none-eabi-gcc") is None:
                pytest.skip("no cross-compiler: make setup installs it")
            if words[0] != "hil":  # needs the board
                done = CliRunner().invoke(main, [*words, "--json"])
                assert done.exit_code == 0, done.output
    manifest = json.loads((tmp_path / "my-image" / "manifest.json").read_text())
    assert manifest["board"] == "my-board"
    assert 0 < manifest["flash"]["total"] < manifest["flash"]["available"]
