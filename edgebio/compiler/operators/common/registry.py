"""Registry of the operators that edgebio compiles."""

from collections.abc import Callable
from typing import Final, TypeVar

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.operators.common.node import Node

Lowering = Callable[[Node], Layer]
"""Makes the layer of a node, or refuses a node that cannot be compiled exactly."""

_Lowering = TypeVar("_Lowering", bound=Lowering)

OPERATORS: Final[dict[str, Lowering]] = {}
"""By the operator's name in the schema, such as ``"CONV_2D"``."""

STATES: Final[dict[str, tuple[int, ...]]] = {}
"""Positions of the inputs that hold an operator's state from one time step to the next."""


def operator(*kinds: str, states: tuple[int, ...] = ()) -> Callable[[_Lowering], _Lowering]:
    """Register the decorated function as the check and lowering of some operators."""

    def register(lowering: _Lowering) -> _Lowering:
        OPERATORS.update(dict.fromkeys(kinds, lowering))
        STATES.update(dict.fromkeys(kinds, states))
        return lowering

    return register
