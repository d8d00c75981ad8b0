"""`tools/setup` refuses a Python that edgebio does not run on before it touches anything."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def setup(python: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "tools" / "setup", folder],
        env={**os.environ, "PYTHON": str(python)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("version", ["2, 7", "3, 9", "3, 10", "3, 14"])
def test_a_python_of_another_version_is_refused(version: str, tmp_path: Path) -> None:
    """The stand-in runs the script's own code with another version in sys."""
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\nexec python3 -c "import sys; '
        f'sys.version_info = ({version}, 0, \'final\', 0); exec(sys.argv[1])" "$2"\n'
    )
    python.chmod(0o755)
    done = setup(python, tmp_path / "venv")
    assert done.returncode == 1
    plain = version.replace(", ", ".")
    assert f"{python} is Python {plain}; edgebio runs on 3.11 to 3.13" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "venv").exists()


def test_no_python_is_said(tmp_path: Path) -> None:
    done = setup(tmp_path / "none", tmp_path / "venv")
    assert done.returncode == 1
    assert "none is no Python; edgebio runs on 3.11 to 3.13" in done.stderr
    assert not (tmp_path / "venv").exists()
