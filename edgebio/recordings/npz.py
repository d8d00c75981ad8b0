"""Arrays in NPZ files, looked at before they are taken into memory; nothing is unpickled."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError

MOST_BYTES = 2 << 30
"""Largest array that is taken into memory."""

_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, RuntimeError, SyntaxError,
    NotImplementedError, OverflowError, TypeError,
)  # fmt: skip
"""What zipfile and NumPy's reader raise on files that are cut, damaged or hostile."""


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open an NPZ, and say in one line what is wrong with it where anything is."""
    try:
        if not zipfile.is_zipfile(path):
            path.stat()
            raise EdgebioError(f"{path}: not an NPZ file, or cut")
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    except OSError as error:
        raise EdgebioError(f"{path}: {error.strerror or error}") from None
    except _DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EdgebioError(f"{path}: damaged or not plain arrays ({reason})") from None


def header(path: Path, arrays: Any, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array, from its header alone."""
    member = name if name in arrays.zip.namelist() else f"{name}.npy"
    with arrays.zip.open(member) as file:
        major, _ = np.lib.format.read_magic(file)
        reader = (
            np.lib.format.read_array_header_1_0
            if major == 1
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = reader(file)
    return shape, dtype


def array(path: Path, arrays: Any, name: str, kinds: str, dimensions: int) -> npt.NDArray[Any]:
    """Read one array after its header has passed: type, dimensions and size."""
    if name not in arrays:
        raise EdgebioError(f"{path}: no array {name!r}; it has {', '.join(arrays.files) or 'none'}")
    shape, dtype = header(path, arrays, name)
    if dtype.kind not in kinds or len(shape) != dimensions:
        raise EdgebioError(
            f"{path}: array {name} is {dtype} of shape {shape}; expected {dimensions} dimensions "
            f"of {_words(kinds)}"
        )
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    if size > MOST_BYTES:
        raise EdgebioError(f"{path}: array {name} is {size:,} bytes; up to {MOST_BYTES:,} are read")
    values: npt.NDArray[Any] = arrays[name]
    return values


def _words(kinds: str) -> str:
    if "U" in kinds:
        return "text"
    return "numbers" if "f" in kinds else "whole numbers"
