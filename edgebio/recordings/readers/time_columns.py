"""Columns that count or time the samples: recognized, checked, and searched for lost samples."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError

_TIME_NAME = re.compile(
    r"(x|t|time.*|.*timestamp.*|.*[_ ]time|.*time series.*|zeit.*|secs?|seconds?|ms|elapsed.*|"
    r"sample interval)"
    r"(\s*[\[(].*[\])])?(\.\d+)?",
    re.IGNORECASE,
)
_COUNTER_NAME = re.compile(
    r"(index|idx|n|no\.?|nr\.?|#|samples?[ _-]?(#|index|id|number|no|num|count(er)?)?|"
    r"(sub ?)?frames?|counter|count|packet.*|seq\w*|nseq|unnamed.*)",
    re.IGNORECASE,
)
_MIN_UNNAMED = 20
"""Lines that an unnamed column must count without an exception."""
_UNITS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_UNIX = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (0.0, 1.0))  # since 1970, by magnitude
_TOLERANCE = 0.02  # of a rate
_TOLERANCE_UNEVEN = 0.2  # of the mean rate of uneven times
_RESTART = 10.0  # steps by which times go back where they begin again
_SECONDS = (1.0, 1e-3, 1e-6, 1e-9)  # of a unit
_SLOWEST = 10.0  # Hz of a signal whose times have no unit
_COARSEST = 0.02  # of a recording: a rate of larger steps between its times would be a guess


@dataclass(frozen=True)
class TimeColumn:
    """A column that counts the samples (``"counter"``) or gives their time (``"time"``).

    An ``"index"`` is named as a counter, but does not count every sample: frames, for example.
    """

    index: int
    kind: Literal["counter", "time", "index"]
    seconds: float = 1.0  # unit of a time
    is_text: bool = False  # time stamps, parsed to seconds


@dataclass(frozen=True, eq=False)
class Timing:
    """What time columns say of the samples.

    Attributes
    ----------
    rate
        In Hz; None where only a counter is there, or times are too coarse.
    is_regular
        Whether the times have even steps; otherwise the rate is that of the whole recording.
    gaps, lost
        First sample after each gap, and the samples that are missing there, int64.
    restarts
        Samples at which times begin again, as those of another recording do, int64.
    """

    rate: float | None
    is_regular: bool
    gaps: npt.NDArray[np.int64]
    lost: npt.NDArray[np.int64]
    restarts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def find_time_columns(
    names: Sequence[str], units: Sequence[str], values: npt.NDArray[np.float64]
) -> list[TimeColumn]:
    """Find the columns that count or time the samples, by name and by the first lines.

    Parameters
    ----------
    names, units
        Of the columns; may be empty.
    values
        First samples, shape (n, columns), NaN where there is no number.
    """
    columns = []
    for index in range(values.shape[1]):
        name = names[index] if names else None
        unit = units[index].strip().lower() if units else ""
        own = values[:, index]
        own = own[np.isfinite(own)]
        steps = np.diff(own)
        named_time = name is not None and _TIME_NAME.fullmatch(name) is not None
        named_counter = name is not None and (not name or bool(_COUNTER_NAME.fullmatch(name)))
        whole = bool((own == np.rint(own)).all())
        if len(steps) and named_counter and whole and _counts(steps, 0.5):
            columns.append(TimeColumn(index, "counter"))
        elif len(steps) and name and named_counter and whole and (np.abs(steps) <= own.max()).all():
            columns.append(TimeColumn(index, "index"))
        elif len(steps) and named_time and _go_forward(steps) and own.max() > own.min():
            if whole and not unit and own[0] < 1e9 and (steps == 1).all():
                columns.append(TimeColumn(index, "counter"))
            else:
                columns.append(TimeColumn(index, "time", _seconds(name or "", unit, own, steps)))
        elif len(steps) >= _MIN_UNNAMED and (name is None or index == 0):
            if whole and _counts(steps) and np.median(steps) == 1:
                columns.append(TimeColumn(index, "counter"))
            elif name is not None:
                continue
            elif (steps > 0).all() and _is_even(steps):
                columns.append(TimeColumn(index, "time", _seconds("", "", own, steps)))
    return columns if names or len(columns) < values.shape[1] else []


def measure_timing(
    path: Path, columns: Sequence[TimeColumn], values: Sequence[npt.NDArray[np.float64]]
) -> Timing:
    """Rate and gaps by the time columns; `values` are those of each, shape (n,).

    Raises
    ------
    EdgebioError
        If a time goes backwards.
    """
    rate, is_regular = None, False
    gaps: dict[int, int] = {}
    restarts: set[int] = set()
    for column, own in zip(columns, values, strict=True):
        if column.kind == "index" or len(own) < 3 or not np.isfinite(own).all():
            continue
        steps = np.diff(own)
        if column.kind == "counter":
            lost = _missing_counts(own, steps)
        else:
            typical = float(np.median(steps))
            back = steps < 0
            if (bad := back & ~(steps < -_RESTART * typical)).any() or (back.any() and not typical):
                row = int(np.flatnonzero(bad)[0]) if bad.any() else int(np.flatnonzero(back)[0])
                raise EdgebioError(
                    f"{path}: sample {row + 1}: its time is before that of the sample before it; "
                    "cut the file there, or leave the column of times out: --columns"
                )
            restarts.update((np.flatnonzero(back) + 1).tolist())
            steps = np.where(back, typical, steps)
            even = typical > 0 and float(np.mean(np.abs(steps - typical) < typical / 4)) > 0.98
            lost = np.zeros(len(steps), np.int64)
            if even:
                large = steps > 1.5 * typical
                typical = float(steps[~large].mean())
                lost[large] = np.rint(steps[large] / typical).astype(np.int64) - 1
            if rate is None or (even and not is_regular):
                span = float(steps.sum())
                mean = typical if even else span / len(steps)
                if not even and steps.max() > _COARSEST * span:
                    continue
                rate = _plain_rate(1 / (mean * column.seconds), span, steps) if mean > 0 else None
                is_regular = even
        for row in np.flatnonzero(lost > 0).tolist():
            gaps[row + 1] = max(gaps.get(row + 1, 0), int(lost[row]))
    rows = sorted(gaps)
    return Timing(
        rate,
        is_regular,
        np.array(rows, np.int64),
        np.array([gaps[row] for row in rows], np.int64),
        np.array(sorted(restarts), np.int64),
    )


def are_alike(rate: float, other: float) -> bool:
    """Return whether two rates are the same but for the accuracy of clocks."""
    return abs(rate / other - 1) <= _TOLERANCE


def check_rate(path: Path, given: float, timing: Timing) -> None:
    """Refuse a rate that the times contradict."""
    tolerance = _TOLERANCE if timing.is_regular else _TOLERANCE_UNEVEN
    if timing.rate is not None and abs(given / timing.rate - 1) > tolerance:
        raise EdgebioError(
            f"{path}: its times are those of {timing.rate:g} Hz, not {given:g} Hz; leave --rate out"
        )


def _counts(steps: npt.NDArray[np.float64], share: float = 0.9) -> bool:
    """Whether a counter makes these steps: most are alike, with wraps and gaps between them."""
    typical = float(np.median(steps))
    return typical > 0 and float(np.mean(steps == typical)) > share


def _go_forward(steps: npt.NDArray[np.float64]) -> bool:
    return bool(np.mean(steps >= 0) > 0.9)


def _is_even(steps: npt.NDArray[np.float64]) -> bool:
    typical = float(np.median(steps))
    return bool(np.mean(np.abs(steps - typical) < typical / 4) > 0.9)


def _missing_counts(
    own: npt.NDArray[np.float64], steps: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Samples that are missing before each but the first, where a counter may wrap to its least."""
    typical = float(np.median(steps))
    span = float(own.max() - own.min()) + typical
    wrapped = np.where(steps < 0, steps + span, steps)
    return np.where(wrapped > typical, np.rint(wrapped / typical) - 1, 0).astype(np.int64)


