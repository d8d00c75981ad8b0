"""The content of a file of any format, before it becomes recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import Locate
from edgebio.recordings.natural_order import sort_naturally
from edgebio.suggest import nearest


@dataclass(frozen=True, eq=False)
class Categories:
    """A name for every sample.

    Attributes
    ----------
    codes
        int64, shape (n,): index into `names`; -1 for none.
    names
        The different names.
    """

    codes: npt.NDArray[np.int64]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """Samples and metadata of a file.

    Attributes
    ----------
    path
        The file.
    values
        Numbers, shape (n, channels).
    locate
        Describes where a number came from.
    metadata
        ``labels``, ``repetition``, ``subject`` and ``session`` of every sample, where present.
    rate
        Sampling rate in Hz, where the file states it.
    units
        Unit of the numbers, where the file states it.
    beats
        Samples of heart beats, where annotated.
    """

    path: Path
    values: npt.NDArray[Any]
    locate: Locate
    metadata: Mapping[str, Categories] = field(default_factory=dict)
    rate: float | None = None
    units: str | None = None
    beats: npt.NDArray[np.int64] | None = None


def categorize(values: Sequence[str] | npt.NDArray[Any]) -> Categories:
    """Name every sample by its value, whole numbers without decimals ("2.0" is "2")."""
    if isinstance(values, np.ndarray):
        unique, codes = np.unique(values.ravel(), return_inverse=True)
        spellings = [str(value) for value in unique.tolist()]
    else:
        seen: dict[str, int] = {}
        codes = np.array([seen.setdefault(value, len(seen)) for value in values], np.int64)
        spellings = list(seen)
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


def find_columns(path: Path, wanted: Sequence[str], names: Sequence[str], count: int) -> list[int]:
    """Indices of columns or channels, each given by name or by number from 1.

    Parameters
    ----------
    path
        The file, for messages.
    wanted
        Names or numbers.
    names
        Names in the file; may be empty.
    count
        Number of columns.
    """
    indices = []
    for name in wanted:
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
