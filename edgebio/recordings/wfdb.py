"""WFDB records (PhysioNet): header, signal files and annotations, in converter counts.

Read by the package wfdb. Before it opens anything, names in the header are held to the record's own
folder and sizes to what is taken into memory: a header is text that anybody can have written.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings import text

MOST_VALUES = 1 << 28
"""Largest record, samples times channels, that is taken into memory."""

_MOST_HEADER = 1 << 20
_BITS = {"80": 8, "508": 8, "310": 10, "311": 10, "212": 12, "16": 16, "61": 16, "160": 16,
         "516": 16, "24": 24, "524": 24, "32": 32}  # fmt: skip
"""Bits of a sample by format, as https://wfdb.io/spec/signal-files.html has them; format 8, of
differences, has no code that says "no sample"."""


@dataclass(frozen=True, eq=False)
class Record:
    """A record as its converter gave it.

    Attributes
    ----------
    samples
        int16, shape (n, channels): counts, the converter's zero taken away.
    rate
        In Hz.
    channels
        Names.
    gains
        Counts per physical unit of each channel.
    units
        Physical unit of each channel.
    comments
        Lines of the header that are for people.
    """

    samples: npt.NDArray[np.int16]
    rate: float
    channels: tuple[str, ...]
    gains: tuple[float, ...]
    units: tuple[str, ...]
    comments: tuple[str, ...]


def read(header: Path) -> Record:
    """Read a record of one segment.

    Parameters
    ----------
    header
        Its ``.hea`` file; the signal files lie beside it.

    Raises
    ------
    EdgebioError
        Where a file is missing, cut, damaged, too large, of several segments or rates, or holds
        missing samples.
    """
    values, about = _digital(header)
    zeros = np.array([zero or 0 for zero in about.adc_zero], np.int64)
    return Record(
        samples=text.to_counts(values - zeros, _places(header, about.sig_name)),
        rate=float(about.fs),
        channels=tuple(about.sig_name),
        gains=tuple(float(gain) for gain in about.adc_gain),
        units=tuple(about.units),
        comments=tuple(about.comments or ()),
    )


def scaled(header: Path, channels: Sequence[str], step: float) -> Record:
    """Read channels in counts of one size, from a record whose gains differ.

    Parameters
    ----------
    header
        Its ``.hea`` file.
    channels
        Names of the channels wanted, in order.
    step
        Physical units of one count.

    Returns
    -------
    Record
        Its ``gains`` are ``1 / step``.

    Raises
    ------
    EdgebioError
        Where `read` raises, a channel is missing, or a value is beyond 16 bits of `step`.
    """
    held = converted(header)
    for name in channels:
        if name not in held.channels:
            raise EdgebioError(f"{header}: no channel {name}; it has {', '.join(held.channels)}")
    columns = [held.channels.index(name) for name in channels]
    gains = np.array([held.gains[k] for k in columns])
    zeros = np.array([held.zeros[k] for k in columns])
    counts = np.rint((held.values[:, columns] - zeros) / gains / step)
    return Record(
        samples=text.to_counts(counts, _places(header, channels)),
        rate=held.rate,
        channels=tuple(channels),
        gains=(1 / step,) * len(columns),
        units=tuple(held.units[k] for k in columns),
        comments=(),
    )


@dataclass(frozen=True, eq=False)
class Converted:
    """A record before its counts are of 16 bits.

    Attributes
    ----------
    values
        int64, shape (n, channels): what the converter gave.
    rate
        In Hz.
    channels, units
        Names and physical units.
    gains, zeros
        Counts per unit, and the count that is 0 of them.
    """

    values: npt.NDArray[np.int64]
    rate: float
    channels: tuple[str, ...]
    units: tuple[str, ...]
    gains: tuple[float, ...]
    zeros: tuple[int, ...]


def converted(header: Path) -> Converted:
    """Read a record of one segment as the converter gave it; raises as `read` does."""
    values, about = _digital(header)
    return Converted(
        values=values,
        rate=float(about.fs),
        channels=tuple(about.sig_name),
        units=tuple(about.units),
        gains=tuple(float(gain) for gain in about.adc_gain),
        zeros=tuple(int(zero or 0) for zero in about.baseline),
    )


def annotations(path: Path, samples: int) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Read annotations.

    Parameters
    ----------
    path
        The file, such as ``106.atr``.
    samples
        Of the record; places past it are refused.

    Returns
    -------
    places : ndarray
        int64, shape (n,): samples, rising.
    symbols : tuple of str
        The code of each, as PhysioNet lists them.
    """
    wfdb = _package()
    try:
        if path.stat().st_size > MOST_VALUES // 8:
            raise EdgebioError(f"{path}: {path.stat().st_size:,} bytes; not annotations")
        found = wfdb.rdann(str(path.with_suffix("")), path.suffix[1:])
        places, symbols = np.asarray(found.sample, np.int64), tuple(found.symbol)
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    except EdgebioError:
        raise
    except Exception as error:
        raise EdgebioError(f"{path}: cut or not annotations ({_reason(error)})") from None
    if len(places) and (places[0] < 0 or places[-1] >= samples or (np.diff(places) < 0).any()):
        raise EdgebioError(f"{path}: damaged: places do not rise within the {samples:,} samples")
    return places, symbols


