"""WFDB records (PhysioNet): header, signal files and annotations, in converter counts.

The package wfdb reads them. Before it opens a signal file, names in the header are confined to the
record's own folder and sizes to what may be read, as anyone can write a header. A symbol in the
annotations labels the samples that are nearer to it than to another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import Locate, to_counts
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.preprocessing.beats import AAMI_CLASSES, label_around_beats
from edgebio.recordings.readers.channel_scale import select_channels, table_of_channels
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.table import Categories, Table
from edgebio.suggest import nearest

MAX_VALUES = 1 << 28
"""Samples times channels of the largest record that is read into memory."""

_MAX_HEADER = 1 << 20
_BITS = {"80": 8, "508": 8, "310": 10, "311": 10, "212": 12, "16": 16, "61": 16, "160": 16,
         "516": 16, "24": 24, "524": 24, "32": 32}  # fmt: skip
"""Bits of a sample by format (https://wfdb.io/spec/signal-files.html). Format 8, of differences,
has no code for a missing sample."""


@dataclass(frozen=True, eq=False)
class Record:
    """A record of one segment.

    Attributes
    ----------
    header, comments
        Its ``.hea`` file, and the comment lines in it.
    digital
        int64, shape (n, channels): values of the converter.
    rate
        In Hz.
    channels, units, gains, zeros
        Of each channel: name, physical unit, counts per unit, and the count of physical 0.
    """

    header: Path
    comments: tuple[str, ...]
    digital: npt.NDArray[np.int64]
    rate: float
    channels: tuple[str, ...]
    units: tuple[str, ...]
    gains: tuple[float, ...]
    zeros: tuple[int, ...]

    def counts(self) -> npt.NDArray[np.int16]:
        """int16, shape (n, channels): values of the converter above its zero."""
        return to_counts(self.digital - np.array(self.zeros), _locator(self.header, self.channels))

    def counts_of_step(self, channels: Sequence[str], step: float) -> npt.NDArray[np.int16]:
        """int16, shape (n, len(channels)): counts of `step` physical units, of channels by name."""
        for name in channels:
            if name not in self.channels:
                present = f"{', '.join(self.channels)}{nearest(name, self.channels)}"
                raise EdgebioError(f"{self.header}: no channel {name}; it has {present}")
        columns = [self.channels.index(name) for name in channels]
        gains, zeros = np.array(self.gains)[columns], np.array(self.zeros)[columns]
        counts = np.rint((self.digital[:, columns] - zeros) / gains / step)
        return to_counts(counts, _locator(self.header, channels))

    def check(self, channels: int, rate: float, gain: float) -> None:
        """Refuse a record of other channels, rate or gain (counts per mV) than a database has."""
        if (len(self.channels), self.rate) != (channels, rate):
            raise EdgebioError(
                f"{self.header}: {len(self.channels)} channels at {self.rate:g} Hz; expected "
                f"{channels} at {rate:g}"
            )
        if set(self.gains) != {gain} or set(self.units) != {"mV"}:
            raise EdgebioError(
                f"{self.header}: gains {', '.join(f'{g:g}' for g in self.gains)} per "
                f"{', '.join(self.units)}; expected {gain:g} per mV"
            )


def read_record(header: Path) -> Record:
    """Read a record of one segment and rate; the signal files are in the folder of its header."""
    check_file(header, _MAX_HEADER, "WFDB header")
    name = str(header.with_suffix(""))
    with refuse_damage(header, "not a WFDB header"):
        import wfdb

        info = wfdb.rdheader(name)
    _check_header(header, info)
    with refuse_damage(header, "signal files cut or damaged"):
        digital = np.asarray(wfdb.rdrecord(name, physical=False).d_signal)
    if digital.shape != (info.sig_len, info.n_sig):
        raise EdgebioError(
            f"{header}: signal files hold {digital.shape[0]} samples of {digital.shape[-1]} "
            f"channels; the header states {info.sig_len} of {info.n_sig}"
        )
    missing = _missing(digital, info.fmt)
    if missing.any():
        row, column = np.argwhere(missing)[0].tolist()
        position = _locator(header, info.sig_name)(row, column)
        raise EdgebioError(f"{position}: missing; a recording has every sample")
    return Record(
        header=header,
        comments=tuple(info.comments or ()),
        digital=digital.astype(np.int64),
        rate=float(info.fs),
        channels=tuple(info.sig_name),
        units=tuple(info.units),
        gains=tuple(float(gain) for gain in info.adc_gain),
        zeros=tuple(int(zero or 0) for zero in info.baseline),
    )


def read_annotations(path: Path, samples: int) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Read annotations, such as ``106.atr``, of a record of so many samples.

    Returns
    -------
    positions : ndarray
        int64, shape (n,): samples, not decreasing.
    symbols : tuple of str
        The code of each, as PhysioNet lists them.
    """
    check_file(path, MAX_VALUES // 8, "file of annotations")
    with refuse_damage(path, "cut or not annotations"):
        import wfdb

        annotations = wfdb.rdann(str(path.with_suffix("")), path.suffix[1:])
        positions = np.asarray(annotations.sample, np.int64)
        symbols = tuple(annotations.symbol)
    if len(positions) and (
        positions[0] < 0 or positions[-1] >= samples or (np.diff(positions) < 0).any()
    ):
        raise EdgebioError(f"{path}: damaged: positions do not increase within {samples:,} samples")
    return positions, symbols


def read_wfdb_table(path: Path, options: ImportOptions) -> Table:
    """Read a WFDB record by its header; the label column is the suffix of its annotations."""
    options.check_supported(path, "a WFDB record", {"columns", "labels"})
    record = read_record(path)
    columns = select_channels(path, options, record.channels)
    metadata, beats = {}, None
    if options.label_column is not None:
        length = len(record.digital)
        positions, symbols = read_annotations(path.with_suffix(f".{options.label_column}"), length)
        classes = options.classes or {}
        used = [k for k, symbol in enumerate(symbols) if classes.get(symbol, symbol)]
        names = tuple(sorted({symbols[k] for k in used}))
        codes = np.array([names.index(symbols[k]) for k in used], np.int16)
        labels = label_around_beats(positions[used], codes, length)
        metadata["labels"] = Categories(labels.astype(np.int64), names)
        beats = np.unique([positions[k] for k in used if symbols[k] in AAMI_CLASSES])
    return table_of_channels(
        path,
        options,
        record.digital[:, columns],
        names=[record.channels[k] for k in columns],
        units=[record.units[k] for k in columns],
        steps=1 / np.array(record.gains)[columns],
        zeros=np.array(record.zeros)[columns],
        rate=record.rate,
        metadata=metadata,
        beats=beats.astype(np.int64) if beats is not None and len(beats) else None,
    )


def _locator(header: Path, names: Sequence[str]) -> Locate:
    return lambda row, column: f"{header}: sample {row}, channel {names[column]}"


def _check_header(header: Path, info: Any) -> None:
    """Refuse what would make the package read elsewhere, or allocate too much."""
    if getattr(info, "seg_name", None) is not None:
        raise EdgebioError(f"{header}: a record of several segments; give the segments one by one")
    count, length = info.n_sig, info.sig_len
    if not count or not length or count < 0 or length < 0:
        raise EdgebioError(f"{header}: states {length} samples of {count} channels")
    if count * length > MAX_VALUES:
        raise EdgebioError(
            f"{header}: states {length:,} samples of {count} channels; up to {MAX_VALUES:,} values "
            "are read"
        )
    for field in ("file_name", "fmt", "adc_gain", "baseline", "units", "sig_name"):
        values = getattr(info, field, None)
        if values is None or len(values) != count or any(value is None for value in values):
            raise EdgebioError(f"{header}: does not state {field} of all {count} channels")
    if not info.fs or not 0 < info.fs < 1e6:
        raise EdgebioError(f"{header}: rate {info.fs}; expected Hz above 0")
    if not all(np.isfinite(gain) and gain for gain in info.adc_gain):
        raise EdgebioError(f"{header}: a gain of 0; expected counts per unit")
    if any(frames != 1 for frames in info.samps_per_frame or [1]):
        raise EdgebioError(f"{header}: channels of several rates; expected one")
    for name in dict.fromkeys(info.file_name):
        if Path(name).name != name or name in (".", "..") or "\\" in name:
            raise EdgebioError(f"{header}: signal file {name!r} is not a name in the same folder")
        signal = header.with_name(name)
        if not signal.is_file():
            raise EdgebioError(f"{signal}: missing; {header.name} names it")
        check_file(signal, 8 * MAX_VALUES, "signal file")


def _missing(values: npt.NDArray[Any], formats: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Mark missing samples, which have the lowest code of a format."""
    lowest = [-(1 << _BITS[f] - 1) if f in _BITS else np.iinfo(np.int64).min for f in formats]
    marks: npt.NDArray[np.bool_] = values == np.array(lowest, np.int64)
    return marks
