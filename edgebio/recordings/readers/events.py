"""Events with an onset, a duration and a label: annotations, and tables beside a signal file.

A table is a text file with columns named as in BIDS (``onset``, ``duration``, ``trial_type``), in
seconds. An event labels the samples of its duration. One without a duration is a moment, not a
state that lasts until the next: it labels nothing, and a note says so.
"""

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.recordings.readers.table import Categories, Table
from edgebio.recordings.readers.text_file import TextFile

_ONSETS = ("onset", "start", "begin", "time")
_DURATIONS = ("duration", "length", "dur")
_LABELS = ("trial_type", "label", "class", "gesture", "stage", "description", "annotation",
           "event", "value")  # fmt: skip
_MAX_EVENTS = 1_000_002  # lines
_MISSING = ("", "n/a", "na", "nan")


@dataclass(frozen=True)
class Event:
    """An event: onset and duration in seconds (0: a moment), and its label."""

    onset: float
    duration: float
    label: str


def label_samples(
    path: Path, events: Sequence[Event], count: int, rate: float
) -> tuple[Categories | None, tuple[str, ...]]:
    """Label of each of `count` samples by the events that last, and notes about the others.

    Raises
    ------
    EdgebioError
        If a time is not finite.
    """
    for event in events:
        if not (math.isfinite(event.onset) and math.isfinite(event.duration)):
            raise EdgebioError(f"{path}: event {event.label!r}: its time is not finite")
    lasting = [event for event in events if event.duration > 0 and event.label]
    moments = sorted({event.label for event in events if event.duration <= 0 and event.label})
    notes: tuple[str, ...] = ()
    if moments:
        number = sum(event.duration <= 0 for event in events)
        notes = (
            f"{number:,} events have no duration and label nothing: {', '.join(moments[:5])}"
            f"{', ...' if len(moments) > 5 else ''}",
        )
    if not lasting:
        return None, notes
    names = tuple(sorted({event.label for event in lasting}))
    codes = np.full(count, -1, np.int64)
    for event in lasting:
        ends = (event.onset, event.onset + event.duration)
        first, last = (round(min(max(t * rate, 0), count)) for t in ends)
        codes[first:last] = names.index(event.label)
    return Categories(codes, names), notes


def read_event_table(path: Path) -> list[Event]:
    """Read a table of events, its columns separated by tabs, commas or semicolons.

    Raises
    ------
    EdgebioError
        If a column of onsets or labels is missing, or a time is not a number.
    """
    file = TextFile(path)
    lines = [line.rstrip("\n") for line in itertools.islice(file.lines(), _MAX_EVENTS)]
    if len(lines) == _MAX_EVENTS:
        raise EdgebioError(f"{path}: over {_MAX_EVENTS - 2:,} events")
    separator = max("\t,;", key=lines[0].count)
    names = [name.strip().strip('"').lower() for name in lines[0].split(separator)]
    onset, duration, label = (_find(names, known) for known in (_ONSETS, _DURATIONS, _LABELS))
    if onset is None or label is None:
        raise EdgebioError(
            f"{path}: columns {', '.join(names)}; expected a table of events: onset, duration and "
            "trial_type (or label)"
        )
    events = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        fields = [field.strip().strip('"') for field in line.split(separator)]
        if len(fields) < len(names):
            raise EdgebioError(
                f"{path}: line {number}: {len(fields)} fields, expected {len(names)}"
            )
        start = _seconds(path, number, fields[onset])
        length = 0.0 if duration is None else _seconds(path, number, fields[duration])
        text = fields[label]
        events.append(Event(start, length, "" if text.lower() in _MISSING else text))
    return events


def find_event_table(path: Path) -> Path | None:
    """Table of events beside a signal file: ``x_events.tsv`` (or .csv) of ``x.csv``, ``x_emg.edf``.

    BIDS names it so: ``sub-1_task-grip_events.tsv``.
    """
    name = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    stems = dict.fromkeys((re.sub(r"_(emg|eeg|ecg|physio)$", "", name), name))
    tables = [path.with_name(f"{stem}_events{suffix}") for stem in stems
              for suffix in (".tsv", ".csv")]  # fmt: skip
    return next((table for table in tables if table != path and table.is_file()), None)


def label_by_events(table: Table, rate: float) -> Table:
    """Label a table that has no labels by the table of events beside its file, if there is one.

    Onsets count from the first sample; samples that are lost count too.
    """
    beside = find_event_table(table.path)
    if beside is None or "labels" in table.metadata:
        return table
    count = len(table.values)
    numbers = np.arange(count)
    if table.timing is not None:
        for first, lost in zip(table.timing.gaps, table.timing.lost, strict=True):
            numbers[first:] += lost
    labels, notes = label_samples(
        table.path, read_event_table(beside), int(numbers[-1]) + 1 if count else 0, rate
    )
    notes = (*table.notes, f"labels: {beside.name}", *notes)
    if labels is None:
        return replace(table, notes=notes)
    codes = Categories(labels.codes[numbers], labels.names)
    return replace(table, metadata={**table.metadata, "labels": codes}, notes=notes)


def _find(names: Sequence[str], known: Sequence[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _seconds(path: Path, line: int, text: str) -> float:
    if text.lower() in _MISSING:
        return 0.0
    try:
        return float(text)
    except ValueError:
        raise EdgebioError(f"{path}: line {line}: {text!r} is not a number of seconds") from None
