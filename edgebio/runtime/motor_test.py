"""Tests of a wearer's control, with numbers: matching targets, and a cursor by Fitts' law."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from edgebio.errors import EdgebioError

HOLD_SECONDS = 0.5
"""A target is reached when it is held so long without a break."""

LIMIT_SECONDS = 8.0
"""After which a target is missed."""

_SPEED = 0.5  # widths of the field per second
_DISTANCES, _WIDTHS = (0.25, 0.4), (0.08, 0.14)


@dataclass(frozen=True)
class Attempt:
    """One target.

    Attributes
    ----------
    name
        Class that was asked for, or the target's distance and width.
    reached
        Whether it was held in time.
    seconds
        From its appearance until it was reached, the hold aside.
    difficulty
        Index of difficulty in bits (Fitts, J. Exp. Psychol. 47:381, 1954, as Shannon's form
        ``log2(D / W + 1)``, MacKenzie, Hum.-Comput. Interact. 7:91, 1992); 0 for a class.
    path, straight
        Length of the cursor's way, and of the straight one; 0 for a class.
    """

    name: str
    reached: bool
    seconds: float
    difficulty: float = 0.0
    path: float = 0.0
    straight: float = 0.0


@dataclass
class Score:
    """Numbers of all attempts so far."""

    attempts: list[Attempt] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """JSON form: completion rate, mean time in s, path efficiency, throughput in bit/s."""
        reached = [each for each in self.attempts if each.reached]
        count = len(self.attempts)
        moved = [each for each in reached if each.path > 0]
        return {
            "attempts": count,
            "completion_rate": round(len(reached) / count, 3) if count else None,
            "seconds": _mean([each.seconds for each in reached]),
            "path_efficiency": _mean([min(1.0, each.straight / each.path) for each in moved]),
            "throughput": _mean([each.difficulty / max(each.seconds, 1e-3) for each in moved]),
        }


class TargetMatching:
    """Ask for classes in random order; each must be decided for half a second without a break."""

    kind: Literal["targets", "cursor"] = "targets"

    def __init__(self, classes: tuple[str, ...], count: int = 10, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        rounds = [rng.permutation(len(classes)) for _ in range(-(-count // len(classes)))]
        self._targets = [classes[number] for number in np.concatenate(rounds)[:count]]
        self.score = Score()
        self._start: float | None = None
        self._held_since: float | None = None

    @property
    def done(self) -> bool:
        """Whether all targets were asked for."""
        return len(self.score.attempts) == len(self._targets)

    def update(self, time: float, decision: str) -> dict[str, Any]:
        """Take a decision; return what to show.

        Parameters
        ----------
        time
            In seconds, increasing.
        decision
            Name of the class.
        """
        if self._start is None:
            self._start = time
        if not self.done:
            target = self._targets[len(self.score.attempts)]
            self._held_since = (
                (time if self._held_since is None else self._held_since)
                if decision == target
                else None
            )
            held_seconds = 0.0 if self._held_since is None else time - self._held_since
            if held_seconds >= HOLD_SECONDS:
                self._end(Attempt(target, True, time - self._start - held_seconds), time)
            elif time - self._start > LIMIT_SECONDS:
                self._end(Attempt(target, False, LIMIT_SECONDS), time)
        return self.document()

    def document(self) -> dict[str, Any]:
        """What to show: target, number and score."""
        target = "" if self.done else self._targets[len(self.score.attempts)]
        return {"kind": self.kind, "target": target, "number": len(self.score.attempts),
                "count": len(self._targets), "done": self.done,
                "score": self.score.document()}  # fmt: skip

    def _end(self, attempt: Attempt, time: float) -> None:
        self.score.attempts.append(attempt)
        self._start, self._held_since = time, None


def motor_test(
    kind: str, classes: tuple[str, ...], directions: tuple[str, ...] = ()
) -> "TargetMatching | CursorTest":
    """Make a test of control.

    Parameters
    ----------
    kind
        ``"targets"`` or ``"cursor"``.
    classes
        Of the model.
    directions
        For a cursor: the classes of right, up, left and down.

    Raises
    ------
    EdgebioError
        If the directions are not four classes of the model.
    """
    if kind == "targets":
        return TargetMatching(classes)
    if len(directions) != 4 or len({*directions}) != 4 or not {*directions} <= {*classes}:
        raise EdgebioError(
            "a cursor needs four classes of the model: right, up, left and down; there are "
            f"{', '.join(classes)}"
        )
    right, up, left, down = directions
    return CursorTest((right, up, left, down))


class CursorTest:
    """Move a cursor into targets: four classes are directions, all others stop.

    Targets have two distances and two widths in eight directions, as in ISO 9241-411.

    Parameters
    ----------
    directions
        Class of right, up, left and down.
    """

    kind: Literal["targets", "cursor"] = "cursor"

    def __init__(
        self, directions: tuple[str, str, str, str], count: int = 8, seed: int = 0
    ) -> None:
        rng = np.random.default_rng(seed)
        self._directions = dict(zip(directions, ((1, 0), (0, 1), (-1, 0), (0, -1)), strict=True))
        self._targets: list[tuple[float, float, float]] = []
        for _ in range(count):
            angle = rng.integers(8) * math.pi / 4
            distance, width = rng.choice(_DISTANCES), rng.choice(_WIDTHS)
            x, y = distance * math.cos(angle), distance * math.sin(angle)
            self._targets.append((float(x), float(y), float(width)))
        self.score = Score()
        self._position = (0.0, 0.0)
        self._path = 0.0
        self._time: float | None = None
        self._start: float | None = None
        self._inside_since: float | None = None

    @property
    def done(self) -> bool:
        """Whether all targets were shown."""
        return len(self.score.attempts) == len(self._targets)

    def update(self, time: float, decision: str) -> dict[str, Any]:
        """Take a decision; move the cursor, and return what to show."""
        elapsed = 0.0 if self._time is None else min(time - self._time, 0.25)
        self._time = time
        if self._start is None:
            self._start = time
        if not self.done:
            dx, dy = self._directions.get(decision, (0, 0))
            x, y = self._position
            step = _SPEED * elapsed
            self._position = (
                max(-0.5, min(0.5, x + dx * step)),
                max(-0.5, min(0.5, y + dy * step)),
            )
            self._path += math.dist((x, y), self._position)
            self._check(time)
        return self.document()

    def _check(self, time: float) -> None:
        assert self._start is not None
        x, y, width = self._targets[len(self.score.attempts)]
        inside = math.dist(self._position, (x, y)) <= width / 2
        self._inside_since = (
            (time if self._inside_since is None else self._inside_since) if inside else None
        )
        held_seconds = 0.0 if self._inside_since is None else time - self._inside_since
        distance = math.hypot(x, y)
        name, bits = f"{distance:.2f}, {width:.2f}", math.log2(distance / width + 1)
        if held_seconds >= HOLD_SECONDS:
            seconds = time - self._start - held_seconds
            self._end(Attempt(name, True, seconds, bits, self._path, distance - width / 2), time)
        elif time - self._start > LIMIT_SECONDS:
            self._end(Attempt(name, False, LIMIT_SECONDS, bits, self._path, distance), time)

    def document(self) -> dict[str, Any]:
        """What to show: cursor, target, number and score; the field is from -0.5 to 0.5."""
        target = None if self.done else self._targets[len(self.score.attempts)]
        return {"kind": self.kind, "cursor": self._position, "target": target,
                "number": len(self.score.attempts), "count": len(self._targets),
                "done": self.done, "score": self.score.document()}  # fmt: skip

    def _end(self, attempt: Attempt, time: float) -> None:
        self.score.attempts.append(attempt)
        self._position, self._path = (0.0, 0.0), 0.0
        self._start, self._inside_since = time, None


def _inside(value: float) -> float:
    """Coordinate within the field."""
    return max(-0.5, min(0.5, value))


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 3) if values else None
