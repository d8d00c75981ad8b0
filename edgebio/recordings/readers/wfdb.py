"""WFDB records (PhysioNet): header, signal files and annotations, in converter counts.

The package wfdb reads them. Before it opens a signal file, names in the header are confined to the
record's own folder and sizes to what may be read, as anyone can write a header. A symbol in the
annotations labels the samples that are nearer to it than to another one.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
_MAX_FRAME = 10_000
_NO_SEGMENT = "~"
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
    info = _read_header(header)
    if info.seg_name is not None:
        raise EdgebioError(f"{header}: a record of several segments; expected one")
    if any(frames != 1 for frames in info.samps_per_frame):
        raise EdgebioError(f"{header}: channels of several rates; expected one")
    record, missing = _read_segment(header, info, range(info.n_sig))
    if missing.any():
        row, column = np.argwhere(missing)[0].tolist()
        position = _locator(header, record.channels)(row, column)
        raise EdgebioError(f"{position}: missing; a recording has every sample")
    return record


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
    """Read a WFDB record by its header; the label column is the suffix of its annotations.

    Where segments of a record lack a channel, or are not there at all, its samples are lost.
    """
    options.check_supported(path, "a WFDB record", {"columns", "labels"})
    info = _read_header(path)
    if info.seg_name is not None:
        record, missing, lost = _join_segments(path, info, options)
    else:
        columns = select_channels(path, options, info.sig_name)
        record, missing = _read_segment(path, info, columns)
        lost = np.zeros(len(missing), bool)
    digital, absent, notes = _fill(path, options, record, missing, lost)
    metadata, beats = {}, None
    if options.label_column is not None:
        length = len(digital)
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
        digital,
        names=record.channels,
        units=record.units,
        steps=1 / np.array(record.gains),
        zeros=np.array(record.zeros),
        rate=record.rate if info.states_rate else None,
        metadata=metadata,
        beats=beats.astype(np.int64) if beats is not None and len(beats) else None,
        missing=absent,
        notes=notes,
    )


def _fill(
    path: Path,
    options: ImportOptions,
    record: Record,
    missing: npt.NDArray[np.bool_],
    lost: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_] | None, tuple[str, ...]]:
    """Repeat the last value where there is none; return values, samples to leave out, and notes."""
    refused = missing & ~lost[:, None] if options.gaps is None else missing
    if refused.any() and options.gaps in (None, "refuse"):
        row, column = np.argwhere(refused)[0].tolist()
        position = _locator(path, record.channels)(row, column)
        raise EdgebioError(
            f"{position}: missing, as are {int(refused.sum()):,} values in all; --gaps cut leaves "
            "such samples out, --gaps fill repeats the last"
        )
    if not missing.any():
        return record.digital, None, ()
    if missing.all(axis=0).any():
        name = record.channels[int(np.flatnonzero(missing.all(axis=0))[0])]
        raise EdgebioError(f"{path}: {name} has no samples; choose others by --columns")
    rows = np.where(missing, 0, np.arange(len(missing))[:, None])
    np.maximum.accumulate(rows, axis=0, out=rows)
    first = np.argmin(missing, axis=0)  # before it, the first value
    digital = np.take_along_axis(record.digital, np.maximum(rows, first), axis=0)
    if options.gaps == "fill":
        return digital, None, (f"{int(missing.sum()):,} missing values repeat the last one",)
    rows_to_leave: npt.NDArray[np.bool_] = np.asarray(missing.any(axis=1))
    return digital, rows_to_leave, ()


def _locator(header: Path, names: Sequence[str]) -> Locate:
    return lambda row, column: f"{header}: sample {row}, channel {names[column]}"


def _read_header(header: Path) -> Any:
    """Read a header by the package; names that it lacks are numbers from 1."""
    check_file(header, _MAX_HEADER, "WFDB header")
    with refuse_damage(header, "not a WFDB header"):
        import wfdb

        info = wfdb.rdheader(str(header.with_suffix("")))
    info.seg_name = getattr(info, "seg_name", None)
    if info.seg_name is None:
        _check_header(header, info)
        info.sig_name = [name or f"channel {k}" for k, name in enumerate(info.sig_name, 1)]
    info.states_rate = _states_rate(header)
    if not info.fs or not 0 < info.fs < 1e6:
        raise EdgebioError(f"{header}: rate {info.fs}; expected Hz above 0")
    return info


def _states_rate(header: Path) -> bool:
    """Return whether the first line has a rate: ``name channels rate``."""
    lines = (line.split() for line in header.read_text("latin-1").splitlines())
    return any(len(fields) > 2 for fields in itertools.islice(
        (fields for fields in lines if fields and not fields[0].startswith("#")), 1
    ))  # fmt: skip


def _read_segment(
    header: Path, info: Any, columns: Sequence[int]
) -> tuple[Record, npt.NDArray[np.bool_]]:
    """Read channels of one segment, by index, and mark missing values; both (n, len(columns))."""
    frames = sorted({info.samps_per_frame[k] for k in columns}, reverse=True)
    if len(frames) > 1:
        rates = ", ".join(f"{info.fs * count:g}" for count in frames)
        raise EdgebioError(
            f"{header}: channels of several rates ({rates} Hz); choose ones of one by --columns"
        )
    with refuse_damage(header, "signal files cut or damaged"):
        import wfdb

        content = wfdb.rdrecord(
            str(header.with_suffix("")), physical=False, smooth_frames=False, channels=list(columns)
        )
        digital = np.stack([np.asarray(own, np.int64) for own in content.e_d_signal], axis=1)
    if info.sig_len is not None and len(digital) != info.sig_len * frames[0]:
        raise EdgebioError(
            f"{header}: signal files hold {len(digital)} samples; the header states "
            f"{info.sig_len * frames[0]}"
        )

    def of(values: Sequence[Any]) -> list[Any]:
        return [values[k] for k in columns]

    record = Record(
        header=header,
        comments=tuple(info.comments or ()),
        digital=digital,
        rate=float(info.fs) * frames[0],
        channels=tuple(of(info.sig_name)),
        units=tuple(of(info.units)),
        gains=tuple(float(gain) for gain in of(info.adc_gain)),
        zeros=tuple(int(zero or 0) for zero in of(info.baseline)),
    )
    return record, _missing(digital, of(info.fmt))


def _join_segments(
    header: Path, info: Any, options: ImportOptions
) -> tuple[Record, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Join the segments of a record by channel name; marks missing values, and lost samples."""
    lengths = [int(length or 0) for length in info.seg_len]
    segments = [
        (start, length, name)
        for start, length, name in zip(
            np.cumsum([0, *lengths[:-1]]).tolist(), lengths, info.seg_name, strict=True
        )
        if name != _NO_SEGMENT
    ]
    paths = [_beside(header, f"{name}.hea") for _, _, name in segments]
    infos = [_read_header(path) for path in paths]
    if not infos or any(each.seg_name is not None for each in infos):
        raise EdgebioError(f"{header}: expected segments of samples")
    names = infos[0].sig_name  # of the layout, where there is one
    chosen = [names[k] for k in select_channels(header, options, names)]
    total = sum(lengths)
    if total * len(chosen) > MAX_VALUES:
        raise EdgebioError(f"{header}: {total:,} samples; up to {MAX_VALUES:,} values are read")
    digital = np.zeros((total, len(chosen)), np.int64)
    missing, lost = np.ones(digital.shape, bool), np.ones(total, bool)
    scales: dict[str, tuple[str, float, int]] = {}
    record = None
    for (start, length, _), path, own in zip(segments, paths, infos, strict=True):
        columns = [own.sig_name.index(name) for name in chosen if name in own.sig_name]
        if not length or not columns:
            continue
        part, marks = _read_segment(path, own, columns)
        record = record or part
        if len(part.digital) != length or part.rate != float(info.fs):
            raise EdgebioError(
                f"{path}: {len(part.digital):,} samples at {part.rate:g} Hz; {header.name} states "
                f"{length:,} at {info.fs:g} Hz"
            )
        into = [chosen.index(name) for name in part.channels]
        digital[start : start + length, into] = part.digital
        missing[start : start + length, into] = marks
        lost[start : start + length] = len(into) < len(chosen)
        for name, scale in zip(
            part.channels, zip(part.units, part.gains, part.zeros, strict=True), strict=True
        ):
            if scales.setdefault(name, scale) != scale:
                raise EdgebioError(f"{path}: {name} has another gain than in segments before it")
    if record is None or len(scales) < len(chosen):
        absent = next(name for name in chosen if name not in scales)
        raise EdgebioError(f"{header}: {absent} has no samples; choose others by --columns")
    units, gains, zeros = zip(*(scales[name] for name in chosen), strict=True)
    joined = replace(
        record, header=header, digital=digital, channels=tuple(chosen), units=units, gains=gains,
        zeros=zeros,
    )  # fmt: skip
    return joined, missing, lost


