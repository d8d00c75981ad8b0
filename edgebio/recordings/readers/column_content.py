"""The content of columns, text or Parquet, once their roles are known: to a table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import CountsBuilder
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.column_roles import Roles
from edgebio.recordings.readers.table import (
    Table,
    categorize,
    common_unit,
    one_hot,
    require_rate,
    single_rate,
)
from edgebio.recordings.readers.text_exports import TextExport
from edgebio.recordings.readers.text_layout import TextLayout
from edgebio.recordings.readers.time_columns import (
    Timing,
    are_alike,
    check_rate,
    measure_timing,
)
from edgebio.recordings.units import unit_factor

_NOT_NAMES = ("nan", "inf", "-inf")


@dataclass(eq=False)
class ColumnContent:
    """Columns of a file: channels as counts, times as numbers, metadata as text.

    Attributes
    ----------
    counts
        Of the channels.
    row_name
        Describes a row, from 0: ``"line 7"``.
    channels
        Columns of the channels.
    times, texts
        By column: numbers, float64 of shape (n,); texts.
    """

    path: Path
    counts: CountsBuilder
    row_name: Callable[[int], str]
    channels: list[int]
    times: dict[int, npt.NDArray[np.float64]] = field(default_factory=dict)
    texts: dict[int, list[str]] = field(default_factory=dict)

    def locate(self, row: int, column: int) -> str:
        """Describe a sample."""
        return f"{self.path}: {self.row_name(row)}, field {self.channels[column] + 1}"


def make_content(
    path: Path,
    options: ImportOptions,
    layout: TextLayout,
    roles: Roles,
    row_name: Callable[[int], str],
) -> ColumnContent:
    """Make the empty content of a file."""
    counts = CountsBuilder(
        path, options.lsb, options.gaps, remove_offset=options.remove_offset,
        factor=unit_factor(path, _unit(layout, roles), options.units),
    )  # fmt: skip
    content = ColumnContent(path, counts, row_name, roles.channels)
    content.texts = {index: [] for index in dict.fromkeys(roles.metadata.values())}
    counts.locate = content.locate
    return content


def table_of_content(
    path: Path, options: ImportOptions, export: TextExport, roles: Roles, content: ColumnContent
) -> Table:
    """Make a table of the columns of a file.

    Raises
    ------
    EdgebioError
        If metadata are not names, or rates contradict each other.
    """
    metadata = {}
    for name, index in roles.metadata.items():
        if name == "rate":
            continue
        metadata[name] = categorize(content.texts[index])
        names_here = metadata[name].names
        bad = [k for k, value in enumerate(names_here) if value.lower() in _NOT_NAMES]
        if bad:
            row = int(np.flatnonzero(np.isin(metadata[name].codes, bad))[0])
            raise EdgebioError(
                f"{path}: {content.row_name(row)}, field {index + 1}: {names_here[bad[0]]}; "
                f"expected {name}"
            )
    if roles.one_hot:
        metadata["labels"] = one_hot(
            path,
            [export.layout.names[k] for k in roles.one_hot],
            np.stack([np.asarray(content.times[k]) for k in roles.one_hot], axis=1),
        )
    rate = None
    if (rate_index := roles.metadata.get("rate")) is not None:
        rate = single_rate(path, options.rate_column or "", content.texts[rate_index])
    timing = measure_timing(path, roles.time, [content.times[c.index] for c in roles.time])
    notes = [*roles.notes, *content.counts.notes]
    rate = _choose_rate(path, options, export, rate, timing, notes)
    return Table(
        path=path,
        values=content.counts.values,
        scaled=True,
        locate=content.locate,
        metadata=metadata,
        rate=rate,
        units=_unit(export.layout, roles),
        missing=content.counts.missing,
        timing=timing,
        notes=tuple(notes),
    )


def _choose_rate(
    path: Path,
    options: ImportOptions,
    export: TextExport,
    rate: float | None,
    timing: Timing,
    notes: list[str],
) -> float:
    """Return the rate by the options, a column, the header or the times, which must agree."""
    given, stated = options.rate, rate or export.rate
    if given is not None:
        check_rate(path, given, timing)
    if given is not None and export.rate is not None and not are_alike(given, export.rate):
        if export.program:
            raise EdgebioError(
                f"{path}: its header states {export.rate:g} Hz, not {given:g} Hz; leave --rate out"
            )
        notes.append(f"its header states {export.rate:g} Hz; {given:g} Hz is used, as given")
        return given
    if given is None and stated and timing.rate and timing.is_regular:
        if not are_alike(stated, timing.rate):
            raise EdgebioError(
                f"{path}: states {stated:g} Hz, but its times are those of {timing.rate:g} Hz; "
                "give the right one: --rate HZ"
            )
    elif given is None and not stated and timing.rate and not timing.is_regular:
        rate_text = f"{timing.rate:g} Hz on average"
        notes.append(f"uneven times: {rate_text}; give --rate if you know it exactly")
    return require_rate(path, options, stated or timing.rate)


def _unit(layout: TextLayout, roles: Roles) -> str | None:
    """Unit that the channels have in common."""
    return common_unit([layout.units[k] for k in roles.channels]) if layout.units else None
