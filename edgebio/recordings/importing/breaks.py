"""Lost and missing samples: where they cut a recording, or how they are filled."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.table import Categories, Table


def fill_lost_samples(table: Table, options: ImportOptions) -> Table:
    """Treat the samples that a file's times and counters show to be lost, as the options ask.

    Filled, the last sample is repeated for each; otherwise the table is returned as it is, and
    `find_breaks` names the places.

    Raises
    ------
    EdgebioError
        If they are to be refused, or more would be filled than are there.
    """
    timing, count = table.timing, len(table.values)
    if timing is None or not len(timing.gaps) or options.gaps in (None, "cut"):
        return table
    lost = int(timing.lost.sum())
    first = table.locate(int(timing.gaps[0]), 0)
    if options.gaps == "refuse":
        raise EdgebioError(
            f"{first}: {timing.lost[0]:,} samples are lost before it ({lost:,} in all); --gaps cut "
            "cuts the recording there, --gaps fill repeats the last sample"
        )
    if lost > count:
        raise EdgebioError(
            f"{table.path}: {lost:,} samples are lost of {count + lost:,}: too many to fill; "
            "use --gaps cut"
        )
    repeats = np.ones(count, np.int64)
    repeats[timing.gaps - 1] += timing.lost
    rows = np.repeat(np.arange(count), repeats)
    starts = np.concatenate([[0], np.cumsum(repeats)[:-1]])
    return replace(
        table,
        values=table.values[rows],
        locate=lambda row, column: table.locate(int(rows[row]), column),
        metadata={
            name: Categories(column.codes[rows], column.names)
            for name, column in table.metadata.items()
        },
        beats=None if table.beats is None else starts[table.beats],
        missing=None if table.missing is None else table.missing[rows],
        timing=replace(
            timing, gaps=timing.gaps[:0], lost=timing.lost[:0], restarts=starts[timing.restarts]
        ),
        notes=(*table.notes, f"{lost:,} lost samples repeat the last one before them"),
    )


def find_breaks(table: Table, missing: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.int64]:
    """First samples after each place where samples are lost or missing, increasing."""
    breaks = np.zeros(len(table.values), bool)
    if table.timing is not None:
        breaks[table.timing.gaps] = True
        breaks[table.timing.restarts] = True
    if missing is not None:
        breaks[1:] |= missing[1:] != missing[:-1]
    return np.flatnonzero(breaks)


def describe_breaks(table: Table, missing: npt.NDArray[np.bool_] | None) -> list[str]:
    """Say what is lost and missing, for the user."""
    notes = []
    if table.timing is not None and len(table.timing.gaps):
        notes.append(
            f"{int(table.timing.lost.sum()):,} samples are lost in {len(table.timing.gaps):,} "
            f"gaps, the first before {table.locate(int(table.timing.gaps[0]), 0)}: the recording "
            "is cut there"
        )
    if table.timing is not None and len(table.timing.restarts):
        first = table.locate(int(table.timing.restarts[0]), 0)
        notes.append(
            f"times begin again at {len(table.timing.restarts):,} places, the first at {first}: "
            "the recording is cut there"
        )
    if missing is not None and missing.any():
        row = int(np.flatnonzero(missing)[0])
        notes.append(
            f"{int(missing.sum()):,} samples without a number are left out, the first at "
            f"{table.locate(row, 0)}: the recording is cut there"
        )
    return notes
