"""Variables of MATLAB 7.3 files, which are HDF5, inflated no further than their shape allows."""

import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.recordings.readers.mat5 import inflate
from edgebio.recordings.readers.mat5_elements import flatten

_SPARE = 64 << 20  # bytes by which a chunk may exceed its matrix, which may grow
_MAX_DEFLATE_RATIO = 1032  # of zlib

_MAX_DEPTH, _MAX_ITEMS = 20, 200_000
_MAX_VALUES = 1 << 28
_OBJECTS = ("table", "timetable", "string", "datetime", "categorical", "duration",
            "function_handle", "containers.Map")  # fmt: skip

_HDF5 = b"\x89HDF\r\n\x1a\n"
_VERSIONS = (b"\0\2IM", b"\2\0MI")  # in either byte order


def is_73(start: bytes) -> bool:
    """Return whether a file that starts so is of version 7.3."""
    return _HDF5 in (start[:8], start[512:520]) or start[124:128] in _VERSIONS


class Mat73File:
    """Variables of an open `h5py.File`; `ValueError` where one cannot be read.

    Attributes
    ----------
    listing
        By name: shape as MATLAB shows it, and kind: ``double``, or one that holds others.
    has_objects
        Whether there are tables, strings or other objects, which only MATLAB reads.
    """

    def __init__(self, file: Any) -> None:
        import h5py

        self._file = file
        self._left = _MAX_ITEMS
        self.has_objects = False
        self.listing: dict[str, tuple[tuple[int, ...], str]] = {}
        for name in self._file:
            if name.startswith("#"):
                continue
            link = self._file.get(name, getlink=True)
            data = self._file[name] if isinstance(link, h5py.HardLink) else None
            if data is None:
                self.listing[name] = ((), "stored in another file")
            elif isinstance(data, h5py.Group):
                self.listing[name] = ((1, 1), "struct")
            elif _kind(data) in _OBJECTS or "MATLAB_object_decode" in data.attrs:
                self.has_objects = True
            elif _kind(data) == "char":
                self.listing[name] = ((1, 1), "char")
            elif _kind(data) == "cell" or data.dtype == h5py.ref_dtype:
                self.listing[name] = (tuple(reversed(data.shape)), "cell")
            elif data.dtype.kind not in "biuf":
                self.listing[name] = ((), "not a matrix")
            elif data.is_virtual or data.external:
                self.listing[name] = ((), "stored in another file")
            else:
                self.listing[name] = (tuple(reversed(data.shape)), "double")

    def read(self, name: str) -> npt.NDArray[Any]:
        """Read a matrix of numbers."""
        return _read_dataset(name, self._file[name])

    def read_nested(self, name: str) -> dict[str, Any]:
        """Read cells, a struct or text; by path: arrays, and lists of matrices."""
        leaves: dict[str, Any] = {}
        flatten(self._nested(name, self._file[name], 0), name, leaves)
        return leaves

    def _nested(self, name: str, item: Any, depth: int) -> Any:
        """Arrays, `_Struct` and arrays of objects, as SciPy returns them of version 5."""
        import h5py

        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise ValueError("nested too deep, or too many elements")
        if isinstance(item, h5py.Group):
            fields = {key: self._nested(f"{name}.{key}", item[key], depth + 1) for key in item}
            return _Struct(fields)
        if "MATLAB_empty" in item.attrs or _kind(item) in _OBJECTS:
            self.has_objects |= _kind(item) in _OBJECTS
            return np.zeros((0, 0))
        if item.dtype == h5py.ref_dtype:
            if item.size > self._left:
                raise ValueError(f"{item.size:,} cells")
            own = [self._file[reference] for reference in item[()].T.ravel()]
            values = np.empty(len(own), object)
            values[:] = [self._nested(f"{name}{{{k}}}", each, depth + 1)
                         for k, each in enumerate(own, 1)]  # fmt: skip
            return values
        if item.dtype.kind not in "biuf":
            return None
        if item.is_virtual or item.external:
            raise ValueError(f"{name} is stored in another file")
        values = _read_dataset(name, item)
        if _kind(item) == "char":
            rows: list[list[int]] = np.atleast_2d(values.astype(np.int64)).tolist()
            return np.array(["".join(chr(code) for code in row) for row in rows])
        return values


class _Struct:
    """Fields of a struct, as SciPy's ``mat_struct`` has them."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fieldnames = list(fields)
        self.__dict__.update(fields)


def _kind(item: Any) -> str:
    kind = item.attrs.get("MATLAB_class", b"")
    return kind.decode("latin-1") if isinstance(kind, bytes) else str(kind)


def _read_dataset(name: str, data: Any) -> npt.NDArray[Any]:
    if data.size > _MAX_VALUES:
        raise ValueError(f"{name} has {data.size:,} numbers; up to {_MAX_VALUES:,} are read")
    if data.chunks is not None:
        _check_chunks(name, data)
    return np.asarray(data[()]).T  # MATLAB stores column by column


def _check_chunks(name: str, data: Any) -> None:
    """Refuse chunks that inflate to more than the matrix: HDF5 takes all memory they ask for."""
    import h5py

    size = data.dtype.itemsize
    chunk_size, shape = size * math.prod(data.chunks), " x ".join(map(str, data.chunks[::-1]))
    if chunk_size > size * math.prod(data.shape) + _SPARE:
        raise ValueError(f"{name} is stored in chunks of {shape} numbers")
    h5z, properties = h5py.h5z, data.id.get_create_plist()
    filters = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    allowed = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
    if not allowed.issuperset(filters) or filters.count(h5z.FILTER_DEFLATE) > 1:
        raise ValueError(f"{name} is compressed; expected gzip, as MATLAB does it")
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
        pieces = inflate(packed, chunk.size, chunk_size + _SPARE + 1)
        if sum(len(piece) for piece in pieces) > chunk_size + _SPARE:
            raise ValueError(f"{name}: more in a chunk than {shape} numbers")
