"""Numbers in delimited text: fast where the text is clean, exact about where it is not."""

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import Locate, to_counts
from edgebio.recordings.readers.damage import check_file

MAX_BYTES = 512 << 20
"""Largest text file that is read."""

_BLOCK = 1 << 18  # bytes parsed at a time: parsed field by field, they take up to 50 times as much

_COMMA, _NEWLINE = ord(","), ord("\n")
_CLEAN = b"0123456789+-.eE,\n"
_WHOLE = re.compile(rb"[ \t]*[+-]?[0-9]{1,18}[ \t]*")
_NUMBER = re.compile(
    rb"[ \t]*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|nan|inf|infinity)[ \t]*",
    re.IGNORECASE,
)

Numbers = npt.NDArray[Any]
"""int64, or float64 where there are decimals."""


def read_text(path: Path) -> bytes:
    """Read a text file of up to `MAX_BYTES`, its lines ended by one newline each."""
    check_file(path, MAX_BYTES, "text file")
    body = path.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n")
    if not body:
        raise EdgebioError(f"{path}: empty; expected one line per sample")
    return body + b"\n"


def read_counts(path: Path, columns: int) -> npt.NDArray[np.int16]:
    """Read a file of whole numbers, comma-separated and without names, as counts."""
    values = parse_numbers(read_text(path), columns, str(path), "whole")
    return to_counts(values, line_locator(str(path)))


def is_number(field: bytes) -> bool:
    """Return whether a field is a number, NaN and infinity included."""
    return _NUMBER.fullmatch(field) is not None


def parse_numbers(
    body: bytes, columns: int, source: str, kind: Literal["whole", "any"], first_line: int = 1,
    fields: Sequence[int] | None = None,
) -> Numbers:  # fmt: skip
    """Parse comma-separated rows that end in newlines.

    Parameters
    ----------
    body, columns
        The rows, and the fields of every row.
    source, first_line
        File, and number of its line that the first row is, for messages.
    kind
        ``"whole"`` accepts whole numbers only, ``"any"`` decimals too.
    fields
        Fields of the file that the columns are, for messages; None: the same.

    Returns
    -------
    ndarray, shape (rows, columns)
        int64 where all fields are whole numbers, otherwise float64 (NaN and infinity included).
    """
    parsed: list[Numbers] = []
    for block in split_blocks(body):
        whole = kind == "whole" or not any(mark in block for mark in b".eEnNiI")
        values = _parse_clean(block, columns, np.int64 if whole else np.float64)
        if values is None:
            values = _parse_fields(block, columns, source, kind, first_line, fields)
        parsed.append(values)
        first_line += len(values)
    return np.concatenate(parsed)


def split_blocks(body: bytes) -> Iterator[bytes]:
    """Split text into blocks of whole lines, of about 256 KiB."""
    first = 0
    while first < len(body):
        end = body.find(b"\n", first + _BLOCK) + 1 or len(body)
        yield body[first:end]
        first = end


def split_row(row: bytes, separator: bytes, columns: int, source: str, line: int) -> list[bytes]:
    """Split a line into `columns` fields."""
    if (count := row.count(separator) + 1) != columns:
        raise EdgebioError(f"{source}: line {line}: {count} fields, expected {columns}")
    return row.split(separator)


def line_locator(source: str, first_line: int = 1, fields: Sequence[int] = ()) -> Locate:
    """Describe positions as line and field; `fields` are the fields that became columns."""

    def locate(row: int, column: int) -> str:
        field = fields[column] if fields else column
        return f"{source}: line {first_line + row}, field {field + 1}"

    return locate


def _parse_clean(
    body: bytes, columns: int, dtype: type[np.int64] | type[np.float64]
) -> Numbers | None:
    """Parse by `numpy.fromstring`; None where anything is out of the ordinary."""
    if body.translate(None, _CLEAN):
        return None
    marks = np.frombuffer(body, np.uint8)
    marks = marks[(marks == _COMMA) | (marks == _NEWLINE)]
    if len(marks) % columns:
        return None
    grid = marks.reshape(-1, columns)
    if (grid[:, :-1] != _COMMA).any() or (grid[:, -1] != _NEWLINE).any():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            values = np.fromstring(body.replace(b"\n", b","), dtype, sep=",")
        except (DeprecationWarning, ValueError):
            return None
    if values.size != len(marks):
        return None
    if dtype is np.int64 and (values.max() >= 10**18 or values.min() <= -(10**18)):
        return None  # strtoll silently stops at its largest number
    return values.reshape(-1, columns)


def _parse_fields(
    body: bytes, columns: int, source: str, kind: str, first_line: int,
    positions: Sequence[int] | None = None,
) -> Numbers:  # fmt: skip
    """Parse field by field: the rule that `_parse_clean` is a shortcut of."""
    rows = []
    pattern, expected = (_WHOLE, "a whole number") if kind == "whole" else (_NUMBER, "a number")
    for line, row in enumerate(body.removesuffix(b"\n").split(b"\n"), first_line):
        fields = split_row(row, b",", columns, source, line)
        for index, field in enumerate(fields):
            if not pattern.fullmatch(field):
                position = positions[index] if positions else index
                raise EdgebioError(
                    f"{source}: line {line}, field {position + 1}: "
                    f"{field[:24].decode('utf-8', 'replace')!r} is not {expected}"
                )
        rows.append(fields)
    if all(_WHOLE.fullmatch(field) for fields in rows for field in fields):
        return np.array([[int(f) for f in fields] for fields in rows], dtype=np.int64)
    return np.array([[float(f) for f in fields] for fields in rows], dtype=np.float64)
