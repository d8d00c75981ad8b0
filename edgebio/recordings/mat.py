"""Numeric matrices in MATLAB files, version 5 (SciPy) and 7.3 (HDF5, h5py).

Shapes and types are looked at before anything is taken into memory, and what is compressed is
unpacked no further than the shape allows. Nothing but plain numbers is ever read.
"""

import io
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings import mat5

MOST_VALUES = 1 << 28
"""Numbers in the largest matrix that is taken into memory."""

_SPARE = 64 << 20  # bytes that a chunk of 7.3 may have beyond its matrix, as where it can grow
_DEFLATE = 1032  # times its own size is the most that a stream of zlib unpacks to

_HDF5 = b"\x89HDF\r\n\x1a\n"
_LATER = (b"\0\2IM", b"\2\0MI")
"""Where a file says its version: 7.3, in either order of bytes."""
_NUMBERS = ("double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
            "uint64", "logical")  # fmt: skip

T = TypeVar("T")

Columns = int | tuple[int, ...] | None
"""Columns that a matrix must have: a number, one of several, or any."""


def read(path: Path, wanted: Mapping[str, Columns]) -> dict[str, npt.NDArray[Any]]:
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
        shape, too large, or not of numbers.
    """
    return _guarded(path, lambda later: (_read_73 if later else _read_5)(path, wanted))


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """List the arrays of numbers in a file.

    Returns
    -------
    dict
        By name: shape, as MATLAB shows it.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut or of another version.
    """
    found = _guarded(path, lambda later: (_shapes_73 if later else _shapes_5)(path))
    return dict(sorted(found.items()))


def _guarded(path: Path, work: Callable[[bool], T]) -> T:
    """Do `work` on a file, which is told whether it is of version 7.3; failures become one line."""
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except OSError as error:
        raise EdgebioError(f"{path}: {error.strerror or error}") from None
    later = _HDF5 in (start[:8], start[512:520]) or start[124:128] in _LATER
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a damaged file warns first; the error says it
            return work(later)
    except (EdgebioError, MemoryError):
        raise
    except ImportError:
        raise MissingToolError(f"{path.name} needs: pip install 'edgebio[data]'") from None
    except Exception as error:  # parsers raise whatever a damaged file leads them to
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        version = "7.3" if later else "5"
        raise EdgebioError(f"{path}: cut or not a MATLAB {version} file ({reason})") from None


def _shapes_5(path: Path) -> dict[str, tuple[int, ...]]:
    with path.open("rb") as file:
        held = mat5.Variables(file).listed
    return {name: shape for name, (shape, kind) in held.items() if kind in _NUMBERS}


def _shapes_73(path: Path) -> dict[str, tuple[int, ...]]:
    import h5py

    with h5py.File(path, "r") as file:
        links = {name: file.get(name, getlink=True) for name in file if not name.startswith("#")}
        held = {n: file[n] for n, link in links.items() if isinstance(link, h5py.HardLink)}
        return {
            name: tuple(reversed(data.shape))
            for name, data in held.items()
            if isinstance(data, h5py.Dataset) and data.dtype.kind in "biuf"
        }


def _read_5(path: Path, wanted: Mapping[str, Columns]) -> dict[str, npt.NDArray[Any]]:
    from scipy.io import loadmat

    matrices = {}
    with path.open("rb") as file:
        held = mat5.Variables(file)
        for name, columns in wanted.items():
            _present(path, name, list(held.listed))
            shape, kind = held.listed[name]
            if kind not in _NUMBERS:
                raise EdgebioError(f"{path}: {name} is {kind}; expected numbers")
            _check(path, name, shape, columns)
        for name, columns in wanted.items():
            shape, _ = held.listed[name]
            alone: Any = held.alone(name, 8 * math.prod(shape))
            if alone is None:
                said = " x ".join(map(str, shape))
                raise EdgebioError(f"{path}: {name}: damaged: more than {said} real numbers")
            matrix = np.asarray(loadmat(alone, variable_names=[name]).get(name))
            if matrix.dtype.kind not in "biuf":
                raise EdgebioError(f"{path}: {name}: damaged; expected numbers")
            _check(path, name, matrix.shape, columns)
            matrices[name] = matrix
    return matrices


def _read_73(path: Path, wanted: Mapping[str, Columns]) -> dict[str, npt.NDArray[Any]]:
    import h5py

    matrices = {}
    with h5py.File(path, "r") as file:
        for name, columns in wanted.items():
            _present(path, name, [key for key in file if not key.startswith("#")])
            if isinstance(file.get(name, getlink=True), h5py.ExternalLink):
                raise EdgebioError(f"{path}: {name}: lies in another file")
            data = file.get(name)
            if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "biuf":
                raise EdgebioError(f"{path}: {name}: expected a matrix of numbers")
            if data.is_virtual or data.external:
                raise EdgebioError(f"{path}: {name}: its numbers lie in another file")
            _check(path, name, tuple(reversed(data.shape)), columns)
            _check_chunks(path, name, data)
            matrices[name] = np.asarray(data[()]).T  # MATLAB keeps columns one after the other
    return matrices


def _check_chunks(path: Path, name: str, data: Any) -> None:
    """Refuse chunks that unpack to more than the matrix: HDF5 takes all memory they ask for."""
    import h5py

    if data.chunks is None:
        return
    size = data.dtype.itemsize
    chunk = size * math.prod(data.chunks)
    if chunk > size * math.prod(data.shape) + _SPARE:
        said = " x ".join(map(str, reversed(data.chunks)))
        raise EdgebioError(f"{path}: {name}: damaged: lies in chunks of {said} numbers")
    h5z, listed = h5py.h5z, data.id.get_create_plist()
    filters = [listed.get_filter(k)[0] for k in range(listed.get_nfilters())]
    known = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
    if not known.issuperset(filters) or filters.count(h5z.FILTER_DEFLATE) > 1:
        raise EdgebioError(f"{path}: {name}: compressed; expected gzip, as MATLAB does it")
    if h5z.FILTER_DEFLATE not in filters:
        return
    left_out = 1 << filters.index(h5z.FILTER_DEFLATE)  # set where gzip made a chunk no smaller
    suspect: list[Any] = []  # what cannot unpack to too much is not unpacked twice

    def look(one: Any) -> None:
        if one.size * _DEFLATE > chunk + _SPARE and not one.filter_mask & left_out:
            suspect.append(one)

    data.id.chunk_iter(look)
    for one in suspect:
        packed = io.BytesIO(data.id.read_direct_chunk(one.chunk_offset)[1])
        pieces = mat5.inflated(packed, one.size, chunk + _SPARE + 1)
        if sum(len(piece) for piece in pieces) > chunk + _SPARE:
            said = " x ".join(map(str, reversed(data.chunks)))
            raise EdgebioError(f"{path}: {name}: damaged: more in a chunk than {said} numbers")


def _present(path: Path, name: str, there: list[str]) -> None:
    if name not in there:
        raise EdgebioError(f"{path}: no {name}; it holds {', '.join(sorted(there)) or 'nothing'}")


def _check(path: Path, name: str, shape: tuple[int, ...], columns: Columns) -> None:
    allowed = (columns,) if isinstance(columns, int) else columns
    if len(shape) != 2 or (allowed and shape[1] not in allowed):
        said = " or ".join(map(str, allowed)) if allowed else "n"
        raise EdgebioError(
            f"{path}: {name} is {' x '.join(map(str, shape))}; expected a matrix of {said} columns"
        )
    if shape[0] * shape[1] > MOST_VALUES:
        raise EdgebioError(
            f"{path}: {name} is {shape[0]:,} x {shape[1]}; up to {MOST_VALUES:,} numbers are read"
        )
