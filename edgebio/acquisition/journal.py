"""A recording that grows piece by piece on the disk: a crash loses at most a second.

The file starts with a magic number; then come records::

    kind     1 byte    R: run, S: samples, G: gap, M: marker, T: trial
    length   uint32    bytes of the payload, little endian
    crc      uint32    CRC-32 of kind and payload
    payload

Samples are ``uint64 first``, ``float64`` time of the first and of the last sample, and int16
values, channels innermost. All other payloads are JSON. A reader ends at the first record that is
cut or damaged: what was written before it is whole.
"""

import fcntl
import json
import os
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.sources import Chunk

MAGIC = b"edgebio journal 1\n"
SYNC_SECONDS = 1.0
"""Seconds after which what was written is on the disk."""

_HEADER = struct.Struct("<cII")
_SAMPLES = struct.Struct("<Qdd")
_MOST = 1 << 28  # bytes of a record

Kind = Literal["R", "S", "G", "M", "T"]
Document = dict[str, Any]


def journal_path(output: Path) -> Path:
    """Journal of a recording that will be written to `output`."""
    return output.with_name(output.name + ".part")


class JournalWriter:
    """Append to a journal; open during a ``with`` statement.

    A record that was cut by a crash is removed first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes]
        if path.exists():
            self._file = path.open("r+b")
            self._lock()
            end = _whole_bytes(path)
            self._file.truncate(end)
            self._file.seek(end)
        else:
            self._file = path.open("xb")
            self._lock()
            self._file.write(MAGIC)
        self._synced = time.monotonic()

    def __enter__(self) -> "JournalWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise EdgebioError(
                f"{self.path}: another program records into it; stop it, or name another file"
            ) from None

    def close(self) -> None:
        """Write what is left and close the file."""
        if not self._file.closed:
            self.sync()
            self._file.close()

    def add_samples(self, chunk: Chunk) -> None:
        """Append the samples of a chunk, its gap and its markers."""
        if chunk.gap:
            self.add("G", {"first": chunk.first, "reason": chunk.gap})
        for marker in chunk.markers:
            self.add("M", {"name": marker.name, "time": marker.time})
        head = _SAMPLES.pack(chunk.first, float(chunk.times[0]), float(chunk.times[-1]))
        self._write(b"S", head + np.ascontiguousarray(chunk.samples, "<i2").tobytes())

    def add(self, kind: Kind, document: Document) -> None:
        """Append a record of another kind."""
        self._write(kind.encode(), json.dumps(document).encode())

    def sync(self) -> None:
        """Bring everything onto the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _write(self, kind: bytes, payload: bytes) -> None:
        self._file.write(_HEADER.pack(kind, len(payload), zlib.crc32(payload, zlib.crc32(kind))))
        self._file.write(payload)
        if time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()


def read_journal(path: Path, channels: int | None = None) -> Iterator[tuple[Kind, Any]]:
    """Read the whole records of a journal: a `Chunk` for S, documents for all others.

    `channels` is taken from the first run where it is None.

    Raises
    ------
    EdgebioError
        If it is no journal.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    with file:
        if file.read(len(MAGIC)) != MAGIC:
            raise EdgebioError(f"{path}: not an unfinished recording of edgebio")
        for kind, payload, _ in _records(file):
            if kind == b"S":
                if channels is None:
                    raise EdgebioError(f"{path}: damaged: samples before the first run")
                yield "S", _chunk(payload, channels)
                continue
            try:
                document = json.loads(payload)
            except ValueError:
                return
            if kind == b"R":
                channels = int(document["channels"])
            name: Kind = kind.decode()  # type: ignore[assignment]  # one of the five
            yield name, document


def _records(file: IO[bytes]) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, payload and end of each whole record."""
    end = file.tell()
    while len(head := file.read(_HEADER.size)) == _HEADER.size:
        kind, length, crc = _HEADER.unpack(head)
        if kind not in b"RSGMT" or length > _MOST:
            return
        payload = file.read(length)
        if len(payload) != length or zlib.crc32(payload, zlib.crc32(kind)) != crc:
            return
        end += len(head) + length
        yield kind, payload, end


def _whole_bytes(path: Path) -> int:
    """Bytes of a journal up to its last whole record."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise EdgebioError(f"{path}: not an unfinished recording of edgebio; move it away")
        return max([len(MAGIC), *(end for _, _, end in _records(file))])


def _chunk(payload: bytes, channels: int) -> Chunk:
    first, begin, end = _SAMPLES.unpack_from(payload)
    samples: npt.NDArray[np.int16] = np.frombuffer(payload, "<i2", offset=_SAMPLES.size)
    samples = samples.reshape(-1, channels).astype(np.int16)
    return Chunk(first, samples, np.linspace(begin, end, len(samples)))
