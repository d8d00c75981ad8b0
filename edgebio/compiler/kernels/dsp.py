"""Kernels of the DSP extension (Cortex-M4, M7, M33), except convolutions."""

import dataclasses
from typing import Final, TypeVar

import numpy as np

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.kernel_call import Array, KernelCall
from edgebio.compiler.ir.network import Network
from edgebio.compiler.kernels import portable
from edgebio.compiler.kernels.layout import MAX_16_BITS, clamp_members
from edgebio.compiler.kernels.registry import kernel

NOT_PROVEN: Final = "its requantization is not proven to fit 32 bits"
NOT_FOURS: Final = "the number of channels is not a multiple of 4"


def quads(layer: layers.Weighted, scale: int = 2) -> Array | None:
    """Bias times `scale` and requantization of every four outputs, for doubled sums.

    None unless it is proven that nothing overflows and that every shift is to the right.
    """
    channels, zero_point = layer.channels, layer.range.zero_point
    magnitudes = np.abs(layer.products).sum(axis=1).tolist()
    rows = []
    for bias, multiplier, shift, magnitude in zip(
        channels.bias, channels.multiplier, channels.shift, magnitudes, strict=True
    ):
        doubled = 2 * (abs(bias) + 128 * magnitude)  # no partial sum is larger
        if not -22 <= shift <= -1 or doubled >= 1 << 31:
            return None
        rounding = (1 << (-shift - 1)) + (zero_point << -shift)
        if (doubled * multiplier >> 32) + abs(rounding) + 2 >= 1 << 31:
            return None
        rows.append((scale * bias, (multiplier, rounding, -shift)))
    rows += [(0, (0, 0, 1))] * (-len(rows) % 4)
    fours = (rows[i : i + 4] for i in range(0, len(rows), 4))
    values = tuple(tuple(zip(*four, strict=True)) for four in fours)
    return Array("quads", "eb_quad", values, "4 biases; 4 times multiplier, rounding, shift")


@kernel("dsp", layers.Pool)
def pool(network: Network, layer: layers.Pool) -> KernelCall | str:
    """Four channels at a time."""
    if layer.window.padded:
        return "windows read padding"
    if layer.window.channels % 4:
        return NOT_FOURS
    call = portable.pool(network, layer)
    return portable.variant(call, "dsp", "eb_pool_dsp.c", "eb_sums_dsp.h", "eb_dsp.h")


@kernel("dsp", layers.Mean)
def mean(network: Network, layer: layers.Mean) -> KernelCall | str:
    """Four channels at a time, over one run of pixels."""
    _, first, middle, _, inner = layer.runs
    if (first, middle) != (1, 1):
        return "it has more than one run of pixels"
    if inner % 4:
        return NOT_FOURS
    call = portable.mean(network, layer)
    return portable.variant(call, "dsp", "eb_mean_dsp.c", "eb_sums_dsp.h", "eb_dsp.h")


def not_flat(network: Network, layer: layers.Add) -> str:
    """Why an ADD is not of two computed inputs of the output's shape; empty if it is."""
    size = network.bytes(layer.output)
    if any(network.bytes(index) != size for index in layer.inputs):
        return "it repeats an input"
    return "an input is constant" if any(map(network.is_constant, layer.inputs)) else ""


