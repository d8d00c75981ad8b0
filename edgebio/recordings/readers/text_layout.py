"""Layout of delimited text: where its samples begin, and how a line of them is read."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgebio.errors import EdgebioError

MAX_COLUMNS = 1 << 16

_SEPARATORS = (",", ";", "\t", "|", " ")  # a blank is any run of blanks
_SAMPLE_LINES = 60
_COMMENT = re.compile(r"^[#%]+\s*|^//\s*")
_SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)
NUMBER = {
    mark: re.compile(
        rf"[+-]?((\d+[{mark}]?\d*|[{mark}]\d+)(e[+-]?\d+)?|nan|inf(inity)?)",
        re.IGNORECASE | re.ASCII,
    )
    for mark in ".,"
}
"""Pattern of a number, by decimal mark."""
MISSING = frozenset(("", "na", "n/a", "null"))
"""Texts of a missing number, in lower case."""
_UNIT = re.compile(
    r"[\[(]?(([nuµμm]?(v|volts?|s|sec|seconds?))|millivolts?|microvolts?|hz|k?ohms?|m/s(\^?2|²)|"
    r"deg(rees)?/s|[gG]|°c|%|a\.?u\.?|no_units|n/a|counts?|local_time|cal|raw|adu|mmhg|"
    r"[0-9.]+ ?sec|hh:mm:ss[.m]*|yyyy[-/]mm[-/]dd.*|)[\])]?",
    re.IGNORECASE,
)
_UNIT_IN_NAME = re.compile(
    r"[\[(]\s*([^\[\]()]{1,8}|[0-9.e/-]+ [num\u00b5\u03bc]?V(?: [a-z ]+)?)\s*[\])]\s*$|"
    r"[,_ ]\s*([num\u00b5\u03bc]?V|m?s)\s*$"
)
_RATE = re.compile(
    r"(?:sampl\w*[ _-]*(?:rate|freq\w*)|frequency|\bfs)\b[^0-9\n]{0,24}?([0-9]+(?:[.,][0-9]+)?)"
    r"\s*(k?)(?:hz)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TextLayout:
    """How a text file holds samples.

    Attributes
    ----------
    separator, decimal
        Between fields, ``" "`` for runs of blanks; decimal mark.
    width
        Fields of a line, without an empty one after a trailing separator.
    names, units
        Of the columns; empty where the file has none.
    header
        Lines before the samples and their names, without comment marks.
    first_line
        Number of the first line of samples, from 1.
    trailing
        Whether lines end in a separator.
    text_columns
        Columns that do not hold numbers.
    rows
        Fields of the first lines of samples.
    """

    separator: str
    decimal: str
    width: int
    names: tuple[str, ...]
    units: tuple[str, ...]
    header: tuple[str, ...]
    first_line: int
    trailing: bool
    text_columns: frozenset[int]
    rows: tuple[tuple[str, ...], ...]

    @property
    def rate(self) -> float | None:
        """Sampling rate in Hz that the header states."""
        for line in self.header:
            if match := _RATE.search(line):
                rate = float(match[1].replace(",", ".")) * (1000 if match[2] else 1)
                return rate if rate > 0 else None
        return None


def detect_layout(path: Path, head: str, is_whole: bool) -> TextLayout:
    """Detect the layout of a text by its first lines.

    Raises
    ------
    EdgebioError
        Where no line holds numbers.
    """
    lines = head.split("\n")
    if not is_whole and len(lines) > 1:
        lines.pop()  # it may be cut
    while lines and not lines[-1].strip():
        lines.pop()
    stated = _SEPARATOR_LINE.match(lines[0].strip())
    separators = (stated[1],) if stated else _SEPARATORS
    sample = [line for line in lines if line.strip() and not _COMMENT.match(line)][-_SAMPLE_LINES:]
    quoted = any('"' in line for line in sample)
    candidates = [
        _score(sample, s, d) for s in separators for d in ".," if sample and (quoted or s != d)
    ]
    best = max(candidates, key=lambda candidate: candidate.score, default=None)
    if best is None or best.score[0] <= 0:
        raise EdgebioError(f"{path}: no line of numbers; expected one line per sample")
    width = best.width
    if width > MAX_COLUMNS:
        raise EdgebioError(
            f"{path}: over {MAX_COLUMNS:,} fields in a line; expected one line per sample"
        )
    rows = [_fields(line, best.separator) for line in lines]
    if best.trailing and any(len(row) > width and row[width] for row in rows):
        width, text = width + 1, best.text_columns | {width}  # an empty column, as others are fewer
        best = replace(best, width=width, text_columns=text, trailing=False)
    first = _first_row(rows, best)
    names, units, header = _names(lines[:first], best)
    if not names and _are_numeric_names(rows, first, best):
        names, first = tuple(f or "index" for f in rows[first][:width]), first + 1
    if first >= len(rows):
        raise EdgebioError(f"{path}: only column names; expected one line per sample")
    return TextLayout(
        separator=best.separator,
        decimal=best.decimal,
        width=width,
        names=names,
        units=units or tuple(unit_in_name(name) for name in names),
        header=header,
        first_line=first + 1,
        trailing=best.trailing,
        text_columns=best.text_columns,
        rows=tuple(tuple(row[:width]) for row in rows[first:] if len(row) >= width),
    )


def unit_in_name(name: str) -> str:
    """Unit at the end of a column's name: ``"mV"`` of ``"EMG 1 (mV)"``; otherwise empty."""
    match = _UNIT_IN_NAME.search(name)
    return (match[1] or match[2]).strip() if match else ""


