"""Numbers in delimited text, fast where the text is right and exact about where it is not."""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError

MOST_BYTES = 512 << 20
"""Largest text file that is read; a day of 8 channels at 200 Hz is 700 MB, and is not one trial."""

_BLOCK = 1 << 18  # bytes parsed at a time: field by field, they take up to 50 times their size

_COMMA, _NEWLINE = ord(","), ord("\n")
_PLAIN = b"0123456789+-.eE,\n"
_WHOLE = re.compile(rb"[ \t]*[+-]?[0-9]{1,18}[ \t]*")
_NUMBER = re.compile(
    rb"[ \t]*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|nan|inf|infinity)[ \t]*",
    re.IGNORECASE,
)

Numbers = npt.NDArray[Any]
"""int64, or float64 where there are decimals."""


Place = Callable[[int, int], str]
"""Says where a row and column stand, for messages."""


def read(path: Path) -> bytes:
    """Read a text file whole, one newline a line, without a byte-order mark.

    Raises
    ------
    EdgebioError
        Where the file is missing, unreadable, empty or larger than `MOST_BYTES`.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise EdgebioError(f"{path}: {size:,} bytes; text of up to {MOST_BYTES:,} is read")
        body = path.read_bytes()
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    except OSError as error:
        raise EdgebioError(f"{path}: {error.strerror or error}") from None
    body = body.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n")
    if not body:
        raise EdgebioError(f"{path}: empty; expected one line a sample")
    return body + b"\n"


def is_number(field: bytes) -> bool:
    """Say whether a field is a number, NaN and infinity included."""
    return _NUMBER.fullmatch(field) is not None


def numbers(
    body: bytes, columns: int, source: str, kind: Literal["whole", "any"], first_line: int = 1
) -> Numbers:
    """Parse comma-separated rows of equal length.

    Parameters
    ----------
    body
        The rows; each ends in a newline.
    columns
        Fields of every row.
    source
        Where the text came from, for messages.
    kind
        ``"whole"`` takes whole numbers only; ``"any"`` takes decimals where it meets one.
    first_line
        Number of the first row in its file, for messages.

    Returns
    -------
    ndarray, shape (rows, columns)
        int64 where all fields are whole numbers, otherwise float64 (NaN and infinity kept).

    Raises
    ------
    EdgebioError
        Naming line, field and what was expected, where a row is ragged or a field no number.
    """
    parsed: list[Numbers] = []
    for block in blocks(body):
        whole = kind == "whole" or not any(mark in block for mark in b".eEnNiI")
        values = _fast(block, columns, np.int64 if whole else np.float64)
        if values is None:
            values = _exact(block, columns, source, kind, first_line)
        parsed.append(values)
        first_line += len(values)
    return np.concatenate(parsed)


def blocks(body: bytes) -> Iterator[bytes]:
    """Cut text into blocks of whole lines, of about 256 KiB."""
    first = 0
    while first < len(body):
        end = body.find(b"\n", first + _BLOCK) + 1 or len(body)
        yield body[first:end]
        first = end


def to_counts(values: Numbers, at: Place) -> npt.NDArray[np.int16]:
    """Narrow whole numbers to converter counts of 16 bits.

    Parameters
    ----------
    values
        Shape (rows, columns).
    at
        Says where a value stands.

    Raises
    ------
    EdgebioError
        Naming the first value that does not fit.
    """
    low, high = np.iinfo(np.int16).min, np.iinfo(np.int16).max
    if values.size and not (low <= values.min() and values.max() <= high):
        row, column = np.argwhere((values < low) | (values > high))[0].tolist()
        raise EdgebioError(
            f"{at(row, column)}: {values[row, column]:.6g} does not fit a 16-bit sample, "
            f"{low} to {high}"
        )
    return values.astype(np.int16)


def check_finite(values: Numbers, at: Place) -> None:
    """Refuse NaN and infinity, naming the first."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0].tolist()
        raise EdgebioError(f"{at(row, column)}: {values[row, column]}; expected a finite number")


def in_text(source: str, first_line: int = 1, fields: Sequence[int] = ()) -> Place:
    """Name places of a table that was read from text, whose columns are `fields` of a line."""

    def at(row: int, column: int) -> str:
        field = fields[column] if fields else column
        return f"{source}: line {first_line + row}, field {field + 1}"

    return at


def _fast(body: bytes, columns: int, dtype: type[np.int64] | type[np.float64]) -> Numbers | None:
    """Parse by `numpy.fromstring`, or None where anything at all is out of the ordinary."""
    if body.translate(None, _PLAIN):
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
        return None  # strtoll stops at its largest number without a word
    return values.reshape(-1, columns)


def _exact(body: bytes, columns: int, source: str, kind: str, first_line: int) -> Numbers:
    """Parse field by field: the rule that `_fast` is a short cut of."""
    rows = []
    pattern, wanted = (_WHOLE, "a whole number") if kind == "whole" else (_NUMBER, "a number")
    for line, row in enumerate(body.removesuffix(b"\n").split(b"\n"), first_line):
        if (found := row.count(b",") + 1) != columns:
            raise EdgebioError(f"{source}: line {line}: {found} fields, expected {columns}")
        fields = row.split(b",")
        for index, field in enumerate(fields, 1):
            if not pattern.fullmatch(field):
                raise EdgebioError(
                    f"{source}: line {line}, field {index}: "
                    f"{field[:24].decode('utf-8', 'replace')!r} is not {wanted}"
                )
        rows.append(fields)
    if all(_WHOLE.fullmatch(field) for fields in rows for field in fields):
        return np.array([[int(f) for f in fields] for fields in rows], dtype=np.int64)
    return np.array([[float(f) for f in fields] for fields in rows], dtype=np.float64)
