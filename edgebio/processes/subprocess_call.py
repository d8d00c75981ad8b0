"""Call a function in a Python process of its own.

TensorFlow does not survive a fork, and returns its memory only when its process ends. The process
reads one pickled call from its standard input, which only `call` writes.
"""

import contextlib
import io
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable

from edgebio import progress
from edgebio.errors import EdgebioError

_FAILED = 3  # exit code; the reason is in the file that the call names


class ProcessDiedError(Exception):
    """The process ended before the call did, by a signal or for want of memory."""


def call(
    function: Callable[..., None],
    *arguments: object,
    on_note: Callable[[str], None] = lambda text: None,
) -> None:
    """Call a picklable function, which leaves its results in files, in a fresh Python.

    `on_note` is called with each note of its progress, see `edgebio.progress.note`.

    Raises
    ------
    EdgebioError
        As the function raised it; any other error comes with its traceback.
    ProcessDiedError
        Where the process ended otherwise.
    """
    with tempfile.NamedTemporaryFile(prefix="edgebio-", suffix=".txt") as reason:
        pickles = io.BytesIO()
        source, sink = os.pipe()
        pickle.dump((sys.path, os.getpid(), reason.name, sink), pickles)
        pickle.dump((function, arguments), pickles)
        with os.fdopen(source, encoding="utf-8") as notes:
            try:
                process = subprocess.Popen(
                    [sys.executable, "-c", f"from {__name__} import main; main()"],
                    stdin=subprocess.PIPE,
                    stdout=2,  # stderr: sys.stderr may have no descriptor, as in notebooks
                    pass_fds=(sink,),
                )
            finally:
                os.close(sink)
            try:
                assert process.stdin is not None
                with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                    stdin.write(pickles.getvalue())
                for line in notes:  # until the process ends
                    on_note(line.rstrip("\n"))
                process.wait()
            finally:
                process.kill()
                process.wait()
        if process.returncode == _FAILED:
            raise EdgebioError(reason.read().decode())
    if process.returncode:
        raise ProcessDiedError(f"the process ended with {process.returncode}")


def main() -> None:
    """Make the call that standard input holds; runs in the new process."""
    # Ctrl-C ends this process without a message: the caller reports it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Unpickling the function may need the caller's path.
    path, parent, reason, notes = pickle.load(sys.stdin.buffer)
    sys.path[:] = path
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    function, arguments = pickle.load(sys.stdin.buffer)
    progress.relay(os.fdopen(notes, "w", encoding="utf-8"))
    try:
        function(*arguments)
    except EdgebioError as error:
        text = str(error)
    except Exception:
        text = traceback.format_exc()
    else:
        return
    with open(reason, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
    sys.exit(_FAILED)


def _end_with(parent: int) -> None:
    """End this process when its parent ends, even by SIGKILL."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
