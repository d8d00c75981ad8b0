import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgebio import progress
from edgebio.errors import EdgebioError
from edgebio.processes import subprocess_call
from edgebio.processes.folder_job import FolderJob


def write_parent(path, parent):
    assert os.getpid() != int(parent)
    path.write_text(f"{os.getppid()}")


def refuse():
    raise EdgebioError("no window of class 'fist'\nat all")


def fail():
    raise KeyError("a bug")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_long(path):
    path.write_text(str(os.getpid()))
    time.sleep(60)


def test_function_runs_in_a_child_process(tmp_path):
    subprocess_call.call(write_parent, tmp_path / "x", str(os.getpid()))
    assert (tmp_path / "x").read_text() == str(os.getpid())


def test_errors_reach_the_caller():
    with pytest.raises(EdgebioError, match=r"^no window of class 'fist'\nat all$"):
        subprocess_call.call(refuse)
    with pytest.raises(EdgebioError, match=r"(?s)^Traceback.*KeyError: 'a bug'"):
        subprocess_call.call(fail)
    with pytest.raises(subprocess_call.ProcessDiedError, match="-9"):
        subprocess_call.call(die)


def work_with_notes():
    with progress.bar("training", 2) as advance:
        for epoch in (1, 2):
            advance(1)
            progress.note(f"epoch {epoch} of 2, loss 0.5")


def test_notes_of_its_progress_reach_the_caller(capfd):
    notes: list[str] = []
    subprocess_call.call(work_with_notes, on_note=notes.append)
    assert notes == ["epoch 1 of 2, loss 0.5", "epoch 2 of 2, loss 0.5"]
    assert capfd.readouterr() == ("", "")


def test_a_job_adds_its_name_to_the_notes(tmp_path, monkeypatch):
    notes: list[str] = []
    monkeypatch.setattr(progress, "note", notes.append)
    FolderJob("fold 'a'", tmp_path, write_notes, ()).run(tmp_path)
    assert notes == ["fold 'a': epoch 1 of 2, loss 0.5", "fold 'a': epoch 2 of 2, loss 0.5"]


def write_notes(folder):
    work_with_notes()


def test_child_ends_with_its_parent(tmp_path):
    code = (
        "from pathlib import Path\n"
        "from edgebio.processes import subprocess_call\n"
        "from tests.processes.test_subprocess_call import sleep_long\n"
        f"subprocess_call.call(sleep_long, Path({str(tmp_path / 'pid')!r}))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 120
    while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    child = Path("/proc") / (tmp_path / "pid").read_text()
    while child.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