def _digital(header: Path) -> tuple[npt.NDArray[np.int64], Any]:
    """Read what the converter gave, shape (n, channels), and what the header says of it."""
    wfdb = _package()
    name = str(header.with_suffix(""))
    try:
        if header.stat().st_size > _MOST_HEADER:
            raise EdgebioError(f"{header}: {header.stat().st_size:,} bytes; not a WFDB header")
        about = wfdb.rdheader(name)
    except FileNotFoundError:
        raise EdgebioError(f"{header}: no such file") from None
    except EdgebioError:
        raise
    except Exception as error:  # the parser raises whatever a damaged header leads it to
        raise EdgebioError(f"{header}: not a WFDB header ({_reason(error)})") from None
    _check(header, about)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is damaged is said by the errors
            record = wfdb.rdrecord(name, physical=False)
        values = np.asarray(record.d_signal)
    except MemoryError:
        raise
    except Exception as error:
        raise EdgebioError(f"{header}: signal files cut or damaged ({_reason(error)})") from None
    if values.shape != (about.sig_len, about.n_sig):
        raise EdgebioError(
            f"{header}: signal files hold {values.shape[0]} samples of {values.shape[-1]} "
            f"channels; the header says {about.sig_len} of {about.n_sig}"
        )
    missing = _missing(values, about.fmt)
    if missing.any():
        row, column = np.argwhere(missing)[0].tolist()
        place = _places(header, about.sig_name)(row, column)
        raise EdgebioError(f"{place}: missing; a recording has every sample")
    return values.astype(np.int64), about


def _places(header: Path, names: Sequence[str]) -> text.Place:
    """Name places of a record."""
    return lambda row, column: f"{header}: sample {row}, channel {names[column]}"


def _check(header: Path, about: Any) -> None:
    """Refuse what would make the package read elsewhere, or take too much."""
    if getattr(about, "seg_name", None) is not None:
        raise EdgebioError(f"{header}: a record of several segments; give the segments one by one")
    count, length = about.n_sig, about.sig_len
    if not count or not length or count < 0 or length < 0:
        raise EdgebioError(f"{header}: says {length} samples of {count} channels")
    if count * length > MOST_VALUES:
        raise EdgebioError(
            f"{header}: says {length:,} samples of {count} channels; up to {MOST_VALUES:,} values "
            "are read"
        )
    for field in ("file_name", "fmt", "adc_gain", "baseline", "units", "sig_name"):
        values = getattr(about, field, None)
        if values is None or len(values) != count or any(value is None for value in values):
            raise EdgebioError(f"{header}: does not tell {field} of all {count} channels")
    if not about.fs or not 0 < about.fs < 1e6:
        raise EdgebioError(f"{header}: rate {about.fs} Hz; a rate is above 0")
    if not all(np.isfinite(gain) and gain for gain in about.adc_gain):
        raise EdgebioError(f"{header}: a gain of 0; expected counts per unit")
    if any(frames != 1 for frames in about.samps_per_frame or [1]):
        raise EdgebioError(f"{header}: channels of several rates; expected one")
    for name in dict.fromkeys(about.file_name):
        if Path(name).name != name or name in (".", "..") or "\\" in name:
            raise EdgebioError(f"{header}: signal file {name!r} is not a name in the same folder")
        place = header.with_name(name)
        if not place.is_file():
            raise EdgebioError(f"{place}: missing; {header.name} names it")
        if place.stat().st_size > 8 * MOST_VALUES:
            raise EdgebioError(f"{place}: {place.stat().st_size:,} bytes; too large")


def _missing(values: npt.NDArray[Any], formats: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Mark the code that says "no sample", the lowest of a format; format 8 has none."""
    lowest = [-(1 << _BITS[f] - 1) if f in _BITS else np.iinfo(np.int64).min for f in formats]
    marked: npt.NDArray[np.bool_] = values == np.array(lowest, np.int64)
    return marked


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def _package() -> Any:
    try:
        import wfdb
    except ImportError:
        raise MissingToolError("WFDB records need: pip install 'edgebio[data]'") from None
    return wfdb
