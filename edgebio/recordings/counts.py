"""Numbers of any file or array to converter counts of 16 bits."""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError

Locate = Callable[[int, int], str]
"""Describes where a row and column of samples came from, for messages."""


def to_counts(values: npt.NDArray[Any], locate: Locate) -> npt.NDArray[np.int16]:
    """Narrow whole numbers, shape (rows, columns), to 16 bits; refuse what does not fit."""
    low, high = np.iinfo(np.int16).min, np.iinfo(np.int16).max
    if values.size and not (low <= values.min() and values.max() <= high):
        row, column = np.argwhere((values < low) | (values > high))[0].tolist()
        raise EdgebioError(
            f"{locate(row, column)}: {values[row, column]:.6g} does not fit a 16-bit sample, "
            f"{low} to {high}"
        )
    return values.astype(np.int16)


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
    check_finite(values, locate)
    if lsb is not None:
        if not isinstance(lsb, Real) or not 0 < lsb < math.inf:
            raise EdgebioError(f"lsb {lsb!r}; expected the units of one count, above 0")
        with np.errstate(over="ignore"):
            values = np.rint(values / lsb)
    elif (values != np.rint(values)).any():
        raise EdgebioError(
            f"{source}: decimal numbers; give the units of one count: lsb, or --lsb "
            f"{_smallest_step(values):.6g} (the smallest step in the data)"
        )
    return to_counts(values, locate)


def scaled_units(lsb: float | None, units: str) -> str:
    """Describe one count: ``"0.25 mV"``, or `units` where `lsb` is None."""
    return units if lsb is None else f"{lsb:g} {units}"


def _smallest_step(values: npt.NDArray[np.float64]) -> float:
    """Smallest difference between two values beyond the rounding of their digits."""
    steps = np.diff(np.unique(values))
    significant = steps[steps > 1e-9 * max(float(np.abs(values).max()), 1e-30)]
    return float(significant.min()) if significant.size else 1.0
