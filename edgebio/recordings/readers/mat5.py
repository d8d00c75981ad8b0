"""Variables of MATLAB 5 files, inflated no further than requested.

A file is 128 bytes, then one element per variable: a tag with kind and size, and as many bytes. A
compressed element inflates to another one. SciPy inflates everything, and allocates what a tag
states; so it is given files in memory whose elements were inflated and checked here.
"""

import io
import math
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from edgebio.recordings.readers.mat5_elements import OPAQUE, check_matrix, flatten, matrix_class

_HEADER, _TAG = 128, 8
_PREFIX = 1024  # bytes that hold type, shape and name of a variable; MATLAB needs up to 200
_MATRIX, _COMPRESSED = 14, 15  # kinds of element
_NESTED = 512 << 20  # bytes that cells, a struct or text may inflate to
_CLASS_PREFIX = 64
_MAX_VARIABLES = 10_000
_PARTS = 4  # of a variable, read by SciPy: type, shape, name, numbers
_PIECE = 1 << 16


@dataclass(frozen=True)
class _Location:
    """Where a variable is: `size` bytes from `offset` that are its element or inflate to it."""

    offset: int
    size: int
    compressed: bool


class Mat5File:
    """Variables of an open file of version 5, or 4; `ValueError` or `zlib.error` where it is bad.

    Attributes
    ----------
    listing
        By name: shape, and kind as SciPy names it.
    has_objects
        Whether there are tables, strings or other objects, which only MATLAB reads.
    """

    def __init__(self, file: BinaryIO) -> None:
        from scipy.io import whosmat

        self._file = file
        self._header = file.read(_HEADER)
        self._tag = struct.Struct("<II" if self._header[126:] == b"IM" else ">II")
        # Version 4 has a 0 in its first bytes and no compression: SciPy reads it safely.
        everything = () if 0 in self._header[:4] else tuple(self._walk())
        locations = tuple(at for at in everything if self._class(at) not in (0, OPAQUE))
        self.has_objects = len(locations) < len(everything)
        prefixes: Any = self._assemble(locations, _PREFIX) if everything else file
        variables = whosmat(prefixes)
        self.listing = {name: (tuple(shape), kind) for name, shape, kind in variables}
        self._locations = {n: at for (n, _, _), at in zip(variables, locations, strict=False)}

    def read(self, name: str) -> npt.NDArray[Any]:
        """Read a matrix of numbers."""
        from scipy.io import loadmat

        file: Any = self._file
        file.seek(0)
        if name in self._locations:
            file = self._extract(name)
        matrix = np.asarray(loadmat(file, variable_names=[name]).get(name))
        if matrix.dtype.kind not in "biuf":
            raise ValueError(f"{name} does not hold numbers")
        return matrix

    def read_nested(self, name: str) -> dict[str, Any]:
        """Read cells, a struct or text; by path: arrays, and lists of matrices."""
        from scipy.io import loadmat

        file: Any = self._file
        file.seek(0)
        if name in self._locations:
            file = self._assemble([self._locations[name]], _NESTED + 1)
            with file.getbuffer()[_HEADER + _TAG :] as body:
                if len(body) > _NESTED:
                    raise ValueError(f"{name} has more than {_NESTED:,} bytes")
                check_matrix(body, self._tag)
        leaves: dict[str, Any] = {}
        value = loadmat(file, variable_names=[name], struct_as_record=False).get(name)
        flatten(value, name, leaves)
        return leaves

    def _class(self, location: _Location) -> int:
        """Class of a variable; an unnamed one, in which MATLAB keeps objects, counts as such."""
        start = self._assemble([location], _CLASS_PREFIX).getvalue()[_HEADER + _TAG :]
        return matrix_class(start, self._tag)

    def _extract(self, name: str) -> BinaryIO:
        """Make a file in memory of one variable, whose parts are as long as its shape allows."""
        shape, _ = self.listing[name]
        limit = _PREFIX + 8 * math.prod(shape)
        file = self._assemble([self._locations[name]], limit + 1)
        with file.getbuffer()[_HEADER + _TAG :] as body:
            if len(body) > limit:
                raise ValueError(f"{name} has more than {' x '.join(map(str, shape))} real numbers")
            offset = 0
            for _ in range(_PARTS):
                kind, size = self._tag.unpack(
                    bytes(body[offset : offset + _TAG]).ljust(_TAG, b"\0")
                )
                size = 0 if kind >> 16 else size  # up to 4 bytes are stored in the tag itself
                if size > len(body):
                    raise ValueError(f"a part claims {size:,} bytes")
                offset += _TAG + -(-size // 8) * 8
        return file

    def _walk(self) -> Iterator[_Location]:
        offset = _HEADER
        for _ in range(_MAX_VARIABLES):
            self._file.seek(offset)
            tag = self._file.read(_TAG)
            if not tag:
                return
            kind, size = self._tag.unpack(tag)
            if kind == _COMPRESSED:
                yield _Location(offset + _TAG, size, True)
            else:
                yield _Location(offset, _TAG + size, False)
            offset += _TAG + size
        raise ValueError(f"more than {_MAX_VARIABLES:,} variables")

    def _assemble(self, locations: Iterable[_Location], limit: int) -> io.BytesIO:
        """Make a file in memory of variables, each of up to `limit` bytes after its tag."""
        out = io.BytesIO(self._header)
        for location in locations:
            begin = out.seek(0, io.SEEK_END)
            self._file.seek(location.offset)
            pieces = inflate if location.compressed else _copy
            for piece in pieces(self._file, location.size, _TAG + limit):
                out.write(piece)
            size = out.tell() - begin - _TAG
            out.seek(begin)
            kind, _ = self._tag.unpack(out.read(_TAG))
            if kind != _MATRIX:
                raise ValueError(f"an element of kind {kind}")
            out.seek(begin)
            out.write(self._tag.pack(_MATRIX, size))
        out.seek(0)
        return out


def inflate(file: BinaryIO, size: int, limit: int) -> Iterator[bytes]:
    """Inflate the next `size` bytes of a file in pieces, up to `limit` bytes in all."""
    stream, end = zlib.decompressobj(), file.tell() + size
    while limit > 0 and not stream.eof:
        packed = stream.unconsumed_tail or file.read(min(end - file.tell(), _PIECE))
        piece = stream.decompress(packed, min(limit, _PIECE))
        if not packed and not piece:
            raise ValueError("compressed data are cut")
        limit -= len(piece)
        yield piece


def _copy(file: BinaryIO, size: int, limit: int) -> Iterator[bytes]:
    remaining = min(size, limit)
    while piece := file.read(min(remaining, _PIECE)):
        remaining -= len(piece)
        yield piece
