"""What a compiled network is wanted for: speed, size, or what lies between, within budgets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edgebio.compiler.step import Step
from edgebio.errors import EdgebioError

Optimize = Literal["speed", "balanced", "size"]
"""Fewest instructions; smallest constants; or larger ones only where they are worth it."""

WORTH: Final = 32
"""Instructions of an inference that a byte of flash must save to be spent by "balanced"."""


@dataclass(frozen=True)
class Goal:
    """What to choose kernels for.

    Attributes
    ----------
    optimize : {"speed", "balanced", "size"}
    constants : int or None
        Most bytes that weights and tables may take in flash.
    state : int or None
        Most bytes that activations and scratch may take together.
    """

    optimize: Optimize = "speed"
    constants: int | None = None
    state: int | None = None


SPEED: Final = Goal()


def shrink(
    steps: Sequence[Step], smaller: Callable[[Step], Step | None], goal: Goal
) -> tuple[Step, ...]:
    """Take smaller forms of fast kernels as far as the goal asks for.

    Those go first that cost the fewest instructions for a byte, so that what is left is the
    fastest plan that fits.

    Parameters
    ----------
    steps
        Fastest kernels.
    smaller
        Gives the form of a step with smaller constants, or None.
    goal
        What is wanted.

    Raises
    ------
    EdgebioError
        Where the smallest plan takes more than ``goal.constants``.
    """
    chosen = list(steps)
    forms = {
        index: form
        for index, step in enumerate(steps)
        if (form := smaller(step)) and form.constant_bytes < step.constant_bytes
    }

    def price(index: int) -> float:
        """Instructions that a byte less costs."""
        small, fast = forms[index], steps[index]
        return (small.estimate - fast.estimate) / (fast.constant_bytes - small.constant_bytes)

    for index in sorted(forms, key=price):
        fits = goal.constants is None or _bytes(chosen) <= goal.constants
        wanted = goal.optimize == "size" or (goal.optimize == "balanced" and price(index) < WORTH)
        if wanted or not fits:
            chosen[index] = forms[index]
    if goal.constants is not None and _bytes(chosen) > goal.constants:
        raise EdgebioError(
            f"no plan fits: the network's constants take at least {_bytes(chosen):,} bytes of "
            f"flash, and {max(goal.constants, 0):,} are left for them"
        )
    return tuple(chosen)


def _bytes(steps: Sequence[Step]) -> int:
    return sum(step.constant_bytes for step in steps)
