"""Matrices, cells, structs and text in MATLAB files: version 5 by SciPy, 7.3 (HDF5) by h5py.

Shapes and types are checked before anything is read into memory, and compressed data are inflated
no further than the shape allows. Objects, such as tables, are not read.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import Locate
from edgebio.recordings.import_options import METADATA, ImportOptions
from edgebio.recordings.readers import mat5, mat73
from edgebio.recordings.readers.arrays import Catalog, Values, table_of_catalog
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.mat5_elements import shapes_of
from edgebio.recordings.readers.table import Table
from edgebio.suggest import nearest

MAX_VALUES = 1 << 28
"""Numbers in the largest matrix that is read into memory."""

_NUMERIC = ("double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
            "uint64", "logical")  # fmt: skip

_NESTED = ("cell", "struct", "char")
_OBJECTS = (
    "a table, string or other object of MATLAB cannot be read: in MATLAB, write it by "
    "writetable(t, 'x.csv'), or save its columns as matrices"
)

Columns = int | tuple[int, ...] | None
"""Columns that a matrix must have: a number, one of several, or any."""


def read_mat_table(path: Path, options: ImportOptions) -> Table:
    """Read a .mat with a matrix of samples, one row per sample."""
    options.check_supported(path, "a .mat", METADATA | {"samples", "transposed"})
    with _open(path) as file:
        nested: dict[str, Any] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        for name, (shape, kind) in sorted(file.listing.items()):
            if kind in _NUMERIC:
                shapes[name] = shape
            elif kind in _NESTED:
                nested |= file.read_nested(name)
        shapes |= shapes_of(nested)

        def load(name: str) -> Values:
            if name in nested:
                values: Values = nested[name]
                return values
            if math.prod(shapes[name]) > MAX_VALUES:
                raise EdgebioError(
                    f"{path}: {name} is {' x '.join(map(str, shapes[name]))}; up to "
                    f"{MAX_VALUES:,} numbers are read"
                )
            return file.read(name)

        notes = (_OBJECTS,) if file.has_objects else ()
        if not shapes:
            raise EdgebioError(f"{path}: no numbers; {_OBJECTS if notes else 'it is empty'}")
        return table_of_catalog(path, options, Catalog(dict(sorted(shapes.items())), load, notes))


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
