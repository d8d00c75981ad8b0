"""The content of a file of any format, before it becomes recordings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import Locate
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.natural_order import sort_naturally
from edgebio.recordings.readers.time_columns import Timing, are_alike
from edgebio.suggest import nearest


@dataclass(frozen=True, eq=False)
class Categories:
    """A name for every sample: `codes`, int64 of shape (n,), index `names`; -1 is none."""

    codes: npt.NDArray[np.int64]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """Samples and metadata of a file.

    Attributes
    ----------
    values, locate
        Numbers, shape (n, channels), and where they came from.
    metadata
        ``labels``, ``repetition``, ``subject`` and ``session`` of every sample, where present.
    rate, units, beats
        In Hz; unit of the numbers; samples of heart beats: where the file states them.
    scaled
        Whether the values are counts already, scaled by the options' lsb.
    missing
        Samples to leave out, bool of shape (n,); None where all are there.
    timing
        What the file's times and counters say.
    trials
        First sample of each trial, where the file holds several.
    notes
        What the reader decided by itself, to show to the user.
    """

    path: Path
    values: npt.NDArray[Any]
    locate: Locate
    metadata: Mapping[str, Categories] = field(default_factory=dict)
    rate: float | None = None
    units: str | None = None
    beats: npt.NDArray[np.int64] | None = None
    scaled: bool = False
    missing: npt.NDArray[np.bool_] | None = None
    timing: Timing | None = None
    trials: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def one_hot(path: Path, names: Sequence[str], values: npt.NDArray[np.float64]) -> Categories:
    """Name every sample by the column that is 1, shape (n, classes); none where all are 0."""
    bad = np.flatnonzero(~np.isin(values, (0, 1)).all(axis=1) | (values.sum(axis=1) > 1))
    if len(bad):
        raise EdgebioError(
            f"{path}: sample {bad[0]}: {', '.join(names)} hold "
            f"{', '.join(f'{value:g}' for value in values[bad[0]])}; expected at most one 1 and "
            "otherwise 0"
        )
    codes = np.where(values.any(axis=1), values.argmax(axis=1), -1)
    return Categories(codes.astype(np.int64), tuple(names))


def common_unit(units: Sequence[str]) -> str | None:
    """Return the unit of several columns, if they have one."""
    return units[0] if len(set(units)) == 1 and units[0] else None


def categorize(values: Sequence[str] | npt.NDArray[Any]) -> Categories:
    """Name every sample by its value, whole numbers without decimals ("2.0" is "2")."""
    if isinstance(values, np.ndarray):
        unique, codes = np.unique(values.ravel(), return_inverse=True)
        spellings = [str(value) for value in unique.tolist()]
    else:
        indices: dict[str, int] = {}
        codes = np.array([indices.setdefault(value, len(indices)) for value in values], np.int64)
        spellings = list(indices)
    plain = [_without_decimals(spelling) for spelling in spellings]
    names = tuple(sort_naturally({*plain} - {""}))
    numbers = {"": -1} | {name: index for index, name in enumerate(names)}
    return Categories(np.array([numbers[name] for name in plain], np.int64)[codes], names)


def single_rate(path: Path, name: str, values: Sequence[Any]) -> float:
    """Rate in Hz of a column or array that repeats one number."""
    try:
        rates = {float(value) for value in values}
    except ValueError:
        rates = set()
    if len(rates) != 1:
        raise EdgebioError(f"{path}: {name} holds {len(rates)} rates; expected one number, in Hz")
    return rates.pop()


def require_rate(path: Path, options: ImportOptions, rate: float | None) -> float:
    """Return the rate that the options give, or the file's own; refuse none, and two."""
    given = options.rate if options.rate and math.isfinite(options.rate) else None
    if given is not None and rate is not None and not are_alike(given, rate):
        raise EdgebioError(
            f"{path}: its rate is {rate:g} Hz, not {options.rate:g} Hz; leave --rate out"
        )
    chosen = options.rate if options.rate is not None else rate
    if chosen is None:
        raise EdgebioError(f"{path}: does not state its rate; add --rate HZ")
    return chosen


def find_columns(path: Path, columns: Sequence[str], names: Sequence[str], count: int) -> list[int]:
    """Indices of columns (or channels), each given by name, or by number from 1 to `count`."""
    indices = []
    for name in columns:
        if name in names:
            indices.append(list(names).index(name))
        elif name.isascii() and name.isdecimal() and 1 <= int(name[:9]) <= count:
            indices.append(int(name) - 1)
        else:
            present = ", ".join(names) if names else f"{count} without names"
            raise EdgebioError(
                f"{path}: no column {name!r}; it has {present}{nearest(name, names)}"
            )
    return indices


def _without_decimals(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    return str(int(number)) if number.is_integer() else value
