"""Schedule: choose a kernel for every layer, by speed, size or a budget.

Candidates of the best kernel set come first; the first one whose preconditions hold is taken. The
portable kernels run anywhere and have no preconditions.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edgebio.compiler import kernels  # noqa: F401 - registers them
from edgebio.compiler.ir.kernel_call import KERNEL_SETS, KernelCall, KernelSet
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import Weighted
from edgebio.compiler.ir.network import Network
from edgebio.compiler.kernels.registry import CANDIDATES
from edgebio.errors import EdgebioError

Optimize = Literal["fastest", "speed", "balanced", "size"]
"""Fewest instructions at any size of the constants; larger constants where they save some of the
instructions; where they save their share; smallest constants."""

SHARES: Final[dict[Optimize, float]] = {"speed": 0.2, "balanced": 1.5}
"""Percent of all instructions that larger constants must save for each percent more flash."""

CODE: Final = 16_384
"""Bytes of code that an image has about, besides its constants."""


@dataclass(frozen=True)
class Goal:
    """What to choose kernels for.

    Attributes
    ----------
    optimize : {"fastest", "speed", "balanced", "size"}
    constants : int or None
        Most bytes that weights and tables may take in flash.
    state : int or None
        Most bytes that activations and scratch may take together.
    """

    optimize: Optimize = "speed"
    constants: int | None = None
    state: int | None = None


SPEED: Final = Goal()


def schedule(
    network: Network, isa: KernelSet = "portable", goal: Goal = SPEED
) -> tuple[KernelCall, ...]:
    """Give every layer the best kernel of `isa` for `goal`.

    Raises
    ------
    EdgebioError
        If no choice of kernels meets the goal.
    """
    calls = [fastest_call(network, layer, isa) for layer in network.layers]
    if goal.optimize == "fastest":
        calls = [_faster(call) for call in calls]
    return shrink(calls, goal)


def _faster(call: KernelCall) -> KernelCall:
    """The form with larger constants, if there is one."""
    if not call.faster:
        return call
    form = call.faster()
    return dataclasses.replace(form, isa=call.isa, notes=(*call.notes, *form.notes))


def fastest_call(network: Network, layer: Layer, isa: KernelSet) -> KernelCall:
    """Give a layer the best kernel of `isa`."""
    wraps = isinstance(layer, Weighted) and not layer.channels.proven
    declined: list[str] = []
    for kernel_set in ("portable",) if wraps else KERNEL_SETS[isa]:
        for candidate in CANDIDATES[type(layer)][kernel_set]:
            call = candidate(network, layer)
            if isinstance(call, KernelCall):
                return dataclasses.replace(call, isa=kernel_set, notes=(*call.notes, *declined))
            description = (candidate.__doc__ or "").splitlines()[0].rstrip(".")
            declined.append(f"not the {kernel_set} kernel '{description}': {call}")
    raise AssertionError(f"no portable kernel for {layer.kind}")


def shrink(fastest: Sequence[KernelCall], goal: Goal) -> tuple[KernelCall, ...]:
    """Replace calls by their forms with smaller constants as far as the goal requires.

    Those that cost the fewest instructions per byte are replaced first, so that the result is the
    fastest plan that fits.

    Raises
    ------
    EdgebioError
        If the smallest plan takes more than ``goal.constants``.
    """
    if goal.optimize == "fastest" and goal.constants is None:
        return tuple(fastest)
    chosen = list(fastest)
    rest = [_smaller_forms(call) for call in fastest]
    smallest = sum((forms[-1] if forms else call).constant_bytes
                   for call, forms in zip(fastest, rest, strict=True))  # fmt: skip
    instructions = sum(call.estimate or 2 * call.layer.macs for call in fastest)
    worth = SHARES.get(goal.optimize, 0.0) * instructions / (smallest + CODE)

    def price(index: int) -> float:
        """Instructions for each byte that is saved."""
        small, fast = rest[index][0], chosen[index]
        return (small.estimate - fast.estimate) / (fast.constant_bytes - small.constant_bytes)

    def size() -> int:
        return sum(call.constant_bytes for call in chosen)

    while any(rest):
        cheapest = min((index for index, forms in enumerate(rest) if forms), key=price)
        wanted = goal.optimize != "size" and price(cheapest) >= worth
        if wanted and (goal.constants is None or size() <= goal.constants):
            break
        chosen[cheapest] = rest[cheapest].pop(0)
    if goal.constants is not None and size() > goal.constants:
        raise EdgebioError(
            f"no plan fits: the network's constants take at least {size():,} bytes of flash, and "
            f"{max(goal.constants, 0):,} are left for them"
        )
    return tuple(chosen)


def _smaller_forms(call: KernelCall) -> list[KernelCall]:
    """Forms of a call with smaller and smaller constants."""
    forms: list[KernelCall] = []
    while call.smaller and (form := call.smaller()).constant_bytes < call.constant_bytes:
        forms.append(form)
        call = form
    return forms
