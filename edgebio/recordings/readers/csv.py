"""Delimited text: a line per sample, of any separator, with or without names and a header."""

import csv as standard_csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import CountsBuilder
from edgebio.recordings.import_options import METADATA, ImportOptions
from edgebio.recordings.readers import delimited_text as text
from edgebio.recordings.readers.table import (
    Table,
    categorize,
    common_unit,
    find_columns,
    one_hot,
    require_rate,
    single_rate,
)
from edgebio.recordings.readers.text_exports import TextExport, recognize_export
from edgebio.recordings.readers.text_file import TextFile
from edgebio.recordings.readers.text_layout import MISSING, TextLayout, detect_layout
from edgebio.recordings.readers.time_columns import (
    TimeColumn,
    check_rate,
    find_time_columns,
    measure_timing,
)

_MAX_NAMES = 1 << 18  # different names in the columns that are not channels
_NOT_NAMES = ("nan", "inf", "-inf")
_BLANK_LINES = re.compile(rb"\n(?:[ \t]*\n)+")
_COMMENT_LINES = re.compile(rb"(?m)^[ \t]*[#%][^\n]*\n")
_EMPTY_FIELDS = re.compile(rb"(?mi)(?:(?<=,)|^)[ \t]*(?:na|n/a|null)?[ \t]*(?=,|$)")
_TIDY_NAMES = {"channel", "sensor", "electrode", "variable", "signal"}


def read_csv_table(path: Path, options: ImportOptions) -> Table:
    """Read a text file of samples.

    The layout is detected; columns that time or count the samples give or check the rate, and
    columns of text are left out unless the options name them.
    """
    options.check_supported(path, "a CSV", METADATA | {"columns", "transposed"})
    file = TextFile(path)
    export = recognize_export(detect_layout(path, file.head, file.is_whole))
    roles = _assign_roles(path, options, export)
    content = _read_columns(path, file, export.layout, roles, options)
    values_of = content.texts
    if (rate_index := roles.metadata.pop("rate", None)) is not None:
        rate = single_rate(path, options.rate_column or "", values_of[rate_index])
    else:
        rate = None
    metadata = {}
    for name, index in roles.metadata.items():
        metadata[name] = categorize(values_of[index])
        names_here = metadata[name].names
        bad = [k for k, value in enumerate(names_here) if value.lower() in _NOT_NAMES]
        if bad:
            row = int(np.flatnonzero(np.isin(metadata[name].codes, bad))[0])
            raise EdgebioError(
                f"{path}: line {content.line(row)}, field {index + 1}: {names_here[bad[0]]}; "
                f"expected {name}"
            )
    if roles.one_hot:
        metadata["labels"] = one_hot(
            path,
            [export.layout.names[k] for k in roles.one_hot],
            np.stack([np.asarray(content.times[k]) for k in roles.one_hot], axis=1),
        )
    timing = measure_timing(path, roles.time, [content.times[c.index] for c in roles.time])
    if options.rate is not None:
        check_rate(path, options.rate, timing)
    rate = rate or export.rate or timing.rate
    require_rate(path, options, rate)
    return Table(
        path=path,
        values=content.counts.values,
        scaled=True,
        locate=content.locate,
        metadata=metadata,
        rate=rate,
        units=common_unit([export.layout.units[k] for k in roles.channels])
        if export.layout.units
        else None,
        missing=content.counts.missing,
        timing=timing,
        notes=(*roles.notes, *content.counts.notes),
    )


@dataclass(frozen=True)
class _Roles:
    """What each column is used for."""

    channels: list[int]
    metadata: dict[str, int]
    one_hot: list[int]
    time: list[TimeColumn]
    notes: list[str]


