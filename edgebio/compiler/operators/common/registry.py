"""Registry of the operators that edgebio compiles."""

from collections.abc import Callable
from typing import Final, TypeVar

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.operators.common.node import Node

Lowering = Callable[[Node], Layer] | Callable[[Node], tuple[Layer, ...]]
"""Makes the layer of a node, or one for each of its outputs, or refuses a node that cannot be
compiled exactly."""

_Lowering = TypeVar("_Lowering", bound=Lowering)

OPERATORS: Final[dict[str, Lowering]] = {}
"""By the operator's name in the schema, such as ``"CONV_2D"``."""

STATES: Final[dict[str, tuple[int, ...]]] = {}
"""Positions of the inputs that hold an operator's state from one time step to the next."""

SEVERAL_OUTPUTS: Final[set[str]] = set()
"""Operators that may have several outputs."""


def operator(
    *kinds: str, states: tuple[int, ...] = (), several_outputs: bool = False
) -> Callable[[_Lowering], _Lowering]:
    """Register the decorated function as the check and lowering of some operators.

    Parameters
    ----------
    states
        Positions of the inputs that hold its state, which no other operator may use. It lasts from
        one inference to the next if the layer names its tensor in `Layer.states`, and otherwise
        for one inference.
    several_outputs
        Whether there may be several outputs; the function then makes a layer for each.
    """

    def register(lowering: _Lowering) -> _Lowering:
        OPERATORS.update(dict.fromkeys(kinds, lowering))
        STATES.update(dict.fromkeys(kinds, states))
        if several_outputs:
            SEVERAL_OUTPUTS.update(kinds)
        return lowering

    return register
