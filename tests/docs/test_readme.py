"""README's script runs as it stands, and stays the shortest useful one."""

import shutil
import subprocess
import sys
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
def test_the_script_gives_decisions_of_an_emulated_board(tmp_path: Path) -> None:
    # Two epochs suffice: what is tested is the road, not the accuracy.
    script = SCRIPT.replace(').with_data("emg-synthetic")',
                            ').with_data("emg-synthetic").with_epochs(2)')  # fmt: skip
    assert script != SCRIPT
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 10