def _assign_roles(path: Path, options: ImportOptions, export: TextExport) -> _Roles:
    layout = export.layout
    names, width = layout.names, layout.width
    requested = dict(options.metadata_columns)
    hot: list[int] = []
    label_names = requested.get("labels", "").split(",")
    if len(label_names) > 1 and requested["labels"] not in names:
        hot = find_columns(path, [name.strip() for name in label_names], names, width)
        del requested["labels"]
    metadata = {
        name: find_columns(path, [column], names, width)[0] for name, column in requested.items()
    }
    chosen = find_columns(path, options.columns, names, width)
    used = {*metadata.values(), *hot, *chosen}
    first = np.array(
        [[_number(value, layout.decimal) for value in row] for row in layout.rows], np.float64
    ).reshape(len(layout.rows), width)
    time = [
        column
        for column in find_time_columns(names, layout.units, first)
        if column.index not in used and column.index not in layout.text_columns
    ]
    free = [k for k in range(width) if k not in used and k not in layout.text_columns]
    free = [k for k in free if k not in {column.index for column in time}]
    if not chosen:
        known = [k for k in export.channels if k in free]
        chosen = known or free
    if not chosen:
        raise EdgebioError(f"{path}: no column besides the labels, times and texts")
    notes = [f"{export.program} file"] if export.program else []
    if time and not options.columns:
        titles = ", ".join(names[c.index] if names else str(c.index + 1) for c in time)
        notes.append(f"not channels, as they time or count the samples: {titles}")
    if not options.columns and (left := sorted(layout.text_columns - used)):
        titles = ", ".join(names[k] if names else str(k + 1) for k in left)
        notes.append(f"left out, as they hold text or nothing: {titles}")
    if not options.columns and (extra := [k for k in free if k not in chosen]):
        titles = ", ".join(names[k] if names else str(k + 1) for k in extra)
        notes.append(f"left out, as they are not its signals: {titles}; name them by --columns")
    lower = [name.lower() for name in names]
    if not options.columns and len(chosen) <= 2 and _TIDY_NAMES & {*lower} and "value" in lower:
        column = next(name for name in names if name.lower() in _TIDY_NAMES)
        raise EdgebioError(
            f"{path}: one number per line, of the {column} that the line names; make a column of "
            f"each {column} first, such as by pandas' DataFrame.pivot"
        )
    return _Roles(chosen, metadata, hot, time, notes)


@dataclass(eq=False)
class _Content:
    """Columns of a file: channels as counts, times as numbers, metadata as text."""

    counts: CountsBuilder
    first_line: int
    channels: list[int]
    path: Path
    times: dict[int, npt.NDArray[np.float64]] = field(default_factory=dict)
    texts: dict[int, list[str]] = field(default_factory=dict)

    def line(self, row: int) -> int:
        return self.first_line + row

    def locate(self, row: int, column: int) -> str:
        return f"{self.path}: line {self.line(row)}, field {self.channels[column] + 1}"


def _read_columns(
    path: Path, file: TextFile, layout: TextLayout, roles: _Roles, options: ImportOptions
) -> _Content:
    numeric = [*roles.channels, *(c.index for c in roles.time), *roles.one_hot]
    texts = list(dict.fromkeys(roles.metadata.values()))
    if options.transposed:
        numeric, texts = [k for k in range(layout.width) if k not in layout.text_columns], []
    elif layout.width > 256 and file.is_whole and layout.width > 4 * len(layout.rows):
        raise EdgebioError(
            f"{path}: {len(layout.rows)} lines of {layout.width:,} numbers, which is more channels "
            "than samples; if it is channels x samples, set transposed = true in a mapping file"
        )
    counts = CountsBuilder(path, options.lsb, options.gaps, remove_offset=options.remove_offset)
    content = _Content(counts, layout.first_line, roles.channels, path)
    counts.locate = content.locate
    whole_rows = not texts and numeric == list(range(layout.width))
    content.texts = {index: [] for index in texts}
    extra_blocks: list[npt.NDArray[np.float64]] = []
    channel_rows: list[npt.NDArray[np.float64]] = []
    interned: dict[bytes, str] = {}
    line = layout.first_line
    for block in file.blocks(layout.first_line):
        lines = block.count(b"\n")
        body = _canonical(block, layout)
        if not body:
            line += lines
            continue
        if not whole_rows:
            body = _select(path, body, layout.width, numeric, content.texts, interned, line)
        if _has_empty(body):
            body = _EMPTY_FIELDS.sub(b"nan", body.removesuffix(b"\n")) + b"\n"
        fields = None if whole_rows else numeric
        values = text.parse_numbers(body, len(numeric), str(path), "any", line, fields)
        if options.transposed:
            channel_rows.append(values.astype(np.float64))
        else:
            counts.add(values[:, : len(roles.channels)])
            extra_blocks.append(values[:, len(roles.channels) :].astype(np.float64))
        line += lines
    if options.transposed:
        counts.add(np.concatenate(channel_rows).T)
        return content
    extra = np.concatenate(extra_blocks) if extra_blocks else np.zeros((0, len(numeric)))
    content.times = {k: extra[:, j] for j, k in enumerate(numeric[len(roles.channels) :])}
    return content


