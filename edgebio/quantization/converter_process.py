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
    """Files that a function converts, in a process of its own.

    `convert`, a function of a module, is called with the folder of a run or the path of a model,
    paths of so many files to write, and files that it reads besides, such as weights.

    Raises
    ------
    CheckFailedError
        If the process dies, or TensorFlow raises.
    EdgebioError
        As the function raised it, with the folder or path before it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch, f"{k}.tflite") for k in range(count)]
        try:
            subprocess_call.call(_silently, convert, folder, *paths, *weights)
        except subprocess_call.ProcessDiedError as error:
            raise CheckFailedError(
                f"{folder}: TensorFlow's converter crashed on this network ({error}); nothing was "
                "changed. Change its layers, or [model] of the recipe, to operators that it knows"
            ) from None
        except EdgebioError as error:
            *trace, reason = str(error).strip().splitlines()
            if not trace:
                raise EdgebioError(f"{folder}: {reason}") from None
            raise CheckFailedError(f"{folder}: not converted: {reason}") from None
        return [path.read_bytes() for path in paths]


def _silently(convert: Callable[..., None], *arguments: Path) -> None:
    with silence_output():
        convert(*arguments)
