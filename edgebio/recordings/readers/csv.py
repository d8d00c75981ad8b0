"""CSV files: a row per sample, separated by commas, semicolons or tabs, with or without names."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import METADATA, ImportOptions
from edgebio.recordings.readers import delimited_text as text
from edgebio.recordings.readers.table import Table, categorize, find_columns, single_rate

_SEPARATORS = (b",", b";", b"\t")
_MAX_COLUMNS = 1 << 16
_MAX_NAMES = 1 << 18  # different names in the columns that are not channels
_NOT_NAMES = ("nan", "inf", "-inf")


def read_csv_table(path: Path, options: ImportOptions) -> Table:
    """Read a CSV."""
    options.check_supported(path, "a CSV", METADATA | {"columns"})
    body = text.read_text(path)
    head, _, rest = body.partition(b"\n")
    separator = next((s for s in _SEPARATORS if s in head), b",")
    width = head.count(separator) + 1
    if width > _MAX_COLUMNS:
        raise EdgebioError(
            f"{path}: line 1: over {_MAX_COLUMNS:,} fields; expected one line per sample"
        )
    fields = [field.strip().strip(b'"') for field in head.split(separator)]
    names: list[str] = []
    first_line = 1
    if not any(text.is_number(field) for field in fields):
        names = [field.decode("utf-8", "replace") for field in fields]
        body, first_line = rest, 2
        if not body:
            raise EdgebioError(f"{path}: only column names; expected one line per sample")

    channels = find_columns(path, options.columns, names, width)
    requested = options.metadata_columns.items()
    metadata = {field: find_columns(path, [name], names, width)[0] for field, name in requested}
    values_of: dict[int, list[str]] = {}
    if metadata:
        channels = [i for i in channels or range(width) if i not in metadata.values()]
        if not channels:
            raise EdgebioError(f"{path}: no column besides the labels")
        columns = [*metadata.values()]
        body, values_of = _take_columns(body, separator, columns, width, str(path), first_line)
    elif separator != b",":
        body = body.replace(separator, b",")
    values = text.parse_numbers(body, width, str(path), "any", first_line)
    rate = None
    if options.rate_column is not None:
        rate = single_rate(path, options.rate_column, values_of[metadata.pop("rate")])
    categories = {field: categorize(values_of[index]) for field, index in metadata.items()}
    for field, index in metadata.items():
        names_here = categories[field].names
        bad = [k for k, name in enumerate(names_here) if name.lower() in _NOT_NAMES]
        if bad:
            line = first_line + int(np.flatnonzero(np.isin(categories[field].codes, bad))[0])
            raise EdgebioError(
                f"{path}: line {line}, field {index + 1}: {names_here[bad[0]]}; expected {field}"
            )
    return Table(
        path=path,
        values=values[:, channels] if channels else values,
        locate=text.line_locator(str(path), first_line, channels),
        metadata=categories,
        rate=rate,
    )


def _take_columns(
    body: bytes, separator: bytes, columns: Sequence[int], width: int, source: str, first_line: int
) -> tuple[bytes, dict[int, list[str]]]:
    """Take the text of some columns out of delimited rows, and leave zeros there."""
    values: dict[int, list[str]] = {index: [] for index in columns}
    interned: dict[bytes, str] = {}  # each text is stored once, however many rows have it
    rest = []
    for block in text.split_blocks(body):
        rows = []
        for line, row in enumerate(block.removesuffix(b"\n").split(b"\n"), first_line):
            fields = text.split_row(row, separator, width, source, line)
            for index, column in values.items():
                field = fields[index]
                if field not in interned:
                    interned[field] = field.strip().strip(b'"').decode("utf-8", "replace")
                column.append(interned[field])
                fields[index] = b"0"
            rows.append(b",".join(fields) + b"\n")
        if len(interned) > _MAX_NAMES:
            raise EdgebioError(
                f"{source}: more than {_MAX_NAMES:,} different names in columns that are not "
                "channels; do they hold labels, repetitions, sessions and subjects?"
            )
        rest.append(b"".join(rows))
        first_line += len(rows)
    return b"".join(rest), values