def _seconds(
    name: str, unit: str, own: npt.NDArray[np.float64], steps: npt.NDArray[np.float64]
) -> float:
    """Seconds of one unit of a time."""
    if unit in _UNITS:
        return _UNITS[unit]
    for suffix, seconds in (("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
        if re.search(rf"(^|[_ ]){suffix}$", name.lower()):
            return seconds
    step = float(np.median(steps))
    largest = 1.0 if step < 1 else 1e-3  # a signal has no whole seconds between samples
    if own[0] > _UNIX[-2][0] / 100:
        largest = next(seconds for least, seconds in _UNIX if own[0] >= least)
    units = [unit for unit in _SECONDS if unit <= largest]
    return next((unit for unit in units if step * unit * _SLOWEST <= 1), largest)


def _plain_rate(rate: float, span: float, steps: npt.NDArray[np.float64]) -> float:
    """Round a measured rate to the whole number that the digits of the times allow."""
    finest = np.diff(np.unique(steps))
    finest = finest[finest > 1e-6 * float(np.median(steps))]
    digits = float(finest.min()) if len(finest) else 0.0
    tolerance = max(1e-5, 2 * digits / span)
    whole = round(rate)
    return float(whole) if whole and abs(rate / whole - 1) < tolerance else float(f"{rate:.6g}")
