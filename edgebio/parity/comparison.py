"""Compare two computations of the same values, and locate the first difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Part:
    """One stage or layer: how many values were compared, and how many differ.

    `worst` is the largest difference in steps of the type, `bound` the largest that is allowed (0
    except for a declared approximation), `first` the location of the first one. `cosine` and
    `snr_db` compare both as signals; the latter is None if not measured or if nothing differs.
    """

    name: str
    compared: int
    differing: int = 0
    worst: int = 0
    first: str = ""
    snr_db: float | None = None
    bound: int = 0
    cosine: float = 1.0

    def __add__(self, other: "Part") -> "Part":
        return Part(
            self.name,
            self.compared + other.compared,
            self.differing + other.differing,
            max(self.worst, other.worst),
            self.first or other.first,
            _lowest_snr([self, other]),
            max(self.bound, other.bound),
            min(self.cosine, other.cosine),
        )

    @property
    def ok(self) -> bool:
        """Whether no difference exceeds the bound."""
        return self.differing == 0 or 0 < self.worst <= self.bound


def compare_exactly(
    name: str, expected: Array, measured: Array, axes: Sequence[str], source: str = ""
) -> Part:
    """Compare two arrays of one type value by value; floating-point values by their bits.

    `axes` says what each axis counts, and `source` where the inputs came from; both locate the
    first difference.
    """
    if expected.shape != measured.shape:
        note = f"{measured.shape} values where {expected.shape} were expected"
        return Part(name, expected.size, expected.size, first=f"{name}: {source}{note}")
    if expected.dtype.kind == "f":
        expected, measured = expected.view(np.int32), measured.view(np.int32)
    distance = np.abs(expected.astype(np.int64) - measured.astype(np.int64))
    count = int(np.count_nonzero(distance))
    first = ""
    if count:
        index = np.unravel_index(int(np.argmax(distance != 0)), distance.shape)
        location = ", ".join(  # channels count from 1, everything else from 0
            f"{axis} {int(i) + (axis == 'channel')}" for axis, i in zip(axes, index, strict=True)
        )
        first = f"{name}: {source}{location}: {measured[index]} instead of {expected[index]}"
    return Part(name, expected.size, count, int(distance.max(initial=0)), first)


def with_similarity(part: Part, expected: Array, measured: Array) -> Part:
    """Add the cosine similarity and the SNR to a part in which anything differs."""
    if not part.differing or expected.shape != measured.shape:
        return part
    a, b = expected.astype(np.float64).ravel(), measured.astype(np.float64).ravel()
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    noise = float(((a - b) ** 2).sum())
    ratio = 10 * float(np.log10(max(float((a**2).sum()), 1e-30) / noise))
    return replace(part, cosine=float(a @ b) / norms if norms else 0.0, snr_db=ratio)


def merge_parts(parts: Sequence[Part]) -> list[Part]:
    """Add up the parts of each name, in the order in which the names first appear."""
    total: dict[str, Part] = {}
    for part in parts:
        total[part.name] = total[part.name] + part if part.name in total else part
    return list(total.values())


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder: two stages of the road compared, part by part as they run.

    `ok` is None if the rung was skipped; `note` says why, or the threshold. `metrics` are further
    results, for the JSON document.
    """

    number: int
    name: str
    parts: tuple[Part, ...] = ()
    ok: bool | None = None
    note: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Number of values compared."""
        return sum(part.compared for part in self.parts)

    @property
    def differing(self) -> int:
        """Number of values that are not equal."""
        return sum(part.differing for part in self.parts)

    @property
    def snr_db(self) -> float | None:
        """Lowest signal-to-noise ratio of any part."""
        return _lowest_snr(self.parts)

    @property
    def first(self) -> str:
        """First difference beyond its bound, else the first one of all."""
        ordered = sorted(self.parts, key=lambda part: part.ok)
        return next((part.first for part in ordered if part.first), "")

    def document(self) -> dict[str, object]:
        """JSON form."""
        keys = ("name", "compared", "differing", "worst", "bound")
        parts = [
            {**{key: getattr(part, key) for key in keys}, "snr_db": _finite(part.snr_db)}
            for part in self.parts
        ]
        return {
            "rung": self.number,
            "name": self.name,
            "compared": self.compared,
            "differing": self.differing,
            "worst": max((part.worst for part in self.parts), default=0),
            "snr_db": _finite(self.snr_db),
            "ok": self.ok,
            "first": self.first or None,
            "note": self.note or None,
            **self.metrics,
            "parts": parts,
        }


def exact_rung(number: int, name: str, parts: Sequence[Part], note: str = "") -> Rung:
    """Make a rung that holds if values were compared and none differs beyond its bound."""
    ok = any(part.compared for part in parts) and all(part.ok for part in parts)
    return Rung(number, name, tuple(parts), ok, note)


def combine_rungs(rungs: Mapping[str, Rung]) -> Rung:
    """Combine one rung of several networks; the parts' names start with the network's."""
    first = next(iter(rungs.values()))
    if len(rungs) == 1:
        return first
    parts = [
        replace(part, name=f"{name}, {part.name}", first=part.first and f"{name}, {part.first}")
        for name, rung in rungs.items()
        for part in rung.parts
    ]
    return exact_rung(first.number, first.name, parts, first.note)


def _lowest_snr(parts: Sequence[Part]) -> float | None:
    return min((part.snr_db for part in parts if part.snr_db is not None), default=None)


def _finite(value: float | None) -> float | None:
    """JSON has no infinity; `differing` is 0 there."""
    return None if value is None or not np.isfinite(value) else round(value, 2)
