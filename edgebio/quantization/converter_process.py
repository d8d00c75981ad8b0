"""TensorFlow's converter in a process of its own, which it may crash instead of raising."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from edgebio.errors import CheckFailedError, EdgebioError
from edgebio.processes import subprocess_call
from edgebio.processes.native_output import silence_output


def run_converter(
    convert: Callable[..., None], folder: Path, count: int, *weights: Path
) -> list[bytes]:
    """Models that a function converts, in a process of its own.

    `convert`, a function of a module, is called with the folder of a run, paths of so many .tflite
    to write, and files of weights.

    Raises
    ------
    CheckFailedError
        If the process dies, or the function raises.
    """
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch, f"{k}.tflite") for k in range(count)]
        try:
            subprocess_call.call(_silently, convert, folder, *paths, *weights)
        except subprocess_call.ProcessDiedError as error:
            raise CheckFailedError(
                f"{folder}: TensorFlow's converter crashed on this network ({error}); nothing was "
                "changed. Change [model] of the recipe to operators that it knows"
            ) from None
        except EdgebioError as error:
            reason = str(error).strip().splitlines()[-1]
            raise CheckFailedError(f"{folder}: not converted: {reason}") from None
        return [path.read_bytes() for path in paths]


def _silently(convert: Callable[..., None], *arguments: Path) -> None:
    with silence_output():
        convert(*arguments)
