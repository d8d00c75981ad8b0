"""Files are written whole or not at all, and what killed processes left is swept."""

import os
import subprocess
import sys
import time
from pathlib import Path

from edgebio import storage

HOUR_AGO = time.time() - 3600
KILLED = """
import os, sys
from pathlib import Path
from edgebio import storage
target = Path(sys.argv[1])
with storage.replacing(target / "out.json") as file, storage.scratch_folder(target, ".build-"):
    file.write_text("half")
    os.kill(os.getpid(), 9)
"""


def left_by_a_killed_process(folder: Path) -> list[Path]:
    subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    remains = sorted(folder.iterdir())
    assert len(remains) == 2
    for path in remains:
        os.utime(path, (HOUR_AGO, HOUR_AGO))
    return remains


def test_files_of_a_killed_process_are_swept_by_the_next(tmp_path: Path) -> None:
    remains = left_by_a_killed_process(tmp_path)
    other = tmp_path / ".out-notes.json"  # of somebody else
    other.write_text("mine")
    os.utime(other, (HOUR_AGO, HOUR_AGO))
    storage.write_text(tmp_path / "out.json", "whole")
    with storage.scratch_folder(tmp_path, ".build-"):
        assert not any(path.exists() for path in remains)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out-notes.json", "out.json"]


def test_files_at_work_and_new_ones_are_not_swept(tmp_path: Path) -> None:
    with (
        storage.replacing(tmp_path / "out.json") as file,
        storage.scratch_folder(tmp_path, ".build-") as folder,
    ):
        for path in (file, folder):
            os.utime(path, (HOUR_AGO, HOUR_AGO))
        storage.write_text(tmp_path / "out.json", "by another process")
        with storage.scratch_folder(tmp_path, ".build-"):
            assert folder.exists()
        assert file.exists()
        file.write_text("whole")
    assert (tmp_path / "out.json").read_text() == "whole"


def test_a_command_sweeps_the_temporary_folder_of_a_killed_one(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    script = """
import os, tempfile
from edgebio import storage
with storage.own_temporary_folder():
    tempfile.mkdtemp(prefix="edgebio-")
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    (remains,) = tmp_path.iterdir()
    assert list(remains.iterdir())
    os.utime(remains, (HOUR_AGO, HOUR_AGO))
    command = [sys.executable, "-m", "edgebio", "boards", "list"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert not list(tmp_path.iterdir())
