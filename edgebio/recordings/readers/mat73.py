"""Variables of MATLAB 7.3 files, which are HDF5, inflated no further than their shape allows."""

import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.recordings.readers.mat5 import inflate

_SPARE = 64 << 20  # bytes by which a chunk may exceed its matrix, which may grow
_MAX_DEFLATE_RATIO = 1032  # of zlib

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
        By name: shape as MATLAB shows it, and kind; only ``double`` can be read.
    """

    def __init__(self, file: Any) -> None:
        import h5py

        self._file = file
        self.listing: dict[str, tuple[tuple[int, ...], str]] = {}
        for name in self._file:
            if name.startswith("#"):
                continue
            link = self._file.get(name, getlink=True)
            data = self._file[name] if isinstance(link, h5py.HardLink) else None
            if data is None:
                self.listing[name] = ((), "stored in another file")
            elif not isinstance(data, h5py.Dataset) or data.dtype.kind not in "biuf":
                self.listing[name] = ((), "not a matrix")
            elif data.is_virtual or data.external:
                self.listing[name] = ((), "stored in another file")
            else:
                self.listing[name] = (tuple(reversed(data.shape)), "double")

    def read(self, name: str) -> npt.NDArray[Any]:
        """Read a matrix of numbers."""
        data = self._file[name]
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
