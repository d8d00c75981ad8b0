"""Text files of any encoding as blocks of whole lines in UTF-8, read piece by piece."""

import gzip
import io
import itertools
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, cast

from edgebio.errors import EdgebioError
from edgebio.recordings.readers.damage import check_file, refuse_damage

_BLOCK = 1 << 18  # characters: parsed field by field, they take up to 50 times as much
_HEAD = 1 << 17
_MAX_LINE = 1 << 24
_GROWING = ".part"  # of a recording that a process did not finish: its last line may be cut
_SECTION_LINES = 2000  # of a section's head
_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


class TextFile:
    """A text file: compressed by gzip or not, in UTF-8, UTF-16 or Latin-1, lines ended by anything.

    Parameters
    ----------
    path
        The file; `EdgebioError` where it is missing, empty, or damaged gzip.
    """

    def __init__(self, path: Path) -> None:
        check_file(path)
        self.path = path
        with path.open("rb") as raw:
            self._compressed = raw.read(2) == b"\x1f\x8b"
        with self._damage(), self._open_bytes() as content:
            start = content.read(_HEAD)
        self._encoding = _encoding(start)
        if b"\0" in start and not self._encoding.startswith("utf-16"):
            raise EdgebioError(
                f"{path}: not text, and {path.suffix or 'a file without a suffix'} is no format "
                "that is read; export it as CSV, EDF or .mat"
            )
        with self._damage(), self._open_text() as text:
            self.head: str = text.read(_HEAD)
            self.is_whole = not text.read(1)
        """Begin of the text, and whether there is no more; lines end in ``\\n``."""
        if not self.head.strip():
            raise EdgebioError(f"{path}: empty; expected one line per sample")
        self._end = sys.maxsize

    def lines(self) -> Iterator[str]:
        """Yield all lines."""
        with self._damage(), self._open_text() as text:
            while line := text.readline(_MAX_LINE):
                yield line

    def select(self, first: int, end: int) -> None:
        """Restrict head and blocks to lines from `first` to before `end`, counted from 0."""
        self._end = end
        lines = list(itertools.islice(self.lines(), first, min(end, first + _SECTION_LINES)))
        self.head, self.is_whole = "".join(lines)[:_HEAD], len(lines) < _SECTION_LINES

    def blocks(self, first_line: int) -> Iterator[bytes]:
        """Yield the lines from a number (from 1) on, in UTF-8, about 256 KiB at a time.

        The last line ends in a newline too.
        """
        with self._damage(), self._open_text() as text:
            for _ in range(first_line - 1):
                text.readline()
            rest = ""
            left = self._end - first_line + 1  # lines
            while left > 0 and (piece := text.read(_BLOCK)):
                if self._end < sys.maxsize:
                    lines = piece.splitlines(keepends=True)[: left + 1]
                    piece, left = "".join(lines[:left]), left - piece.count("\n")
                end = piece.rfind("\n") + 1
                if end:
                    yield (rest + piece[:end]).encode()
                    rest = piece[end:]
                else:
                    rest += piece
                if len(rest) > _MAX_LINE:
                    raise EdgebioError(
                        f"{self.path}: a line of over {_MAX_LINE:,} characters; expected one line "
                        "per sample"
                    )
            if rest.strip() and self.path.suffix != _GROWING:
                yield (rest + "\n").encode()

    def _open_bytes(self) -> IO[bytes]:
        return cast(IO[bytes], gzip.open(self.path) if self._compressed else self.path.open("rb"))

    def _open_text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(
            self._open_bytes(), encoding=self._encoding, errors="replace", newline=None
        )

    def _damage(self) -> AbstractContextManager[None]:
        return refuse_damage(self.path, "damaged text file")


def _encoding(start: bytes) -> str:
    """Guess the encoding of a text by its first bytes."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    zeros = [start[parity:2000:2].count(0) for parity in (0, 1)]
    if max(zeros) > 0.4 * len(start[:2000:2]):  # UTF-16 without a mark
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    try:
        start[: max(len(start) - 4, 1) if len(start) == _HEAD else len(start)].decode()
    except UnicodeDecodeError as error:
        return "utf-8" if error.reason == "unexpected end of data" else "cp1252"
    return "utf-8"
