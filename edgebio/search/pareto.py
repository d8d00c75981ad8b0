"""The Pareto front of accuracy against latency and flash."""

from collections.abc import Sequence
from typing import NamedTuple


class Point(NamedTuple):
    """A candidate's accuracy (more is better), latency and flash (less is better)."""

    accuracy: float
    latency: float
    flash: int


def dominates(one: Point, other: Point) -> bool:
    """Whether `one` is nowhere worse than `other` and somewhere better."""
    return (
        one.accuracy >= other.accuracy
        and one.latency <= other.latency
        and one.flash <= other.flash
        and one != other
    )


def pareto_front(points: Sequence[Point]) -> list[int]:
    """Indices of the points that no other point dominates, the most accurate first.

    Of equal points, the first is taken.
    """
    indices = [
        k
        for k, point in enumerate(points)
        if point not in points[:k] and not any(dominates(other, point) for other in points)
    ]
    return sorted(indices, key=lambda k: (-points[k].accuracy, points[k].latency))
