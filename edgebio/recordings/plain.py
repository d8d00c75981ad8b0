"""Tables of CSV, NPZ and MATLAB files of anybody's.

A CSV has one row a sample, separated by commas, semicolons or tabs, with or without a line of
column names. An NPZ or a .mat has an array of samples of two dimensions, one row a sample: the one
that is named, the one called ``samples``, or the only one.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings import mat, npz, text
from edgebio.recordings.layout import Layout, check_held
from edgebio.recordings.table import Table, words

_SEPARATORS = (",", ";", "\t")
_MOST_COLUMNS = 1 << 16
_MOST_WORDS = 1 << 18  # that differ, in columns that are no channels
_TOLD = {"labels", "repetition", "subject", "session", "rate", "between"}
_NO_WORDS = ("nan", "inf", "-inf")

Array = npt.NDArray[Any]


def csv_table(path: Path, layout: Layout) -> Table:
    """Read a CSV.

    Raises
    ------
    EdgebioError
        Where the file is missing, empty or ragged, or lacks a column.
    """
    check_held(path, layout, "a CSV", {"columns", *_TOLD})
    body = text.read(path)
    head, _, rest = body.partition(b"\n")
    separator = next((s for s in _SEPARATORS if s.encode() in head), ",").encode()
    if head.count(separator) >= _MOST_COLUMNS:
        raise EdgebioError(
            f"{path}: line 1: over {_MOST_COLUMNS:,} fields; expected a line a sample"
        )
    fields = [field.strip().strip(b'"') for field in head.split(separator)]
    names: list[str] = []
    first_line = 1
    if not any(text.is_number(field) for field in fields):
        names = [field.decode("utf-8", "replace") for field in fields]
        body, first_line = rest, 2
        if not body:
            raise EdgebioError(f"{path}: only a line of names; expected one line a sample")

    channels = [_column(path, name, names, len(fields)) for name in layout.columns]
    told = {
        what: _column(path, name, names, len(fields)) for what, name in layout.told.items()
    }  # fmt: skip
    rate = layout.rate_column
    taken = [*told.values(), *([_column(path, rate, names, len(fields))] if rate else [])]
    found: dict[int, list[str]] = {}
    if taken:
        channels = [i for i in channels or range(len(fields)) if i not in taken]
        if not channels:
            raise EdgebioError(f"{path}: no column besides the labels")
        body, found = _take_columns(body, separator, taken, len(fields), str(path), first_line)
    elif separator != b",":
        body = body.replace(separator, b",")
    values = text.numbers(body, len(fields), str(path), "any", first_line)
    if channels:
        values = values[:, channels]
    named = {what: words(found[index]) for what, index in told.items()}
    for what, index in told.items():
        wrong = [k for k, name in enumerate(named[what].names) if name.lower() in _NO_WORDS]
        if wrong:
            line = first_line + int(np.flatnonzero(np.isin(named[what].codes, wrong))[0])
            raise EdgebioError(
                f"{path}: line {line}, field {index + 1}: {named[what].names[wrong[0]]}; expected "
                f"{what}"
            )
    return Table(
        path=path,
        values=values,
        at=text.in_text(str(path), first_line, channels),
        words=named,
        rate=_rate(path, rate, found[taken[-1]]) if rate else None,
    )


def npz_table(path: Path, layout: Layout) -> Table:
    """Read an NPZ.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut, too large, or lacks an array.
    """
    check_held(path, layout, "an NPZ", {"samples", "transposed", *_TOLD})
    with npz.opened(path) as arrays:
        headers = {name: npz.header(path, arrays, name) for name in arrays.files}
        name = _samples(path, layout, {name: shape for name, (shape, _) in headers.items()})
        values = npz.array(path, arrays, name, "iuf", 2)
        held = {}
        for what, array in layout.told.items():
            if array not in headers:
                raise EdgebioError(f"{path}: no array {array!r}; it has {', '.join(headers)}")
            dimensions = len(headers[array][0])
            held[what] = npz.array(path, arrays, array, "iuUfb", min(dimensions, 1))
        rate = None
        if layout.rate_column or (layout.rate is None and "rate" in headers):
            array = layout.rate_column or "rate"
            rate = _rate(path, array, [npz.array(path, arrays, array, "fiu", 0).item()])
    return _table(path, name, values, held, rate, layout)


def mat_table(path: Path, layout: Layout) -> Table:
    """Read a .mat of version 5 or 7.3.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut, too large, or lacks a matrix.
    """
    check_held(path, layout, "a .mat", {"samples", "transposed", *_TOLD})
    shapes = mat.shapes(path)
    large = {name: shape for name, shape in shapes.items() if len(shape) == 2 and min(shape) > 1}
    name = _samples(path, layout, large, list(shapes))
    wanted = {name, *layout.told.values(), *([layout.rate_column] if layout.rate_column else [])}
    held = mat.read(path, dict.fromkeys(sorted(wanted)))
    told = {}
    for what, array in layout.told.items():
        if min(held[array].shape, default=0) != 1:
            said = " x ".join(map(str, held[array].shape))
            raise EdgebioError(f"{path}: {array} is {said}; expected one row or one column")
        told[what] = held[array].ravel()
    rate = _rate(path, layout.rate_column, held[layout.rate_column].ravel().tolist()) if (
        layout.rate_column
    ) else None  # fmt: skip
    return _table(path, name, held[name], told, rate, layout)


def _samples(
    path: Path, layout: Layout, held: Mapping[str, tuple[int, ...]], everything: Iterable[str] = ()
) -> str:
    """Name of the array that holds the samples."""
    if layout.samples is not None:
        there = list(everything) or list(held)
        if layout.samples not in there:
            raise EdgebioError(
                f"{path}: no array {layout.samples!r}; it has {', '.join(there) or 'none'}"
            )
        return layout.samples
    told = {*layout.told.values(), layout.rate_column}
    flat = [name for name, shape in held.items() if len(shape) == 2 and name not in told]
    name = "samples" if "samples" in flat else flat[0] if len(flat) == 1 else None
    if name is None:
        raise EdgebioError(
            f"{path}: expected an array samples (n, channels), or a single 2-D array; it has "
            f"{', '.join(list(everything) or held) or 'none'}: name it in a mapping file"
        )
    return name


def _table(
    path: Path, name: str, values: Array, told: Mapping[str, Array], rate: float | None,
    layout: Layout,
) -> Table:  # fmt: skip
    """Make a table of arrays."""
    if layout.transposed:
        values = values.T
    if layout.transposed is False and 0 < values.shape[0] < values.shape[1]:
        raise EdgebioError(
            f"{path}: {name} is {values.shape[0]} x {values.shape[1]}, which is more channels than "
            "samples; if it is channels x samples, say transposed = true in a mapping file"
        )
    found = {}
    for what, array in told.items():
        whole = np.full(len(values), array.item()) if array.size == 1 else array
        if len(whole) != len(values):
            raise EdgebioError(f"{path}: {len(whole)} {what} for {len(values)} samples")
        if whole.dtype.kind == "f" and not np.isfinite(whole).all():
            row = int(np.flatnonzero(~np.isfinite(whole))[0])
            raise EdgebioError(f"{path}: {what}, sample {row}: {whole[row]}; expected a number")
        found[what] = words(whole)
    return Table(
        path=path,
        values=values,
        at=lambda row, column: f"{path}: sample {row}, channel {column}",
        words=found,
        rate=rate,
    )


def _rate(path: Path, name: str | None, values: Sequence[Any]) -> float:
    """Rate that a variable tells: one number, however often."""
    try:
        rates = {float(value) for value in values}
    except ValueError:
        rates = set()
    if len(rates) != 1:
        raise EdgebioError(f"{path}: {name} holds {len(rates)} rates; expected one number, in Hz")
    return rates.pop()


def _column(path: Path, name: str, names: Sequence[str], count: int) -> int:
    """Index of a column that is named, or numbered from 1."""
    if name in names:
        return list(names).index(name)
    if name.isdecimal() and 1 <= int(name) <= count:
        return int(name) - 1
    there = f"columns {', '.join(names)}" if names else f"{count} columns without names"
    raise EdgebioError(f"{path}: no column {name!r}; it has {there}")


def _take_columns(
    body: bytes, separator: bytes, taken: Sequence[int], columns: int, source: str, first_line: int
) -> tuple[bytes, dict[int, list[str]]]:
    """Take the words of some columns out of delimited rows, and leave zeros there."""
    found: dict[int, list[str]] = {index: [] for index in taken}
    known: dict[bytes, str] = {}  # a word is kept once, however many rows have it
    rest = []
    for block in text.blocks(body):
        rows = []
        for line, row in enumerate(block.removesuffix(b"\n").split(b"\n"), first_line):
            if (there := row.count(separator) + 1) != columns:
                raise EdgebioError(f"{source}: line {line}: {there} fields, expected {columns}")
            fields = row.split(separator)
            for index, told in found.items():
                word = fields[index]
                if word not in known:
                    known[word] = word.strip().strip(b'"').decode("utf-8", "replace")
                told.append(known[word])
                fields[index] = b"0"
            rows.append(b",".join(fields) + b"\n")
        if len(known) > _MOST_WORDS:
            raise EdgebioError(
                f"{source}: more than {_MOST_WORDS:,} different words in columns that are no "
                "channels; are they those of labels, trials, sessions and people?"
            )
        rest.append(b"".join(rows))
        first_line += len(rows)
    return b"".join(rest), found
