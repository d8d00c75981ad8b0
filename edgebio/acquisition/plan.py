"""What a subject is asked to do, in which order, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edgebio.errors import EdgebioError

_LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class Trial:
    """One repetition of a class: its number counts from 0."""

    name: str
    repetition: int


@dataclass(frozen=True)
class Plan:
    """A guided recording.

    Attributes
    ----------
    classes
        Names of the classes.
    repetitions
        Of each class.
    seconds, rest_seconds
        Duration of a repetition, and of the rest before it.
    transition_seconds
        Start of each repetition that gets no label: the subject reacts, and the hand moves.
    seed
        Of the order: each repetition has all classes once, in an order of its own.
    """

    classes: tuple[str, ...]
    repetitions: int = 5
    seconds: float = 3.0
    rest_seconds: float = 2.0
    transition_seconds: float = 0.5
    seed: int = 0
    trials: tuple[Trial, ...] = field(init=False)

    def __post_init__(self) -> None:
        _check_classes(self.classes)
        if self.seconds - self.transition_seconds < _LEAST_SECONDS:
            raise EdgebioError(
                f"{self.seconds:g} s of each repetition, {self.transition_seconds:g} s of them "
                f"unlabeled; at least {_LEAST_SECONDS:g} s must remain"
            )
        rng = np.random.default_rng(self.seed)
        trials: list[Trial] = []
        for repetition in range(self.repetitions):
            order = rng.permutation(len(self.classes))
            trials += [Trial(self.classes[number], repetition) for number in order]
        object.__setattr__(self, "trials", tuple(trials))

    @property
    def total_seconds(self) -> float:
        """Duration of all repetitions and rests."""
        return len(self.trials) * (self.seconds + self.rest_seconds)


def _check_classes(classes: Sequence[str]) -> None:
    if len(classes) < 2:
        raise EdgebioError(
            f"{len(classes)} class{'' if len(classes) == 1 else 'es'}; a classifier needs two or "
            "more, such as --classes rest,fist"
        )
    for name in classes:
        if not name.strip() or classes.count(name) > 1:
            problem = "is there twice" if name.strip() else "has no name"
            raise EdgebioError(f"class {name!r} {problem}")
