"""Tables of EDF, EDF+, BDF and WFDB: counts of the converter, and annotations as labels.

Channels of one gain are taken as the converter gave them. Where gains differ, or 24 bits do not fit
16, a step (``--lsb``) brings them to counts of one size.

An annotation of EDF+ or BDF+ labels the samples from its onset for its duration; one without a
duration holds until the next. A symbol of a WFDB record labels the samples that are nearer to it
than to another one.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings import wfdb
from edgebio.recordings.layout import Layout, check_held
from edgebio.recordings.table import Table, Words

MOST_BYTES = 512 << 20
"""Largest EDF or BDF file that is read."""

_MOST_EVENTS = 1_000_000
_BITS = (np.iinfo(np.int16).min, np.iinfo(np.int16).max)


def edf_table(path: Path, layout: Layout) -> Table:
    """Read an EDF or BDF file.

    Raises
    ------
    EdgebioError
        Where it is missing, cut, damaged, too large, not continuous, its channels are of several
        rates or steps, or `layout` names what such files do not hold.
    """
    check_held(path, layout, "an EDF or BDF file", {"columns"})
    file = _edf(path)
    every = [signal.label or f"signal {k}" for k, signal in enumerate(file.signals, 1)]
    columns = _chosen(path, layout, every)
    signals = [file.signals[k] for k in columns]
    names = [every[k] for k in columns]
    rates = {float(signal.sampling_frequency) for signal in signals}
    if len(rates) > 1:
        told = ", ".join(f"{rate:g}" for rate in sorted(rates))
        raise EdgebioError(
            f"{path}: channels of several rates ({told} Hz); choose ones of one rate by --columns"
        )
    digital = np.stack([np.asarray(signal.digital, np.int64) for signal in signals], axis=1)
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
    units = [signal.physical_dimension for signal in signals]
    values, unit = _scaled(path, names, digital, steps, np.rint(zeros).astype(np.int64), units,
                           layout)  # fmt: skip
    rate = rates.pop()
    return Table(
        path=path,
        values=values,
        at=lambda row, column: f"{path}: sample {row}, channel {names[column]}",
        words={} if layout.label is not None else _events(path, file, len(values), rate),
        rate=rate,
        units=unit,
    )


def wfdb_table(path: Path, layout: Layout) -> Table:
    """Read a WFDB record by its header; ``labels`` of a mapping names its annotations.

    Raises
    ------
    EdgebioError
        Where a file is missing, cut or damaged, channels are of several steps, or `layout` names
        what records do not hold.
    """
    from edgebio.datasets.ecg_mitbih import BEATS, beat_labels

    check_held(path, layout, "a WFDB record", {"columns", "labels"})
    record = wfdb.converted(path)
    columns = _chosen(path, layout, record.channels)
    names = [record.channels[k] for k in columns]
    values, unit = _scaled(
        path,
        names,
        record.values[:, columns],
        1 / np.array([record.gains[k] for k in columns]),
        np.array([record.zeros[k] for k in columns], np.int64),
        [record.units[k] for k in columns],
        layout,
    )
    told, beats = {}, None
    if layout.label_column is not None:
        places, symbols = wfdb.annotations(path.with_suffix(f".{layout.label_column}"), len(values))
        names_of = {symbol: symbol for symbol in symbols} | dict(layout.classes or {})
        kept = [k for k, symbol in enumerate(symbols) if names_of[symbol]]
        found = tuple(sorted({symbols[k] for k in kept}))
        codes = np.array([found.index(symbols[k]) for k in kept], np.int16)
        told["labels"] = Words(
            beat_labels(places[kept], codes, len(values)).astype(np.int64), found
        )  # fmt: skip
        beats = np.unique([places[k] for k in kept if symbols[k] in BEATS]).astype(np.int64)
    return Table(
        path=path,
        values=values,
        at=lambda row, column: f"{path}: sample {row}, channel {names[column]}",
        words=told,
        rate=record.rate,
        units=unit,
        beats=beats if beats is not None and len(beats) else None,
    )


def _scaled(
    path: Path, names: Sequence[str], digital: npt.NDArray[np.int64], steps: npt.NDArray[Any],
    zeros: npt.NDArray[np.int64], units: Sequence[str], layout: Layout,
) -> tuple[npt.NDArray[Any], str]:  # fmt: skip
    """Counts and what one is; or physical values, where a step is told that makes counts of them.

    Parameters
    ----------
    digital
        What the converter gave, shape (n, channels).
    steps, zeros
        Physical units of one count of each channel, and the count that is 0 of them.
    units
        Physical unit of each channel.
    """
    if len(set(units)) > 1:
        raise EdgebioError(
            f"{path}: channels of several units ({', '.join(dict.fromkeys(units))}); choose ones "
            "of one unit by --columns"
        )
    counts = digital - zeros
    if layout.lsb is not None:
        return counts * steps, units[0]
    size = np.abs(steps)
    if (size > size.min() * (1 + 1e-6)).any():
        raise EdgebioError(
            f"{path}: a count is {size.min():.4g} {units[0]} of one channel and {size.max():.4g} "
            "of another; say one step for all: --lsb X"
        )
    counts = counts * np.sign(steps).astype(np.int64)
    if counts.size and not _BITS[0] <= counts.min() <= counts.max() <= _BITS[1]:
        least = float(np.abs(counts).max() * size[0] / _BITS[1])
        raise EdgebioError(
            f"{path}: counts from {counts.min():,} to {counts.max():,}, and 16 bits are kept; say "
            f"a step of {least:.4g} {units[0]} or more: --lsb X"
        )
    return counts, f"{size[0]:.6g} {units[0]}".strip()


def _chosen(path: Path, layout: Layout, names: Sequence[str]) -> list[int]:
    """Channels that the layout asks for, by name or by number from 1; all if it names none."""
    if not names:
        raise EdgebioError(f"{path}: no signal")
    chosen = []
    for name in layout.columns:
        if name in names:
            chosen.append(list(names).index(name))
        elif name.isascii() and name.isdecimal() and 1 <= int(name[:6]) <= len(names):
            chosen.append(int(name) - 1)
        else:
            raise EdgebioError(f"{path}: no channel {name!r}; it has {', '.join(names)}")
    return chosen or list(range(len(names)))


def _edf(path: Path) -> Any:
    """Open an EDF or BDF file."""
    try:
        import edfio
    except ImportError:
        raise MissingToolError(f"{path.name} needs: pip install 'edgebio[data]'") from None
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise EdgebioError(f"{path}: {size:,} bytes; up to {MOST_BYTES:,} are read")
        with path.open("rb") as start:
            wide = start.read(1) == b"\xff"
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # so it tells what is cut
            file = edfio.read_bdf(path) if wide else edfio.read_edf(path)
            signals = file.signals
            if file.reserved.endswith("+D"):
                raise EdgebioError(f"{path}: has gaps (+D); cut it into continuous files first")
            for signal in signals:
                _ = signal.digital.size, signal.digital_range, signal.physical_range
                rate = float(signal.sampling_frequency)
                if not 0 < rate < 1e6:
                    raise EdgebioError(f"{path}: {signal.label}: {rate:g} Hz; a rate is above 0")
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    except (EdgebioError, MemoryError):
        raise
    except Exception as error:  # the parser raises whatever a damaged file leads it to
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise EdgebioError(f"{path}: cut or not an EDF or BDF file ({reason})") from None
    return file


def _events(path: Path, file: Any, count: int, rate: float) -> dict[str, Words]:
    """Annotations as a word a sample; none where there are none."""
    try:
        events = file.annotations
        told = [(e.onset, e.duration, str(e.text).strip()) for e in events[:_MOST_EVENTS]]
    except MemoryError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise EdgebioError(f"{path}: damaged annotations ({reason})") from None
    told = [event for event in told if event[2]]
    if not told:
        return {}
    if not np.isfinite([number or 0.0 for event in told for number in event[:2]]).all():
        raise EdgebioError(f"{path}: an annotation's time is not finite")
    names = tuple(sorted({name for _, _, name in told}))
    place = {name: index for index, name in enumerate(names)}
    codes = np.full(count, -1, np.int64)
    nexts = [*(onset for onset, _, _ in told[1:]), count / rate]
    for (onset, duration, name), following in zip(told, nexts, strict=True):
        end = onset + duration if duration else following
        first, last = (min(max(round(t * rate), 0), count) for t in (onset, end))
        codes[first:last] = place[name]
    return {"labels": Words(codes, names)}
