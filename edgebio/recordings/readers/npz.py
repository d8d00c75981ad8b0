"""NPZ files: arrays are checked before they are read into memory; nothing is unpickled."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import METADATA, ImportOptions
from edgebio.recordings.readers.arrays import Catalog, Values, table_of_catalog
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.table import Table
from edgebio.suggest import nearest

MAX_BYTES = 2 << 30
"""Largest array that is read into memory."""

_ONLY = "the array"


def read_npz_table(path: Path, options: ImportOptions) -> Table:
    """Read an NPZ with an array of samples, one row per sample."""
    options.check_supported(path, "an NPZ", METADATA | {"samples", "transposed"})
    with open_npz(path) as arrays:
        shapes = {name: array_header(arrays, name)[0] for name in arrays.files}

        def load(name: str) -> Values:
            return read_array(path, arrays, name, "iuUfb", len(shapes[name]))

        return table_of_catalog(path, options, Catalog(shapes, load))


def read_npy_table(path: Path, options: ImportOptions) -> Table:
    """Read a NumPy array of samples, one row per sample."""
    options.check_supported(path, "a NumPy array", {"transposed"})
    check_file(path, MAX_BYTES, "NumPy array")
    with refuse_damage(path, "cut, or not a plain array"):
        values = np.load(path, allow_pickle=False)
    if values.dtype.kind not in "iuf" or values.ndim not in (1, 2, 3):
        raise EdgebioError(
            f"{path}: {values.dtype} of shape {values.shape}; expected numbers of shape (n, "
            "channels)"
        )
    shape = (*values.shape, 1)[: max(values.ndim, 2)]
    catalog = Catalog({_ONLY: shape}, lambda name: values.reshape(shape))
    return table_of_catalog(path, replace(options, samples=_ONLY), catalog)


@contextmanager
def open_npz(path: Path) -> Iterator[Any]:
    """Open an NPZ; damage that the block meets becomes one `EdgebioError`."""
    check_file(path)
    if not zipfile.is_zipfile(path):
        raise EdgebioError(f"{path}: not an NPZ file, or cut")
    with (
        refuse_damage(path, "damaged or not plain arrays"),
        np.load(path, allow_pickle=False) as arrays,
    ):
        yield arrays


def array_header(arrays: Any, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of an array, from its header alone."""
    member = name if name in arrays.zip.namelist() else f"{name}.npy"
    with arrays.zip.open(member) as file:
        major, _ = np.lib.format.read_magic(file)
        versions = {1: np.lib.format.read_array_header_1_0}
        read_header = versions.get(major, np.lib.format.read_array_header_2_0)
        shape, _, dtype = read_header(file)
    return shape, dtype


def read_array(path: Path, arrays: Any, name: str, kinds: str, dimensions: int) -> npt.NDArray[Any]:
    """Read an array of up to `MAX_BYTES` whose header shows one of the dtype `kinds`."""
    if name not in arrays:
        present = ", ".join(arrays.files) or "none"
        hint = nearest(name, arrays.files)
        raise EdgebioError(f"{path}: no array {name!r}; it has {present}{hint}")
    shape, dtype = array_header(arrays, name)
    if dtype.kind not in kinds or len(shape) != dimensions:
        content = "numbers" if "f" in kinds else "text" if "U" in kinds else "whole numbers"
        content += " or text" if "f" in kinds and "U" in kinds else ""
        raise EdgebioError(
            f"{path}: array {name} is {dtype} of shape {shape}; expected {dimensions} dimensions "
            f"of {content}"
        )
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    if size > MAX_BYTES:
        raise EdgebioError(f"{path}: array {name} is {size:,} bytes; up to {MAX_BYTES:,} are read")
    values: npt.NDArray[Any] = arrays[name]
    return values
