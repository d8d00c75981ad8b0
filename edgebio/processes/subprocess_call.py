"""A function in a process of its own: TensorFlow survives no fork, and gives its memory back so.

The process takes one call from its standard input, which was written by this module of the process
that started it and by nobody else.
"""

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

from edgebio.errors import EdgebioError

_FAILED = 3  # exit code; the reason is in the file that the call names


class DiedError(Exception):
    """The process ended before the call did, by a signal or for want of memory."""


def call(function: Callable[..., None], *arguments: object) -> None:
    """Call a function of a module in a fresh Python, and wait for it.

    Parameters
    ----------
    function, arguments
        What is called; both can be pickled. What it finds it leaves in files.

    Raises
    ------
    EdgebioError
        As the function raised it; any other error comes with its traceback.
    DiedError
        Where the process ended otherwise.
    """
    with tempfile.NamedTemporaryFile(prefix="edgebio-", suffix=".txt") as reason:
        given = io.BytesIO()
        pickle.dump((sys.path, os.getpid(), reason.name), given)
        pickle.dump((function, arguments), given)
        done = subprocess.run(
            [sys.executable, "-c", f"from {__name__} import main; main()"],
            input=given.getvalue(),
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode == _FAILED:
            raise EdgebioError(reason.read().decode())
    if done.returncode:
        raise DiedError(f"the process ended with {done.returncode}")


def main() -> None:
    """Make the call that standard input tells, in the process that is for it alone."""
    # Ctrl-C ends it without a word: whoever wants the result speaks.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Finding the function may need the caller's path.
    path, parent, reason = pickle.load(sys.stdin.buffer)
    sys.path[:] = path
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    function, arguments = pickle.load(sys.stdin.buffer)
    try:
        function(*arguments)
    except EdgebioError as error:
        said = str(error)
    except Exception:
        said = traceback.format_exc()
    else:
        return
    with open(reason, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(said)
    sys.exit(_FAILED)


def _end_with(parent: int) -> None:
    """Do not outlive who wants the result, even where it was killed."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
