"""Numbers of any file or array to converter counts of 16 bits."""

import math
from collections.abc import Callable
from numbers import Real
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError

Locate = Callable[[int, int], str]
"""Describes where a row and column of samples came from, for messages."""

Gaps = Literal["cut", "fill", "refuse"]
"""What becomes of missing samples: the recording is cut there, or the last value is repeated."""

_OFFSET_SAMPLES = 1000
_LOW, _HIGH = np.iinfo(np.int16).min, np.iinfo(np.int16).max


def to_counts(values: npt.NDArray[Any], locate: Locate) -> npt.NDArray[np.int16]:
    """Narrow whole numbers, shape (rows, columns), to 16 bits; refuse what does not fit."""
    if message := _overflow(values, locate):
        raise EdgebioError(message)
    return values.astype(np.int16)


def _overflow(values: npt.NDArray[Any], locate: Locate) -> str:
    """Name the first number that does not fit 16 bits; empty where all fit."""
    if not values.size or (values.min() >= _LOW and values.max() <= _HIGH):
        return ""
    row, column = np.argwhere(~((values >= _LOW) & (values <= _HIGH)))[0].tolist()
    value = f"{values[row, column]:.6g}"
    return f"{locate(row, column)}: {value} does not fit a 16-bit sample, {_LOW} to {_HIGH}"


