"""Compare two computations of the same thing, and say where they first differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Part:
    """One stage or layer of a rung.

    Attributes
    ----------
    name : str
        Stage, or layer with its operator.
    compared, differing : int
        Values, and how many of them are not equal.
    worst : int
        Largest difference in steps of the type.
    first : str
        Where the first difference is, in words; empty where there is none.
    snr_db : float or None
        Signal-to-noise ratio where exactness is not asked for.
    bound : int
        Largest difference that is allowed: 0 but for a declared approximation.
    """

    name: str
    compared: int
    differing: int = 0
    worst: int = 0
    first: str = ""
    snr_db: float | None = None
    bound: int = 0

    def __add__(self, other: "Part") -> "Part":
        ratios = [x for x in (self.snr_db, other.snr_db) if x is not None]
        return Part(
            self.name,
            self.compared + other.compared,
            self.differing + other.differing,
            max(self.worst, other.worst),
            self.first or other.first,
            min(ratios) if ratios else None,
            max(self.bound, other.bound),
        )

    @property
    def holds(self) -> bool:
        """Whether nothing differs by more than is allowed."""
        return self.differing == 0 or 0 < self.worst <= self.bound


def compare_exactly(
    name: str,
    expected: npt.NDArray[np.integer],
    measured: npt.NDArray[np.integer],
    axes: Sequence[str],
    where: str = "",
) -> Part:
    """Compare integers value by value.

    Parameters
    ----------
    name
        Name of the stage or layer.
    expected, measured
        Integers of one shape.
    axes
        What each axis counts, for naming the first difference.
    where
        What comes before the axes in that name: the recording.
    """
    if expected.shape != measured.shape:
        missing = f"{measured.shape} values where {expected.shape} were expected"
        return Part(name, expected.size, expected.size, first=f"{name}: {where}{missing}")
    distance = np.abs(expected.astype(np.int64) - measured.astype(np.int64))
    count = int(np.count_nonzero(distance))
    first = ""
    if count:
        at = np.unravel_index(int(np.argmax(distance != 0)), distance.shape)
        place = ", ".join(f"{axis} {int(i)}" for axis, i in zip(axes, at, strict=True))
        first = f"{name}: {where}{place}: {measured[at]} instead of {expected[at]}"
    worst = int(distance.max(initial=0))
    return Part(name, expected.size, count, worst, first)


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder: what was compared with what, and whether it held.

    Attributes
    ----------
    number : int
        Its place in the ladder.
    name : str
        What is compared with what.
    parts : tuple of Part
        Stages or layers, in the order in which they run.
    ok : bool or None
        Whether it holds; None where it was not climbed.
    note : str
        What a reader should know: the threshold, or why it was not climbed.
    figures : dict
        Further measures of this rung, for the JSON document.
    """

    number: int
    name: str
    parts: tuple[Part, ...] = ()
    ok: bool | None = None
    note: str = ""
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Values compared."""
        return sum(part.compared for part in self.parts)

    @property
    def differing(self) -> int:
        """Values that are not equal."""
        return sum(part.differing for part in self.parts)

    @property
    def worst(self) -> int:
        """Largest difference in steps."""
        return max((part.worst for part in self.parts), default=0)

    @property
    def snr_db(self) -> float | None:
        """Lowest signal-to-noise ratio of any part."""
        ratios = [part.snr_db for part in self.parts if part.snr_db is not None]
        return min(ratios) if ratios else None

    @property
    def first(self) -> str:
        """First difference beyond what is allowed, or else the first one, in words."""
        ordered = sorted(self.parts, key=lambda part: part.holds)
        return next((part.first for part in ordered if part.first), "")

    def document(self) -> dict[str, object]:
        """JSON form."""
        return {
            "rung": self.number,
            "name": self.name,
            "compared": self.compared,
            "differing": self.differing,
            "worst": self.worst,
            "snr_db": _finite(self.snr_db),
            "ok": self.ok,
            "first": self.first or None,
            "note": self.note or None,
            **self.figures,
            "parts": [
                {
                    "name": part.name,
                    "compared": part.compared,
                    "differing": part.differing,
                    "worst": part.worst,
                    "bound": part.bound,
                    "snr_db": _finite(part.snr_db),
                }
                for part in self.parts
            ],
        }


def exact_rung(number: int, name: str, parts: Sequence[Part], note: str = "") -> Rung:
    """Make a rung that holds where something was compared and nothing differs beyond its bound."""
    rung = Rung(number, name, tuple(parts), note=note)
    ok = rung.compared > 0 and all(part.holds for part in rung.parts)
    return Rung(number, name, rung.parts, ok, note)


def combine_rungs(rungs: Mapping[str, Rung]) -> Rung:
    """One rung of the same kind on several networks; their parts bear the networks' names."""
    parts = [
        replace(part, name=f"{name}, {part.name}", first=part.first and f"{name}, {part.first}")
        for name, rung in rungs.items()
        for part in rung.parts
    ]
    one = next(iter(rungs.values()))
    return exact_rung(one.number, one.name, parts, one.note)


def merge_parts(parts: Sequence[Part]) -> list[Part]:
    """Add up parts of one name, in the order in which the names first appear."""
    total: dict[str, Part] = {}
    for part in parts:
        total[part.name] = total[part.name] + part if part.name in total else part
    return list(total.values())


def _finite(value: float | None) -> float | None:
    """JSON has no infinity; equality is told by `differing`."""
    return None if value is None or not np.isfinite(value) else round(value, 2)
