"""Choose a kernel for every layer.

Each layer type has candidates in order of preference; the first whose core class fits the target
and whose preconditions hold is taken. `portable` runs anywhere and has no preconditions.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from edgebio.compiler import dsp, moves, mve, portable, wrapping
from edgebio.compiler import network as net
from edgebio.compiler.goal import SPEED, Goal, shrink
from edgebio.compiler.step import CORES, Core, Step


def choose(network: net.Network, core: Core = "portable", goal: Goal = SPEED) -> tuple[Step, ...]:
    """Give every layer of `network` the best kernel for `core` and `goal`.

    Raises
    ------
    EdgebioError
        Where no choice of kernels meets the goal.
    """
    fastest = [_choose(network, layer, core) for layer in network.layers]

    def smaller(step: Step) -> Step | None:
        form = SMALLER.get(step.function)
        found = form(network, step.layer) if form else None
        return found if isinstance(found, Step) else None

    return shrink(fastest, smaller, goal)


def _choose(network: net.Network, layer: net.Layer, core: Core) -> Step:
    if isinstance(layer, net.Convolution | net.FullyConnected) and not layer.channels.proven:
        return _WRAPPING[type(layer)](network, layer)
    declined: list[str] = []
    for kernel_core, candidate in CANDIDATES[type(layer)]:
        if kernel_core not in CORES[core]:
            continue
        step = candidate(network, layer)
        if isinstance(step, Step):
            return dataclasses.replace(step, notes=(*step.notes, *declined))
        does = (candidate.__doc__ or candidate.__name__).splitlines()[0].rstrip(".")
        reason = step or "what it relies on does not hold"
        declined.append(f"not the {kernel_core} kernel '{does}': {reason}")
    raise AssertionError(f"no portable kernel for {layer.kind}")


Candidate = Callable[[net.Network, Any], Step | str | None]
"""Gives a layer a kernel; or says why its preconditions do not hold, or None."""

CANDIDATES: Final[dict[type[net.Layer], tuple[tuple[Core, Candidate], ...]]] = {
    net.Add: (("mve", mve.add), ("dsp", dsp.add), ("portable", portable.add)),
    net.Concatenation: (("portable", moves.concatenation),),
    net.Conv2D: (
        ("mve", mve.conv_2d),
        ("dsp", dsp.conv_2d_wide),
        ("portable", portable.conv_2d),
    ),
    net.Copy: (("portable", moves.copy),),
    net.Dequantize: (("portable", portable.quantize),),
    net.DepthwiseConv2D: (
        ("mve", mve.depthwise_conv_2d),
        ("dsp", dsp.depthwise_conv_2d),
        ("dsp", dsp.depthwise_conv_2d_any),
        ("portable", portable.depthwise_conv_2d),
    ),
    net.FullyConnected: (
        ("mve", mve.fully_connected),
        ("dsp", dsp.fully_connected),
        ("portable", portable.fully_connected),
    ),
    net.Lstm: (("portable", portable.lstm),),
    net.Mean: (
        ("mve", mve.mean),
        ("dsp", dsp.mean),
        ("portable", portable.mean),
    ),
    net.Mul: (("portable", portable.mul),),
    net.Pad: (("portable", moves.pad),),
    net.Pool: (
        ("mve", mve.pool),
        ("dsp", dsp.pool),
        ("portable", portable.pool),
    ),
    net.Prelu: (("portable", portable.prelu),),
    net.Quantize: (("portable", portable.quantize),),
    net.Softmax: (("portable", portable.softmax),),
    net.Sub: (("portable", portable.add),),
    net.Table: (("portable", portable.table),),
}
"""Kernels by layer type, best first."""

_WRAPPING: Final[dict[type[net.Layer], Callable[[net.Network, Any], Step]]] = {
    net.Conv2D: wrapping.conv_2d,
    net.DepthwiseConv2D: wrapping.depthwise_conv_2d,
    net.FullyConnected: wrapping.fully_connected,
}
"""Kernels of layers whose sums are not proven to stay within 32 bits."""

SMALLER: Final[dict[str, Candidate]] = {
    "eb_run_conv2d_wide": dsp.conv_2d_narrow,
    "eb_run_conv2d_wide_pooled": dsp.conv_2d_narrow,
}
"""Forms of fast kernels that take less flash, by the fast kernel's function."""
