"""The Pareto front: accuracy against latency and flash."""

from collections.abc import Sequence
from typing import NamedTuple


class Point(NamedTuple):
    """What a candidate brings, and what it takes.

    Attributes
    ----------
    accuracy
        More is better.
    latency, flash
        Less is better.
    """

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


def front(points: Sequence[Point]) -> list[int]:
    """Numbers of the points that no other dominates, the most accurate first.

    Of equal points the first is taken.
    """
    found = [
        k
        for k, point in enumerate(points)
        if point not in points[:k] and not any(dominates(other, point) for other in points)
    ]
    return sorted(found, key=lambda k: (-points[k].accuracy, points[k].latency))
