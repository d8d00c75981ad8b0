"""Numeric matrices in MATLAB files: version 5 by SciPy, 7.3 (HDF5) by h5py.

Shapes and types are checked before anything is read into memory, and compressed data are inflated
no further than the shape allows. Only plain numbers are read.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import Locate
from edgebio.recordings.import_options import METADATA, ImportOptions
from edgebio.recordings.readers import mat5, mat73
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.table import Table, find_samples, table_of_arrays
from edgebio.suggest import nearest

MAX_VALUES = 1 << 28
"""Numbers in the largest matrix that is read into memory."""

_NUMERIC = ("double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
            "uint64", "logical")  # fmt: skip

Columns = int | tuple[int, ...] | None
"""Columns that a matrix must have: a number, one of several, or any."""


def read_mat_table(path: Path, options: ImportOptions) -> Table:
    """Read a .mat with a matrix of samples, one row per sample."""
    options.check_supported(path, "a .mat", METADATA | {"samples", "transposed"})
    shapes = list_shapes(path)
    large = [name for name, shape in shapes.items() if len(shape) == 2 and min(shape) > 1]
    name = find_samples(path, options, large, shapes)
    requested = {name, *options.metadata_columns.values()}
    matrices = read_matrices(path, dict.fromkeys(sorted(requested)))
    metadata = {}
    for field, array in options.metadata_columns.items():
        if min(matrices[array].shape, default=0) != 1:
            shape = " x ".join(map(str, matrices[array].shape))
            raise EdgebioError(f"{path}: {array} is {shape}; expected one row or one column")
        metadata[field] = matrices[array].ravel()
    return table_of_arrays(path, options, name, matrices[name], metadata)


def matrix_locator(path: Path, name: str) -> Locate:
    """Describe positions as row and column of a matrix, from 1 as MATLAB counts."""
    return lambda row, column: f"{path}: {name} row {row + 1}, column {column + 1}"


def read_matrices(path: Path, requested: Mapping[str, Columns]) -> dict[str, npt.NDArray[Any]]:
    """Read numeric matrices, shape (rows, columns); `requested` are the columns each must have."""
    with _open(path) as file:
        for name, columns in requested.items():
            if name not in file.listing:
                present = ", ".join(sorted(file.listing)) or "nothing"
                hint = nearest(name, file.listing)
                raise EdgebioError(f"{path}: no {name}; it holds {present}{hint}")
            shape, kind = file.listing[name]
            if kind not in _NUMERIC:
                raise EdgebioError(f"{path}: {name} is {kind}; expected numbers")
            _check_shape(path, name, shape, columns)
        matrices = {}
        for name, columns in requested.items():
            matrices[name] = file.read(name)
            _check_shape(path, name, matrices[name].shape, columns)
    return matrices


def list_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the numeric arrays in a file, as MATLAB shows them, by name in order."""
    with _open(path) as file:
        return {n: shape for n, (shape, kind) in sorted(file.listing.items()) if kind in _NUMERIC}


@contextmanager
def _open(path: Path) -> Iterator[mat5.Mat5File | mat73.Mat73File]:
    """Open a file of either version; damage that the block meets becomes one `EdgebioError`."""
    check_file(path)
    with path.open("rb") as raw:
        is_73 = mat73.is_73(raw.read(1024))
        raw.seek(0)
        with refuse_damage(path, f"cut or not a MATLAB {'7.3' if is_73 else '5'} file"):
            if is_73:
                import h5py

                with h5py.File(path, "r") as file:
                    yield mat73.Mat73File(file)
            else:
                yield mat5.Mat5File(raw)


def _check_shape(path: Path, name: str, shape: tuple[int, ...], columns: Columns) -> None:
    allowed = (columns,) if isinstance(columns, int) else columns
    if len(shape) != 2 or (allowed and shape[1] not in allowed):
        expected = " or ".join(map(str, allowed)) if allowed else "n"
        raise EdgebioError(
            f"{path}: {name} is {' x '.join(map(str, shape))}; expected a matrix of {expected} "
            "columns"
        )
    if shape[0] * shape[1] > MAX_VALUES:
        raise EdgebioError(
            f"{path}: {name} is {shape[0]:,} x {shape[1]}; up to {MAX_VALUES:,} numbers are read"
        )
