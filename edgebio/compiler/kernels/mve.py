"""Kernels of Helium (MVE, Cortex-M55), except convolutions."""

import dataclasses
from typing import Final

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.kernel_call import Array, KernelCall
from edgebio.compiler.ir.layer import Channels
from edgebio.compiler.ir.network import Network
from edgebio.compiler.kernels import portable
from edgebio.compiler.kernels.dsp import by_rows, not_flat
from edgebio.compiler.kernels.layout import MAX_16_BITS, clamp_members
from edgebio.compiler.kernels.registry import kernel

SCRATCH_BYTES: Final = 8192
"""Scratch that a kernel may take; above it, a kernel that needs less is preferred."""

NOT_RIGHT: Final = "not every sum is shifted to the right"


def requantizations(channels: Channels) -> list[tuple[int, int, int]] | None:
    """Bias, multiplier and shift of every output, and of none up to a multiple of four.

    None unless every shift is to the right. A multiplier of 0 gives 0 with any shift.
    """
    rows = [
        (bias, multiplier, shift if multiplier else -1)
        for bias, multiplier, shift in zip(
            channels.bias, channels.multiplier, channels.shift, strict=True
        )
    ]
    if any(not -31 <= shift <= -1 for _, _, shift in rows):
        return None
    return [*rows, *[(0, 0, -1)] * (-len(rows) % 4)]


def lanes(channels: Channels) -> Array | None:
    """Bias and requantization of every four outputs; None unless every shift is to the right."""
    rows = requantizations(channels)
    if rows is None:
        return None
    fours = (rows[i : i + 4] for i in range(0, len(rows), 4))
    values = tuple(tuple(zip(*four, strict=True)) for four in fours)
    return Array("lanes", "eb_lanes", values, "4 biases, 4 multipliers, 4 shifts")


@kernel("mve", layers.Pool)
def pool(network: Network, layer: layers.Pool) -> KernelCall | str:
    """Sixteen channels at a time."""
    if layer.window.padded:
        return "windows read padding"
    if layer.kind != "MAX_POOL_2D" and not 2 <= layer.window.taps < 4096:
        return "its windows have one pixel, or more than 4,095"
    return portable.variant(portable.pool(network, layer), "mve", "eb_pool_mve.c", "eb_mve.h")


@kernel("mve", layers.Mean)
def mean(network: Network, layer: layers.Mean) -> KernelCall | str:
    """Sixteen channels at a time, over one run of pixels."""
    _, first, middle, _, inner = layer.runs
    if (first, middle) != (1, 1) or inner < 4:
        return "it has more than one run of pixels, or fewer than 4 channels"
    return portable.variant(portable.mean(network, layer), "mve", "eb_pool_mve.c", "eb_mve.h")


@kernel("mve", layers.Add)
def add(network: Network, layer: layers.Add) -> KernelCall | str:
    """Four elements at a time, of two inputs of the output's shape."""
    if reason := not_flat(network, layer):
        return reason
    # The sum is formed at twice the larger scale: the input that has it is halved.
    half = (1 << 30, 0)
    first, second = (0, 1) if layer.rescale[0] == half else (1, 0)
    (multiplier_2, shift_2), (multiplier, shift) = layer.rescale[second], layer.rescale_sum
    if layer.rescale[first] != half or not -31 <= shift_2 <= 0 or not -31 <= shift <= -1:
        return NOT_RIGHT
    return KernelCall(
        dataclasses.replace(layer, inputs=(layer.inputs[first], layer.inputs[second])),
        "eb_run_add_mve",
        ("eb_add_mve.c", "eb_mve.h"),
        struct="eb_add_mve",
        parameters={
            "count": network.bytes(layer.output),
            "zero_1": layer.zero_points[first] << 19,
            "zero_2": layer.zero_points[second] << 20,
            "multiplier_2": multiplier_2,
            "shift_2": shift_2,
            "multiplier": multiplier,
            "shift": shift,
            "zero_point": layer.range.zero_point,
            **clamp_members(layer.range),
        },
        in_place=(0, 1),
    )


@kernel("mve", layers.Add, layers.Sub)
def add_rows(network: Network, layer: layers.Add) -> KernelCall | str:
    """Four elements at a time, with broadcast."""
    shifts, (_, last) = [shift for _, shift in layer.rescale], layer.rescale_sum
    if not all(-31 <= shift <= 0 for shift in shifts) or not -31 <= last <= -1:
        return NOT_RIGHT
    function = "eb_run_sub_mve" if isinstance(layer, layers.Sub) else "eb_run_add_rows_mve"
    return by_rows(network, layer, function, "eb_elements_mve.c", "eb_mve.h")


@kernel("mve", layers.Mul)
def mul(network: Network, layer: layers.Mul) -> KernelCall | str:
    """Four elements at a time, with broadcast."""
    if not -31 <= layer.rescale[1] <= -1:
        return NOT_RIGHT
    return by_rows(network, layer, "eb_run_mul_mve", "eb_elements_mve.c", "eb_mve.h")


@kernel("mve", layers.Concatenation)
def concatenation(network: Network, layer: layers.Concatenation) -> KernelCall | str:
    """Sixteen bytes at a time."""
    rows = layer.parameters["rows"]
    assert isinstance(rows, int)
    if 7 * network.bytes(layer.output) // rows > MAX_16_BITS:
        return "eight rows exceed 16 bits"  # of the offsets by which short blocks are scattered
    call = portable.lowered(network, layer)
    return portable.variant(call, "mve", "eb_concatenation_mve.c", "eb_mve.h")