def _beside(header: Path, name: str) -> Path:
    """File of a name in the folder of the header, and nowhere else."""
    if Path(name).name != name or name in (".", "..") or "\\" in name:
        raise EdgebioError(f"{header}: {name!r} is not a name in the same folder")
    if not header.with_name(name).is_file():
        raise EdgebioError(f"{header.with_name(name)}: missing; {header.name} names it")
    return header.with_name(name)


def _check_header(header: Path, info: Any) -> None:
    """Refuse what would make the package read elsewhere, or allocate too much."""
    count, length = info.n_sig, info.sig_len
    if not count or count < 0 or (length is not None and length < 0):
        raise EdgebioError(f"{header}: states {length} samples of {count} channels")
    if count * (length or 0) > MAX_VALUES:
        raise EdgebioError(
            f"{header}: states {length:,} samples of {count} channels; up to {MAX_VALUES:,} values "
            "are read"
        )
    for field in ("file_name", "fmt", "adc_gain", "baseline", "units"):
        values = getattr(info, field, None)
        if values is None or len(values) != count or any(value is None for value in values):
            raise EdgebioError(f"{header}: does not state {field} of all {count} channels")
    if not all(np.isfinite(gain) and gain for gain in info.adc_gain):
        raise EdgebioError(f"{header}: a gain of 0; expected counts per unit")
    info.samps_per_frame = info.samps_per_frame or [1] * count
    if not all(1 <= (frames or 0) <= _MAX_FRAME for frames in info.samps_per_frame):
        raise EdgebioError(f"{header}: over {_MAX_FRAME} samples in a frame")
    if length == 0 and set(info.file_name) == {_NO_SEGMENT}:
        return  # the layout of a record of several segments
    if length == 0:
        raise EdgebioError(f"{header}: states 0 samples of {count} channels")
    sizes = 0
    for name in dict.fromkeys(info.file_name):
        signal = _beside(header, name)
        check_file(signal, 8 * MAX_VALUES, "signal file")
        sizes += signal.stat().st_size
    if sizes > 8 * MAX_VALUES:
        raise EdgebioError(f"{header}: signal files of {sizes:,} bytes; up to {8 * MAX_VALUES:,}")
    if length is None and sizes > MAX_VALUES:
        raise EdgebioError(f"{header}: states no length; up to {MAX_VALUES:,} bytes are read so")


def _missing(values: npt.NDArray[Any], formats: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Mark missing samples, which have the lowest code of a format."""
    lowest = [-(1 << _BITS[f] - 1) if f in _BITS else np.iinfo(np.int64).min for f in formats]
    marks: npt.NDArray[np.bool_] = values == np.array(lowest, np.int64)
    return marks
