"""README's script runs as it stands, and stays the shortest useful one."""

import shutil
from pathlib import Path

import pytest

from tests.docs.markdown import blocks
from tests.test_house import ROOT

SCRIPT = next(block.text for block in blocks(ROOT / "README.md") if block.language == "python")


def test_the_script_is_short() -> None:
    assert len([line for line in SCRIPT.splitlines() if line.strip()]) < 12


@pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None, reason="no QEMU: make setup installs it"
)
@pytest.mark.usefixtures("in_this_process")
def test_the_script_gives_decisions_of_an_emulated_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # One epoch suffices: accuracy is not tested here.
    script = SCRIPT.replace(').with_data("emg-synthetic")',
                            ').with_data("emg-synthetic").with_epochs(1)')  # fmt: skip
    assert script != SCRIPT
    monkeypatch.chdir(tmp_path)
    exec(compile(script, "README.md", "exec"), {"__name__": "__main__"})
    assert len(capsys.readouterr().out.splitlines()) > 10
