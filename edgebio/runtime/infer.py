"""Inputs and outputs of a network as files: .npy, or .npz with several outputs by name."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError

Values = npt.NDArray[Any]


def load(path: Path) -> Values:
    """Read inputs from a .npy file; pickled objects are refused."""
    try:
        with path.open("rb") as file:
            array: Values = np.lib.format.read_array(file, allow_pickle=False)
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    except (ValueError, OSError, EOFError) as error:
        raise EdgebioError(f"{path}: not a .npy array: {str(error).splitlines()[0]}") from None
    if array.ndim < 2:
        raise EdgebioError(f"{path}: shape {array.shape}; inputs have shape (n, ...)")
    return array


def load_named(arguments: Sequence[str]) -> Values | dict[str, Values]:
    """Read inputs given as ``FILE.npy``, or as ``NAME=FILE.npy`` for each of several.

    Raises
    ------
    EdgebioError
        If a file cannot be read, or names are missing, or the same.
    """
    if len(arguments) == 1 and ("=" not in arguments[0] or Path(arguments[0]).is_file()):
        return load(Path(arguments[0]))
    named: dict[str, Values] = {}
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not equals:
            raise EdgebioError(f"--inputs {argument}: several inputs have names: NAME=FILE.npy")
        if name in named:
            raise EdgebioError(f"--inputs {argument}: there are two files for {name}")
        named[name] = load(Path(path))
    return named


def save(path: Path, y: Values) -> None:
    """Write outputs as a .npy file, completely or not at all."""
    storage.write_array(path, y)


def check_suffix(path: Path, outputs: int) -> None:
    """Check the name of the file for so many outputs: several take a .npz.

    Raises
    ------
    EdgebioError
        If it is none.
    """
    if outputs > 1 and path.suffix != ".npz":
        raise EdgebioError(
            f"{path}: the model has {outputs} outputs, which make a .npz file: -o {path.stem}.npz"
        )


def save_named(path: Path, outputs: Mapping[str, Values]) -> None:
    """Write outputs: the only one as a .npy file, several as a .npz file with their names.

    The suffix of `path` must be right, see `check_suffix`.
    """
    if len(outputs) == 1:
        return save(path, next(iter(outputs.values())))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:  # numpy.savez takes no array called "file"
        for name, values in outputs.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, values, allow_pickle=False)
    storage.write_bytes(path, content.getvalue())
    return None
