"""EDF, EDF+ and BDF files: converter counts, and annotations as labels.

Where step sizes differ, or 24 bits do not fit 16, ``lsb`` scales channels to counts of one size. An
annotation labels the samples of its duration; so do the events of a table beside the file.
"""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.channel_scale import select_channels, table_of_channels
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.events import (
    Event,
    find_event_table,
    label_samples,
    read_event_table,
)
from edgebio.recordings.readers.table import Table

MAX_BYTES = 512 << 20
"""Largest EDF or BDF file that is read."""

_RECORD_COUNT = 236  # its offset in the header
_MAX_ANNOTATIONS = 1_000_000


def read_edf_table(path: Path, options: ImportOptions) -> Table:
    """Read an EDF or BDF file that is continuous, channels of one rate."""
    options.check_supported(path, "an EDF or BDF file", {"columns"})
    file, cut = _open(path)
    names = [signal.label or f"signal {k}" for k, signal in enumerate(file.signals, 1)]
    indices = select_channels(path, options, names)
    signals, names = [file.signals[k] for k in indices], [names[k] for k in indices]
    rates = sorted({float(signal.sampling_frequency) for signal in signals})
    if len(rates) > 1:
        raise EdgebioError(
            f"{path}: channels of several rates ({', '.join(f'{rate:g}' for rate in rates)} Hz); "
            "choose ones of one rate by --columns"
        )
    steps, zeros = np.empty(len(signals)), np.empty(len(signals))
    for k, signal in enumerate(signals):
        low, high = signal.digital_range
        bottom, top = signal.physical_range
        steps[k] = (top - bottom) / (high - low) if high > low else 0
        zeros[k] = low - bottom / steps[k] if steps[k] else np.nan
        if not abs(zeros[k]) < 1 << 40:
            raise EdgebioError(
                f"{path}: {names[k]}: {low} to {high} are {bottom:g} to {top:g}; expected a range"
            )
    digital = np.stack([np.asarray(signal.digital, np.int64) for signal in signals], axis=1)
    labels = None
    notes: tuple[str, ...] = ()
    if options.label is None:
        events = read_event_table(table) if (table := find_event_table(path)) else None
        labels, notes = label_samples(
            path, _events(path, file) if events is None else events, len(digital), rates[0]
        )
    return table_of_channels(
        path,
        options,
        digital,
        names=names,
        units=[signal.physical_dimension for signal in signals],
        steps=steps,
        zeros=np.rint(zeros).astype(np.int64),
        rate=rates[0],
        metadata={} if labels is None else {"labels": labels},
        notes=(*cut, *notes),
    )


def _open(path: Path) -> tuple[Any, tuple[str, ...]]:
    """Open an EDF or BDF file whose signals are complete, and say what its end lacks.

    A program that was killed leaves a count of -1 data records, and a last one that is cut.
    """
    check_file(path, MAX_BYTES, "EDF or BDF file")
    with refuse_damage(path, "cut or not an EDF or BDF file"):
        import edfio

        with path.open("rb") as start:
            is_bdf = start.read(1) == b"\xff"
            start.seek(_RECORD_COUNT)
            stated = int(start.read(8))
        with warnings.catch_warnings(record=True) as caught:  # edfio only warns of a cut file
            warnings.simplefilter("always")
            file = edfio.read_bdf(path) if is_bdf else edfio.read_edf(path)
            signals = file.signals
        present = int(file.num_data_records)
        is_cut = any("Incomplete data record" in str(each.message) for each in caught)
        notes = ["its last data record is cut and left out"] if is_cut else []
        if stated == -1:
            notes.append(f"does not state its length: it has {present} data records")
        elif stated - present != is_cut or not present:
            raise ValueError(f"header indicates {stated} data records, {present} are there")
        if file.reserved.endswith("+D"):
            raise EdgebioError(f"{path}: has gaps (+D); cut it into continuous files first")
        for signal in signals:
            _ = signal.digital.size, signal.digital_range, signal.physical_range
            rate = float(signal.sampling_frequency)
            if not 0 < rate < 1e6:
                raise EdgebioError(f"{path}: {signal.label}: rate {rate:g}; expected Hz above 0")
    return file, tuple(notes)


def _events(path: Path, file: Any) -> list[Event]:
    """Annotations of a file; those of a hypnogram beside it where it has none, as in Sleep-EDF."""
    with refuse_damage(path, "damaged annotations"):
        annotations = [(e.onset, e.duration, str(e.text).strip()) for e in file.annotations]
    events = [Event(onset, duration or 0.0, text) for onset, duration, text in annotations if text]
    if not events and (match := re.fullmatch(r"(.{7}).-PSG", path.stem, re.IGNORECASE)):
        beside = sorted(path.parent.glob(f"{match[1]}*-Hypnogram{path.suffix}"))
        if beside:
            return _events(beside[0], _open(beside[0])[0])
    return events[:_MAX_ANNOTATIONS]
