"""Numeric matrices in MATLAB files: version 5 by SciPy, 7.3 (HDF5) by h5py.

Shapes and types are checked before anything is read into memory, and compressed data are inflated
no further than the shape allows. Only plain numbers are read.
"""

import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import Locate
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers import mat5
from edgebio.recordings.readers.arrays import SUPPORTED, find_samples, table_of_arrays
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.table import Table, single_rate
from edgebio.suggest import nearest

MAX_VALUES = 1 << 28
"""Numbers in the largest matrix that is read into memory."""

_SPARE = 64 << 20  # bytes by which a chunk of 7.3 may exceed its matrix, which may grow
_MAX_DEFLATE_RATIO = 1032  # of zlib

_HDF5 = b"\x89HDF\r\n\x1a\n"
_VERSION_73 = (b"\0\2IM", b"\2\0MI")
"""Version field of a 7.3 file, in either byte order."""
_NUMERIC = ("double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
            "uint64", "logical")  # fmt: skip

T = TypeVar("T")

Columns = int | tuple[int, ...] | None
"""Columns that a matrix must have: a number, one of several, or any."""


def read_mat_table(path: Path, options: ImportOptions) -> Table:
    """Read a .mat with a matrix of samples, one row per sample.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut or too large, or lacks a matrix.
    """
    options.check_supported(path, "a .mat", SUPPORTED)
    shapes = list_shapes(path)
    large = [name for name, shape in shapes.items() if len(shape) == 2 and min(shape) > 1]
    name = find_samples(path, options, large, shapes)
    wanted = {name, *options.metadata_columns.values(), options.rate_column} - {None}
    matrices = read_matrices(path, dict.fromkeys(sorted(filter(None, wanted))))
    metadata = {}
    for field, array in options.metadata_columns.items():
        if min(matrices[array].shape, default=0) != 1:
            shape = _times(matrices[array].shape)
            raise EdgebioError(f"{path}: {array} is {shape}; expected one row or one column")
        metadata[field] = matrices[array].ravel()
    rate = None
    if options.rate_column is not None:
        values = matrices[options.rate_column].ravel().tolist()
        rate = single_rate(path, options.rate_column, values)
    return table_of_arrays(path, options, name, matrices[name], metadata, rate)


def matrix_locator(path: Path, name: str) -> Locate:
    """Describe positions as row and column of a matrix, from 1 as MATLAB counts."""
    return lambda row, column: f"{path}: {name} row {row + 1}, column {column + 1}"


def read_matrices(path: Path, wanted: Mapping[str, Columns]) -> dict[str, npt.NDArray[Any]]:
    """Read matrices of a file.

    Parameters
    ----------
    path
        The file.
    wanted
        By name of a matrix: the columns that it must have.

    Returns
    -------
    dict
        By name: numbers, shape (rows, columns).

    Raises
    ------
    EdgebioError
        Where the file is missing, cut or of another version, or a matrix is missing, of another
        shape, too large, or not numeric.
    """
    return _by_version(path, lambda is_73: (_read_73 if is_73 else _read_5)(path, wanted))


