"""Tables to recordings: counts, labels, and cuts where repetition, session or subject change."""

import warnings
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError, EdgebioWarning
from edgebio.recordings.counts import CountsBuilder, scaled_units
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.importing.breaks import (
    describe_breaks,
    fill_lost_samples,
    find_breaks,
)
from edgebio.recordings.natural_order import sort_naturally
from edgebio.recordings.readers.table import Table, require_rate
from edgebio.recordings.recording import UNLABELED, Recording
from edgebio.recordings.units import unit_factor

MAX_RECORDINGS = 100_000
"""Of one file; more of them mean that a column holds something else."""


def recordings_from_table(table: Table, options: ImportOptions) -> list[Recording]:
    """Make a recording of each repetition, session and subject in a table.

    A repetition reaches to the start of the next one: rest belongs to the repetition before it, and
    what comes before the first repetition belongs to that one. Where a column of labels is all
    there is, each run of a label is a repetition. Lost and missing samples cut a recording.
    """
    path = table.path
    rate = require_rate(path, options, table.rate)
    if not table.values.size:
        raise EdgebioError(f"{path}: no samples")
    table = _as_counts(fill_lost_samples(table, options), options)
    count = len(table.values)
    units = scaled_units(options.lsb, table.units or "counts")
    labels, classes = _labels(table, options)
    starts, numbers = _split(table, options, labels)
    for note in (*table.notes, *describe_breaks(table, table.missing)):
        warnings.warn(f"{path}: {note}", EdgebioWarning, stacklevel=2)
    recordings = []
    for start, end, number in zip(starts, [*starts[1:], count], numbers, strict=True):
        if table.missing is not None and table.missing[start]:
            continue
        beats = table.beats
        if beats is not None:
            beats = beats[(beats >= start) & (beats < end)] - start
        recordings.append(
            Recording(
                samples=table.values[start:end],
                rate=rate,
                units=units,
                labels=labels[start:end],
                classes=classes,
                subject=_name_at(table, "subject", start, options.subject),
                session=_name_at(table, "session", start, options.session),
                repetition=number,
                source=str(path),
                beats=beats,
            )
        )
    return recordings


def _labels(table: Table, options: ImportOptions) -> tuple[npt.NDArray[np.int16], tuple[str, ...]]:
    """Label of every sample, and class names."""
    count, labels = len(table.values), table.metadata.get("labels")
    if options.label is not None:
        return np.zeros(count, np.int16), (options.label,)
    if labels is None:
        return np.full(count, UNLABELED, np.int16), ()
    names = [labels.names[k] for k in np.unique(labels.codes[labels.codes >= 0]).tolist()]
    class_names = dict(zip(names, names, strict=True))
    if options.classes is not None:
        class_names = dict(options.classes)
    for name in names:
        if name not in class_names:
            present = ", ".join(class_names) or "empty"
            raise EdgebioError(f"{table.path}: label {name!r} is not in [classes]: {present}")
    classes = tuple(sort_naturally({class_names[name] for name in names} - {""}))
    if len(classes) > np.iinfo(np.int16).max:
        raise EdgebioError(f"{table.path}: {len(classes):,} labels; is it a column of classes?")
    numbers = {"": UNLABELED} | {name: index for index, name in enumerate(classes)}
    lookup = [numbers.get(class_names.get(name, ""), UNLABELED) for name in labels.names]
    return np.array([*lookup, UNLABELED], np.int16)[labels.codes], classes


def _as_counts(table: Table, options: ImportOptions) -> Table:
    """Scale the values of a table to counts, in the unit that the options ask for."""
    units, requested = table.units, options.units
    if table.scaled and options.lsb is not None:
        units = requested or units
    elif requested is not None and units is not None:
        number, _, unit = units.rpartition(" ")
        factor = unit_factor(table.path, unit, requested)
        size = float(number or 1) * factor
        units = requested if size == 1 or options.lsb is not None else f"{size:.6g} {requested}"
    else:
        factor, units = 1.0, requested or units
    if table.scaled:
        return replace(table, units=units)
    counts = CountsBuilder(
        table.path, options.lsb, options.gaps, remove_offset=options.remove_offset,
        locate=table.locate, factor=factor,
    )  # fmt: skip
    counts.add(table.values)
    return replace(
        table,
        values=counts.values,
        units=units,
        scaled=True,
        missing=counts.missing if table.missing is None else table.missing,
        notes=(*table.notes, *counts.notes),
    )


def _split(
    table: Table, options: ImportOptions, labels: npt.NDArray[np.int16]
) -> tuple[list[int], list[int]]:
    """First sample of every recording, and the number of its repetition."""
    count = len(table.values)
    begins = np.zeros(count, bool)
    begins[[*find_breaks(table, table.missing), *table.trials]] = True
    if options.repetitions == "runs" and options.repetition_column is None:
        begins |= _run_starts(labels)
    for field in ("subject", "session"):
        if field in table.metadata:
            codes = table.metadata[field].codes
            begins[1:] |= codes[1:] != codes[:-1]
    numbers = None
    if "repetition" in table.metadata:
        numbers = _repetition_numbers(table)
        changed = numbers[1:] != numbers[:-1]
        if options.rest_repetition is not None:
            inside = np.flatnonzero(numbers != options.rest_repetition)
            if not len(inside):
                raise EdgebioError(f"{table.path}: repetition is {numbers[0]} throughout")
            changed &= numbers[1:] != options.rest_repetition
            if inside[0]:
                changed[inside[0] - 1] = False  # what comes before the first belongs to it
        begins[1:] |= changed
    begins[0] = True
    starts = np.flatnonzero(begins).tolist()
    if len(starts) > MAX_RECORDINGS:
        raise EdgebioError(
            f"{table.path}: {len(starts):,} changes of repetition, session or subject; a file may "
            f"hold {MAX_RECORDINGS:,} recordings"
        )
    if numbers is None:
        return starts, [options.repetition] * len(starts)
    repetitions = []
    for start, end in zip(starts, [*starts[1:], count], strict=True):
        own = numbers[start:end]
        own = own[own != options.rest_repetition] if options.rest_repetition is not None else own
        repetitions.append(int(own[0]) if len(own) else options.repetition)
    return starts, repetitions


def _run_starts(labels: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    """Where runs of a label start; what is unlabeled belongs to the run before it."""
    starts: npt.NDArray[np.bool_] = labels != UNLABELED
    starts[1:] &= labels[1:] != labels[:-1]
    starts[: int(np.argmax(starts)) + 1] = False  # what comes before the first belongs to it
    return starts


def _repetition_numbers(table: Table) -> npt.NDArray[np.int64]:
    """Number of the repetition at every sample."""
    repetition = table.metadata["repetition"]
    for name in repetition.names:
        if not (name.isascii() and name.isdecimal() and len(name) < 10):
            raise EdgebioError(f"{table.path}: repetition {name!r}; expected whole numbers from 0")
    if (repetition.codes < 0).any():
        row = int(np.flatnonzero(repetition.codes < 0)[0])
        raise EdgebioError(f"{table.path}: sample {row}: no repetition; expected a whole number")
    return np.array([int(name) for name in repetition.names] or [0], np.int64)[repetition.codes]


def _name_at(table: Table, field: str, row: int, default: str) -> str:
    """Subject or session at a row."""
    categories = table.metadata.get(field)
    if categories is None or categories.codes[row] < 0:
        return default
    return categories.names[int(categories.codes[row])]