@dataclass(frozen=True)
class _Candidate:
    separator: str
    decimal: str
    width: int
    trailing: bool
    text_columns: frozenset[int]
    score: tuple[float, int, int]


def _score(sample: Sequence[str], separator: str, decimal: str) -> _Candidate:
    """Rate a separator and decimal mark by how many fields of the last lines are numbers."""
    rows = [_fields(line, separator) for line in sample]
    widths = Counter(len(row) for row in rows)
    width, count = widths.most_common(1)[0]
    own = [row for row in rows if len(row) == width]
    trailing = width > 1 and all(row[-1] == "" for row in own) and separator != " "
    width -= trailing
    number = NUMBER[decimal]
    lines = len(own)
    own = [row for row in own if any(number.fullmatch(field) for field in row)] or own
    numeric = [sum(bool(number.fullmatch(row[k])) for row in own) for k in range(width)]
    empty = [sum(row[k].lower() in MISSING for row in own) for k in range(width)]
    text = frozenset(
        k for k in range(width) if not numeric[k] or 2 * numeric[k] < len(own) - empty[k]
    )
    cells = sum(numeric) / (width * lines)
    is_ambiguous = width == 1 and decimal == ","  # two columns, more likely
    score = 0.0 if len(text) == width or is_ambiguous else cells * count / len(rows)
    return _Candidate(
        separator, decimal, width, trailing, text, (round(score, 6), width, decimal == ".")
    )


def _fields(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    if '"' in line:
        try:
            fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
        except (csv.Error, StopIteration):
            fields = line.split(separator)
    else:
        fields = line.split(separator)
    return [field.strip() for field in fields]


def _is_sample(row: Sequence[str], layout: _Candidate) -> bool:
    """Whether a line holds samples: at least half of the columns of numbers do not hold text."""
    if len(row) != layout.width + layout.trailing:
        return False
    fields = [row[k] for k in range(layout.width) if k not in layout.text_columns]
    numbers = sum(NUMBER[layout.decimal].fullmatch(field) is not None for field in fields)
    missing = sum(field.lower() in MISSING for field in fields)
    return numbers > 0 and 2 * (numbers + missing) >= len(fields)


def _first_row(rows: Sequence[Sequence[str]], layout: _Candidate) -> int:
    """Index of the first line of samples: the ones after it look like it."""
    for index, row in enumerate(rows):
        following = rows[index + 1 : index + 11]
        alike = sum(len(other) == len(row) for other in following)
        if _is_sample(row, layout) and 2 * alike >= len(following) - 1:
            return index
    return len(rows)


def _names(
    lines: Sequence[str], layout: _Candidate
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names and units of the columns, and the other lines above the samples."""
    plain = [_COMMENT.sub("", line.strip()) for line in lines]
    filled = [index for index, line in enumerate(plain) if line and "sep=" not in line[:6].lower()]
    units: tuple[str, ...] = ()
    for index in reversed(filled[-4:]):
        fields = _fields(plain[index], layout.separator)
        if len(fields) == layout.width + 1 and fields[-1] == "":
            fields.pop()
        if len(fields) != layout.width:
            fields = plain[index].split()
        if len(fields) != layout.width or not any(fields):
            continue
        fields = [field.strip("'\"") for field in fields]
        if not units and index and all(_UNIT.fullmatch(field) for field in fields):
            units = tuple(field.strip("[]() ") for field in fields)
            continue
        others = tuple(plain[k] for k in filled if k != index)
        return tuple(fields), units, others
    return (), units, tuple(plain[index] for index in filled)


def _are_numeric_names(rows: Sequence[Sequence[str]], first: int, layout: _Candidate) -> bool:
    """Whether the first line of numbers is names: 0, 1, 2, ... or 1, 2, 3, ..., as of pandas."""
    row = list(rows[first][: layout.width]) if first < len(rows) else []
    index_column = bool(row) and row[0] == ""
    names = row[1:] if index_column else row
    if first != 0 or len(names) < 2 or names[0] not in ("0", "1"):
        return False
    if names != [str(int(names[0]) + k) for k in range(len(names))]:
        return False
    decimals = any(layout.decimal in field for field in rows[min(1, len(rows) - 1)])
    return index_column or decimals or len(names) >= 4
