"""TensorFlow's converter in a process of its own, which it may crash instead of raising."""

from collections.abc import Callable
from pathlib import Path

from edgebio.errors import CheckFailedError, EdgebioError
from edgebio.processes import subprocess_call
from edgebio.processes.native_output import silence_output


def run_converter(convert: Callable[..., None], folder: Path, *files: Path) -> None:
    """Call a function of a module, with a run folder and files to write, in a process of its own.

    Raises
    ------
    CheckFailedError
        If the process dies, or the function raises.
    """
    try:
        subprocess_call.call(_silently, convert, folder, *files)
    except subprocess_call.ProcessDiedError as error:
        raise CheckFailedError(
            f"{folder}: TensorFlow's converter crashed on this network ({error}); nothing was "
            "changed. Change [model] of the recipe to operators that it knows"
        ) from None
    except EdgebioError as error:
        raise CheckFailedError(
            f"{folder}: not converted: {str(error).strip().splitlines()[-1]}"
        ) from None


def _silently(convert: Callable[..., None], *arguments: Path) -> None:
    with silence_output():
        convert(*arguments)
