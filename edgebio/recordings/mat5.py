"""Variables of MATLAB 5 files, unpacked no further than is asked for.

A file is 128 bytes, then an element a variable: a tag, which says kind and size, and so many bytes.
A compressed element unpacks to another one. SciPy unpacks all that is there, and takes the memory
that a tag says: so it is given files in memory, of elements that are unpacked and looked at.
"""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

_START, _TAG = 128, 8
_HEAD = 1024  # bytes in which a variable tells type, shape and name: MATLAB's need up to 200
_MATRIX, _COMPRESSED = 14, 15  # kinds of element
_MOST_VARIABLES = 10_000
_PARTS = 4  # of a variable, that SciPy reads: type, shape, name, numbers
_PIECE = 1 << 16


@dataclass(frozen=True)
class _Place:
    """Where a variable lies.

    Attributes
    ----------
    at, size
        Bytes of the file that are its element, tag included, or that unpack to it.
    compressed
        They unpack to it.
    """

    at: int
    size: int
    compressed: bool


class Variables:
    """Variables of an open file of version 5, or 4; it stays open as long as they are read.

    Attributes
    ----------
    listed
        By name: shape, and kind as SciPy names it.

    Raises
    ------
    ValueError, zlib.error
        Where the file is cut, damaged, or of too many variables; so does `alone`.
    """

    def __init__(self, file: BinaryIO) -> None:
        from scipy.io import whosmat

        self._file = file
        self._start = file.read(_START)
        self._tag = struct.Struct("<II" if self._start[126:] == b"IM" else ">II")
        # One of the first bytes is 0 in version 4, which compresses nothing: SciPy reads it safely.
        places = () if 0 in self._start[:4] else tuple(self._walk())
        heads: Any = self._unpacked(places, _HEAD) if places else file  # its stubs know names alone
        told = whosmat(heads)
        self.listed = {name: (tuple(shape), kind) for name, shape, kind in told}
        self._places = {name: place for (name, _, _), place in zip(told, places, strict=False)}

    def alone(self, name: str, most: int) -> BinaryIO | None:
        """Make a file in memory of one variable; None if it has over `most` bytes of numbers."""
        if name not in self._places:
            self._file.seek(0)
            return self._file
        file = self._unpacked([self._places[name]], _HEAD + most + 1)
        with file.getbuffer()[_START + _TAG :] as body:
            if len(body) > _HEAD + most:
                return None
            at = 0
            for _ in range(_PARTS):
                kind, size = self._tag.unpack(bytes(body[at : at + _TAG]).ljust(_TAG, b"\0"))
                size = 0 if kind >> 16 else size  # up to 4 bytes lie in the tag itself
                if size > len(body):
                    raise ValueError(f"a part says that it has {size:,} bytes")
                at += _TAG + -(-size // 8) * 8
        return file

    def _walk(self) -> Iterator[_Place]:
        at = _START
        for _ in range(_MOST_VARIABLES):
            self._file.seek(at)
            tag = self._file.read(_TAG)
            if not tag:
                return
            kind, size = self._tag.unpack(tag)
            packed = kind == _COMPRESSED
            yield _Place(at + _TAG, size, True) if packed else _Place(at, _TAG + size, False)
            at += _TAG + size
        raise ValueError(f"more than {_MOST_VARIABLES:,} variables")

    def _unpacked(self, places: Iterable[_Place], most: int) -> io.BytesIO:
        """Make a file in memory of variables, each of up to `most` bytes behind its tag."""
        out = io.BytesIO(self._start)
        for place in places:
            begin = out.seek(0, io.SEEK_END)
            self._file.seek(place.at)
            pieces = inflated if place.compressed else _read
            for piece in pieces(self._file, place.size, _TAG + most):
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


def inflated(file: BinaryIO, size: int, most: int) -> Iterator[bytes]:
    """Inflate the next `size` bytes of a file, in pieces, up to `most` bytes together.

    Raises
    ------
    ValueError, zlib.error
        Where they are cut or damaged.
    """
    stream, end = zlib.decompressobj(), file.tell() + size
    while most > 0 and not stream.eof:
        packed = stream.unconsumed_tail or file.read(min(end - file.tell(), _PIECE))
        piece = stream.decompress(packed, min(most, _PIECE))
        if not packed and not piece:
            raise ValueError("compressed data are cut")
        most -= len(piece)
        yield piece


def _read(file: BinaryIO, size: int, most: int) -> Iterator[bytes]:
    left = min(size, most)
    while piece := file.read(min(left, _PIECE)):
        left -= len(piece)
        yield piece