def _canonical(block: bytes, layout: TextLayout) -> bytes:
    """Rewrite lines with commas as separators and points as decimal marks, without blank lines."""
    if b"\n\n" in block or block[:1] in b"\n \t" or b"\n " in block or b"\n\t" in block:
        block = _BLANK_LINES.sub(b"\n", block).lstrip(b"\n")
    if b"#" in block or b"%" in block:
        block = _COMMENT_LINES.sub(b"", block)
    if b'"' in block:
        return _unquoted(block, layout)
    if layout.decimal == ",":
        block = block.replace(b",", b".")
    if layout.separator == " ":
        block = re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", block)
        block = re.sub(rb"[ \t]+", b",", block)
    elif layout.separator != ",":
        block = block.replace(layout.separator.encode(), b",")
    return block.replace(b",\n", b"\n") if layout.trailing else block


def _unquoted(block: bytes, layout: TextLayout) -> bytes:
    """`_canonical` of lines with quoted fields; commas within texts become points."""
    lines = block.decode().splitlines()
    separator = layout.separator if layout.separator != " " else "\t"
    rows = standard_csv.reader(lines, delimiter=separator, skipinitialspace=True)
    end = -1 if layout.trailing else None
    written = (",".join(value.replace(",", ".") for value in row[:end]) for row in rows)
    return ("\n".join(written) + "\n").encode()


def _has_empty(body: bytes) -> bool:
    return (
        b",," in body or b",\n" in body or b"\n," in body or body.startswith(b",")
        or any(mark in body for mark in (b"A", b"u", b"U", b", "))
    )  # fmt: skip


def _select(
    path: Path, body: bytes, width: int, numeric: Sequence[int], texts: dict[int, list[str]],
    interned: dict[bytes, str], line: int,
) -> bytes:  # fmt: skip
    """Keep the fields of some columns, and take the texts of others."""
    rows = []
    for number, row in enumerate(body.removesuffix(b"\n").split(b"\n"), line):
        fields = text.split_row(row, b",", width, str(path), number)
        for index, column in texts.items():
            value = fields[index]
            if value not in interned:  # each text is stored once, however many rows have it
                interned[value] = value.strip().decode("utf-8", "replace")
            column.append(interned[value])
        rows.append(b",".join([fields[k] for k in numeric]))
    if len(interned) > _MAX_NAMES:
        raise EdgebioError(
            f"{path}: more than {_MAX_NAMES:,} different names in columns that are not "
            "channels; do they hold labels, repetitions, sessions and subjects?"
        )
    return b"\n".join(rows) + b"\n"


def _number(value: str, decimal: str) -> float:
    if value.lower() in MISSING:
        return np.nan
    try:
        return float(value.replace(decimal, "."))
    except ValueError:
        return np.nan
