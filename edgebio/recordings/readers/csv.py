"""Delimited text: a line per sample, of any separator, with or without names and a header."""

import csv as standard_csv
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import METADATA, ImportOptions
from edgebio.recordings.readers import delimited_text as text
from edgebio.recordings.readers.bids import read_sidecar
from edgebio.recordings.readers.column_content import (
    ColumnContent,
    make_content,
    table_of_content,
)
from edgebio.recordings.readers.column_roles import Roles, assign_roles
from edgebio.recordings.readers.events import label_by_events
from edgebio.recordings.readers.table import Table
from edgebio.recordings.readers.text_exports import TextExport, find_section, recognize_export
from edgebio.recordings.readers.text_file import TextFile
from edgebio.recordings.readers.text_layout import TextLayout, detect_layout
from edgebio.recordings.readers.time_stamps import TimeStamps

_MAX_NAMES = 1 << 18  # different names in the columns that are not channels
_SECTIONS = re.compile(r"[A-Z][A-Za-z ]*[,;]*\s*\n\d+[,;]*\s*\n")  # a title and a rate: Vicon
_BLANK_LINES = re.compile(rb"\n(?:[ \t]*\n)+")
_COMMENT_LINES = re.compile(rb"(?m)^[ \t]*[#%][^\n]*\n")
_EMPTY_FIELDS = re.compile(rb"(?mi)(?:(?<=,)|^)[ \t]*(?:na|n/a|null)?[ \t]*(?=,|$)")


def read_csv_table(path: Path, options: ImportOptions) -> Table:
    """Read a text file of samples.

    The layout is detected; columns that time or count the samples give or check the rate, and
    columns of text are left out unless the options name them.
    """
    options.check_supported(path, "a CSV", METADATA | {"columns", "transposed"})
    file = TextFile(path)
    first = 0
    if _SECTIONS.match(file.head) and (section := find_section(file.lines())):
        file.select(*section)
        first = section[0]
    layout = detect_layout(path, file.head, file.is_whole)
    layout = replace(layout, first_line=first + layout.first_line)
    export = recognize_export(layout)
    if (sidecar := read_sidecar(path)) is not None:
        if len(sidecar.names) != layout.width:
            raise EdgebioError(
                f"{path}: {layout.width} columns, but {len(sidecar.names)} in the JSON beside it"
            )
        unnamed = ("",) * layout.width
        layout = replace(layout, names=sidecar.names, units=unnamed)
        export = TextExport("BIDS", layout, sidecar.rate)
    roles = assign_roles(path, options, export)
    content = _read_columns(path, file, export.layout, roles, options)
    table = table_of_content(path, options, export, roles, content)
    if options.label is None and table.rate:
        return label_by_events(table, table.rate)
    return table


def _read_columns(
    path: Path, file: TextFile, layout: TextLayout, roles: Roles, options: ImportOptions
) -> ColumnContent:
    times = [column.index for column in roles.time if not column.is_text]
    numeric = [*roles.channels, *times, *roles.one_hot]
    stamps = {c.index: TimeStamps() for c in roles.time if c.is_text and not options.transposed}
    texts = list(dict.fromkeys(roles.metadata.values()))
    if options.transposed:
        numeric, texts = [k for k in range(layout.width) if k not in layout.text_columns], []
    elif layout.width > 256 and file.is_whole and layout.width > 4 * len(layout.rows):
        raise EdgebioError(
            f"{path}: {len(layout.rows)} lines of {layout.width:,} numbers, which is more channels "
            "than samples; if it is channels x samples, set transposed = true in a mapping file"
        )
    first_line = layout.first_line
    content = make_content(path, options, layout, roles, lambda row: f"line {first_line + row}")
    counts = content.counts
    whole_rows = not texts and not stamps and numeric == list(range(layout.width))
    extra_blocks: list[npt.NDArray[np.float64]] = []
    seconds: dict[int, list[npt.NDArray[np.float64]]] = {index: [] for index in stamps}
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
            own: dict[int, list[str]] = {index: [] for index in stamps}
            both = {k: content.texts[k] for k in texts} | own
            body = _select(path, body, layout.width, numeric, both, interned, line)
            for index, column in own.items():
                seconds[index].append(stamps[index].parse_all(column))
            if stamps:
                interned.clear()
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
    for index, parts in seconds.items():
        content.times[index] = np.concatenate(parts)
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
