import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgebio.errors import EdgebioError
from edgebio.processes import subprocess_call


def writes(path, text):
    assert os.getpid() != int(text)
    path.write_text(f"{os.getppid()}")


def refuses():
    raise EdgebioError("no window of class 'fist'\nat all")


def breaks():
    raise KeyError("a fault of ours")


def dies():
    os.kill(os.getpid(), signal.SIGKILL)


def lingers(path):
    path.write_text(str(os.getpid()))
    time.sleep(60)


def test_it_runs_in_a_process_of_its_own(tmp_path):
    subprocess_call.call(writes, tmp_path / "x", str(os.getpid()))
    assert (tmp_path / "x").read_text() == str(os.getpid())


def test_what_is_wrong_is_said_here():
    with pytest.raises(EdgebioError, match=r"^no window of class 'fist'\nat all$"):
        subprocess_call.call(refuses)
    with pytest.raises(EdgebioError, match=r"(?s)^Traceback.*KeyError: 'a fault of ours'"):
        subprocess_call.call(breaks)
    with pytest.raises(subprocess_call.DiedError, match="-9"):
        subprocess_call.call(dies)


def test_it_does_not_outlive_who_wants_it(tmp_path):
    code = (
        "from pathlib import Path\n"
        "from edgebio.evaluation import alone\n"
        "from tests.evaluation.test_alone import lingers\n"
        f"alone.call(lingers, Path({str(tmp_path / 'pid')!r}))\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 120
    while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    owner.kill()
    owner.wait()
    process = Path("/proc") / (tmp_path / "pid").read_text()
    while process.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