def list_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the numeric arrays in a file, as MATLAB shows them, by name in order.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut or of another version.
    """
    shapes = _by_version(path, lambda is_73: (_shapes_73 if is_73 else _shapes_5)(path))
    return dict(sorted(shapes.items()))


def _by_version(path: Path, read: Callable[[bool], T]) -> T:
    """Call `read` with whether the file is of version 7.3."""
    check_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except OSError as error:
        raise EdgebioError(f"{path}: {error.strerror or error}") from None
    is_73 = _HDF5 in (start[:8], start[512:520]) or start[124:128] in _VERSION_73
    with refuse_damage(path, f"cut or not a MATLAB {'7.3' if is_73 else '5'} file"):
        return read(is_73)


def _shapes_5(path: Path) -> dict[str, tuple[int, ...]]:
    with path.open("rb") as file:
        listing = mat5.Variables(file).listing
    return {name: shape for name, (shape, kind) in listing.items() if kind in _NUMERIC}


def _shapes_73(path: Path) -> dict[str, tuple[int, ...]]:
    import h5py

    with h5py.File(path, "r") as file:
        links = {name: file.get(name, getlink=True) for name in file if not name.startswith("#")}
        items = {n: file[n] for n, link in links.items() if isinstance(link, h5py.HardLink)}
        return {
            name: tuple(reversed(data.shape))
            for name, data in items.items()
            if isinstance(data, h5py.Dataset) and data.dtype.kind in "biuf"
        }


def _read_5(path: Path, wanted: Mapping[str, Columns]) -> dict[str, npt.NDArray[Any]]:
    from scipy.io import loadmat

    matrices = {}
    with path.open("rb") as file:
        variables = mat5.Variables(file)
        for name, columns in wanted.items():
            _check_present(path, name, list(variables.listing))
            shape, kind = variables.listing[name]
            if kind not in _NUMERIC:
                raise EdgebioError(f"{path}: {name} is {kind}; expected numbers")
            _check_shape(path, name, shape, columns)
        for name, columns in wanted.items():
            shape, _ = variables.listing[name]
            extract: Any = variables.extract(name, 8 * math.prod(shape))
            if extract is None:
                raise EdgebioError(
                    f"{path}: {name}: damaged: more than {_times(shape)} real numbers"
                )
            matrix = np.asarray(loadmat(extract, variable_names=[name]).get(name))
            if matrix.dtype.kind not in "biuf":
                raise EdgebioError(f"{path}: {name}: damaged; expected numbers")
            _check_shape(path, name, matrix.shape, columns)
            matrices[name] = matrix
    return matrices


def _read_73(path: Path, wanted: Mapping[str, Columns]) -> dict[str, npt.NDArray[Any]]:
    import h5py

    matrices = {}
    with h5py.File(path, "r") as file:
        for name, columns in wanted.items():
            _check_present(path, name, [key for key in file if not key.startswith("#")])
            if isinstance(file.get(name, getlink=True), h5py.ExternalLink):
                raise EdgebioError(f"{path}: {name}: is stored in another file")
            data = file.get(name)
            if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "biuf":
                raise EdgebioError(f"{path}: {name}: expected a matrix of numbers")
            if data.is_virtual or data.external:
                raise EdgebioError(f"{path}: {name}: its numbers are stored in another file")
            _check_shape(path, name, tuple(reversed(data.shape)), columns)
            _check_chunks(path, name, data)
            matrices[name] = np.asarray(data[()]).T  # MATLAB stores column by column
    return matrices


def _check_chunks(path: Path, name: str, data: Any) -> None:
    """Refuse chunks that inflate to more than the matrix: HDF5 takes all memory they ask for."""
    import h5py

    if data.chunks is None:
        return
    size = data.dtype.itemsize
    chunk_size, shape = size * math.prod(data.chunks), _times(tuple(reversed(data.chunks)))
    if chunk_size > size * math.prod(data.shape) + _SPARE:
        raise EdgebioError(f"{path}: {name}: damaged: stored in chunks of {shape} numbers")
    h5z, properties = h5py.h5z, data.id.get_create_plist()
    filters = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    allowed = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
    if not allowed.issuperset(filters) or filters.count(h5z.FILTER_DEFLATE) > 1:
        raise EdgebioError(f"{path}: {name}: compressed; expected gzip, as MATLAB does it")
    if h5z.FILTER_DEFLATE not in filters:
        return
    skipped = 1 << filters.index(h5z.FILTER_DEFLATE)  # set where gzip did not shrink a chunk
    suspects: list[Any] = []  # only chunks that may inflate to too much are inflated twice

    def inspect(chunk: Any) -> None:
        if (
            chunk.size * _MAX_DEFLATE_RATIO > chunk_size + _SPARE
            and not chunk.filter_mask & skipped
        ):
            suspects.append(chunk)

    data.id.chunk_iter(inspect)
    for chunk in suspects:
        packed = io.BytesIO(data.id.read_direct_chunk(chunk.chunk_offset)[1])
        pieces = mat5.inflate(packed, chunk.size, chunk_size + _SPARE + 1)
        if sum(len(piece) for piece in pieces) > chunk_size + _SPARE:
            raise EdgebioError(f"{path}: {name}: damaged: more in a chunk than {shape} numbers")


def _check_present(path: Path, name: str, names: list[str]) -> None:
    if name not in names:
        present = ", ".join(sorted(names)) or "nothing"
        raise EdgebioError(f"{path}: no {name}; it holds {present}{nearest(name, names)}")


def _check_shape(path: Path, name: str, shape: tuple[int, ...], columns: Columns) -> None:
    allowed = (columns,) if isinstance(columns, int) else columns
    if len(shape) != 2 or (allowed and shape[1] not in allowed):
        expected = " or ".join(map(str, allowed)) if allowed else "n"
        raise EdgebioError(
            f"{path}: {name} is {_times(shape)}; expected a matrix of {expected} columns"
        )
    if shape[0] * shape[1] > MAX_VALUES:
        raise EdgebioError(
            f"{path}: {name} is {shape[0]:,} x {shape[1]}; up to {MAX_VALUES:,} numbers are read"
        )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