def check_finite(values: npt.NDArray[Any], locate: Locate) -> None:
    """Refuse NaN and infinity, naming the first."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0].tolist()
        raise EdgebioError(
            f"{locate(row, column)}: {values[row, column]}; expected a finite number"
        )


def scale_to_counts(
    values: npt.NDArray[Any], lsb: float | None, locate: Locate, source: str = ""
) -> npt.NDArray[np.int16]:
    """Divide numbers, shape (rows, columns), by the units of one count, and round.

    Without `lsb` they are counts already, and decimals are refused; so is what is not finite or
    does not fit 16 bits. `source` names all of them in messages.
    """
    builder = CountsBuilder(source, lsb, locate=locate)
    builder.add(values)
    return builder.values


def scaled_units(lsb: float | None, units: str) -> str:
    """Describe one count: ``"0.25 mV"``, or `units` where `lsb` is None."""
    return units if lsb is None else f"{lsb:g} {units}"


class CountsBuilder:
    """Counts of samples that come in blocks.

    Parameters
    ----------
    source
        Name of all samples, for messages.
    lsb
        Units of one count; None where the numbers are counts.
    gaps
        What becomes of NaN; None refuses, and names the options.
    remove_offset
        Subtract each channel's offset: the median of its first 1,000 samples.
    locate
        Describes positions.
    factor
        Units of `lsb` in a unit of the numbers, where those differ.
    """

    def __init__(
        self, source: str | Path, lsb: float | None, gaps: Gaps | None = None, *,
        remove_offset: bool = False,
        factor: float = 1.0,
        locate: Locate = lambda row, column: f"sample {row}, channel {column + 1}",
    ) -> None:  # fmt: skip
        if lsb is not None and (not isinstance(lsb, Real) or not 0 < lsb < math.inf):
            raise EdgebioError(f"lsb {lsb!r}; expected the units of one count, above 0")
        self.locate = locate
        self._source, self._gaps, self._factor = source, gaps, factor
        self._lsb = None if lsb is None else lsb / factor
        self._blocks: list[npt.NDArray[np.int16]] = []
        self._missing: list[npt.NDArray[np.bool_]] = []
        self._rows = 0
        self._step, self._largest = math.inf, 0.0  # a finite step: decimals without an lsb
        self._overflow = ""  # the first number that does not fit, if there is one
        self._first: npt.NDArray[Any] | None = None  # rows that an offset would be measured by
        self._lowest = self._highest = np.zeros(0)  # of each channel
        self._last: npt.NDArray[np.float64] | None = None
        self._filled = 0
        self._offset: npt.NDArray[Any] | None = None
        self._waiting: list[npt.NDArray[Any]] | None = [] if remove_offset else None

    def add(self, values: npt.NDArray[Any]) -> None:
        """Add samples, shape (n, channels)."""
        if self._waiting is not None:
            self._waiting.append(values)
            if sum(map(len, self._waiting)) >= _OFFSET_SAMPLES:
                self._measure_offset()
            return
        before = self._rows

        def locate(row: int, column: int) -> str:
            return self.locate(before + row, column)

        missing = np.zeros(len(values), bool)
        if values.dtype.kind == "f":
            unknown = np.isnan(values)
            if unknown.any():
                values, missing = self._without_nan(values, unknown, locate)
            check_finite(values, locate)
        if self._offset is not None:
            values = np.where(missing[:, None], 0, values - self._offset)
        if values.size:
            self._largest = max(self._largest, -float(values.min()), float(values.max()))
        if self._lsb is not None:
            with np.errstate(over="ignore"):
                values = np.rint(values / self._lsb)
        elif values.size and values.dtype.kind == "f" and (values != np.rint(values)).any():
            self._step = min(self._step, smallest_step(values))
        self._measure_range(values)
        if self._step == math.inf and not self._overflow:
            self._overflow = _overflow(values, locate)
        if self._step == math.inf and not self._overflow:  # else it is refused at the end
            self._blocks.append(values.astype(np.int16))
        else:
            self._blocks.clear()
        self._missing.append(missing)
        self._rows += len(values)

    @property
    def values(self) -> npt.NDArray[np.int16]:
        """All counts, shape (n, channels)."""
        if self._waiting:
            self._measure_offset()
        if self._step < math.inf:
            raise EdgebioError(
                f"{self._source}: decimal numbers; give the units of one count: lsb, or --lsb "
                f"{self._advised(self._step)} (the smallest step in the data, or "
                "the least that fits 16 bits)"
            )
        if self._overflow:
            raise EdgebioError(f"{self._overflow}; {self._advice()}")
        if len(self._blocks) > 1:  # each is freed once it is copied: never all of them twice
            whole = np.empty((self._rows, self._blocks[0].shape[1]), np.int16)
            end = len(whole)
            while self._blocks:
                block = self._blocks.pop()
                whole[end - len(block) : end] = block
                end -= len(block)
            self._blocks = [whole]
        return self._blocks[0] if self._blocks else np.zeros((0, 0), np.int16)

    @property
    def missing(self) -> npt.NDArray[np.bool_] | None:
        """Samples to leave out, bool of shape (n,); None where all are there."""
        if not any(block.any() for block in self._missing):
            return None
        return np.concatenate(self._missing)

    @property
    def notes(self) -> list[str]:
        """What was filled."""
        return [f"{self._filled:,} missing numbers repeat the last one"] if self._filled else []

    def _measure_range(self, values: npt.NDArray[Any]) -> None:
        """Remember the range of each channel, and the first samples."""
        if not values.size or self._offset is not None:
            return
        if self._first is None:
            self._lowest, self._highest = values[0], values[0]
            self._first = values[:0]
        if len(self._first) < _OFFSET_SAMPLES:
            self._first = np.concatenate([self._first, values])[:_OFFSET_SAMPLES]
        self._lowest = np.minimum(self._lowest, values.min(axis=0))
        self._highest = np.maximum(self._highest, values.max(axis=0))

    def _advice(self) -> str:
        """Say what makes all numbers fit: no offset, if that is enough, or a larger step."""
        step = f"a larger step: --lsb {self._advised(self._lsb or 1)}"
        if self._first is None:
            return f"give {step}"
        offset = np.rint(np.median(self._first, axis=0))
        if (self._highest - offset).max() > _HIGH or (self._lowest - offset).min() < _LOW:
            return f"give {step}"
        return f"remove the offset of each channel (--remove-offset), or give {step}"

    def _advised(self, step: float) -> str:
        factor = self._factor
        return f"{advised_lsb(step * factor, self._largest * factor):.6g}"

    def _measure_offset(self) -> None:
        """Measure the offset by the samples that wait for it, and add them."""
        waiting, self._waiting = np.concatenate(self._waiting or []), None
        first = waiting[:_OFFSET_SAMPLES].astype(np.float64)
        known = ~np.isnan(first).all(axis=0)
        offset = np.zeros(first.shape[1])
        offset[known] = np.nanmedian(first[:, known], axis=0)
        self._offset = np.rint(offset).astype(np.int64) if waiting.dtype.kind in "iu" else offset
        self.add(waiting)

    def _without_nan(
        self, values: npt.NDArray[np.float64], unknown: npt.NDArray[np.bool_], locate: Locate
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        if self._gaps in (None, "refuse"):
            row, column = np.argwhere(unknown)[0].tolist()
            raise EdgebioError(
                f"{locate(row, column)}: nan; expected a finite number (--gaps cut leaves such "
                "samples out, --gaps fill repeats the last)"
            )
        if self._gaps == "cut":
            rows: npt.NDArray[np.bool_] = np.asarray(unknown.any(axis=1))
            return np.where(rows[:, None], 0.0, values), rows
        if self._last is None:
            self._last = np.zeros(values.shape[1])
        known = np.vstack([self._last, values])
        index = np.where(np.isnan(known), 0, np.arange(len(known))[:, None])
        np.maximum.accumulate(index, axis=0, out=index)
        known = np.take_along_axis(known, index, axis=0)
        self._last = known[-1]
        self._filled += int(unknown.sum())
        return known[1:], np.zeros(len(values), bool)


def smallest_step(values: npt.NDArray[np.float64]) -> float:
    """Smallest difference between two values beyond the rounding of their digits."""
    steps = np.diff(np.unique(values))
    significant = steps[steps > 1e-9 * max(float(np.abs(values).max(initial=0)), 1e-30)]
    return float(significant.min()) if significant.size else 1.0


def advised_lsb(step: float, largest: float) -> float:
    """Units of one count, rounded up to six digits, with which values up to `largest` fit."""
    least = max(step, largest / _HIGH)
    scale = 10.0 ** (math.floor(math.log10(least)) - 5)
    return math.ceil(least / scale - 1e-6) * scale