@kernel("dsp", layers.Add)
def add(network: Network, layer: layers.Add) -> KernelCall | str:
    """Element by element, of two inputs of the output's shape."""
    if reason := not_flat(network, layer):
        return reason
    # The sum is formed at twice the larger scale: the input that has it is halved, shift 0.
    first, second = (0, 1) if layer.rescale[0][1] == 0 else (1, 0)
    shift_2, (multiplier, shift) = -layer.rescale[second][1], layer.rescale_sum
    if layer.rescale[first][1] != 0 or not 0 <= shift_2 <= 30 or not -22 <= shift <= -1:
        return NOT_PROVEN
    zero_point = layer.range.zero_point
    return KernelCall(
        dataclasses.replace(layer, inputs=(layer.inputs[first], layer.inputs[second])),
        "eb_run_add_dsp",
        ("eb_add_dsp.c", "eb_dsp.h"),
        struct="eb_add_flat",
        parameters={
            "count": network.bytes(layer.output),
            "zero_1": layer.zero_points[first] << 21,
            "zero_2": layer.zero_points[second] << 21,
            "multiplier_1": layer.rescale[first][0],
            "multiplier_2": layer.rescale[second][0],
            "rounding_2": 1 << (shift_2 - 1) if shift_2 else 0,
            "shift_2": shift_2,
            "multiplier": multiplier,
            "rounding": (1 << (-shift - 1)) + (zero_point << -shift),
            "shift": -shift,
            **clamp_members(layer.range),
        },
        in_place=(0, 1),
    )


@kernel("dsp", layers.Add, layers.Sub)
def add_rows(network: Network, layer: layers.Add) -> KernelCall | str:
    """Element by element, with broadcast; what is repeated along a row is rescaled once."""
    # The sum is formed at twice the larger scale: the input that has it is halved.
    half = (1 << 30, 0)
    others = [rescale for rescale in layer.rescale if rescale != half]
    shifts, last = [shift for _, shift in others], layer.rescale_sum[1]
    if len(others) > 1 or not all(-30 <= shift <= -1 for shift in shifts) or not -22 <= last <= -1:
        return NOT_PROVEN
    function = "eb_run_sub_dsp" if isinstance(layer, layers.Sub) else "eb_run_add_rows_dsp"
    return by_rows(network, layer, function, "eb_elements_dsp.c", "eb_dsp.h")


@kernel("dsp", layers.Mul)
def mul(network: Network, layer: layers.Mul) -> KernelCall | str:
    """Element by element, with broadcast."""
    if not -22 <= layer.rescale[1] <= -1:
        return NOT_PROVEN
    return by_rows(network, layer, "eb_run_mul_dsp", "eb_elements_dsp.c", "eb_dsp.h")


def by_rows(
    network: Network, layer: layers.Add | layers.Mul, function: str, *sources: str
) -> KernelCall:
    """Call of a kernel that takes the parameters of the portable one, in rows."""
    if isinstance(layer, layers.Add):
        call = portable.add(network, _merged(layer))
    else:
        call = portable.mul(network, _merged(layer))
    return dataclasses.replace(call, layer=layer, function=function, sources=sources)


_Broadcast = TypeVar("_Broadcast", bound=layers.Broadcast)


def _merged(layer: _Broadcast) -> _Broadcast:
    """The same elements in rows that are as long as possible."""
    axes: list[tuple[int, int, int]] = []  # size and step of each input, from the last axis on
    for axis in reversed(range(4)):
        size, step_1, step_2 = layer.shape[axis], layer.steps[0][axis], layer.steps[1][axis]
        if axes:
            inner, within_1, within_2 = axes[-1]
            follows = (step_1, step_2) == (within_1 * inner, within_2 * inner)
            if follows and size * inner <= MAX_16_BITS:
                axes[-1] = (size * inner, within_1, within_2)
                continue
        if size > 1:
            axes.append((size, step_1, step_2))
    d, c, b, a = [*axes, *[(1, 0, 0)] * (4 - len(axes))]
    shape, steps_1, steps_2 = zip(a, b, c, d, strict=True)
    return dataclasses.replace(layer, shape=shape, steps=(steps_1, steps_2))


@kernel("dsp", layers.Concatenation)
def concatenation(network: Network, layer: layers.Concatenation) -> KernelCall:
    """Words of four bytes, one input after the other."""
    call = portable.lowered(network, layer)
    return portable.variant(call, "dsp", "eb_concatenation_dsp.c", "eb_dsp.h")
