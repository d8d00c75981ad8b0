"""Matrix kernels of the DSP extension."""

import dataclasses
from typing import cast

import numpy as np

from edgebio.compiler.ir.kernel_call import Array, KernelCall, Value
from edgebio.compiler.ir.layers import Conv2D, FullyConnected
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Window
from edgebio.compiler.kernels.dsp import NOT_PROVEN, quads
from edgebio.compiler.kernels.dsp_conv_2d import conv_2d_wide
from edgebio.compiler.kernels.layout import clamp_members, int8_array
from edgebio.compiler.kernels.registry import kernel

Fours = tuple[Value, Value, Value, Value]
"""Values of four neighboring outputs."""


@kernel("dsp", FullyConnected)
def fully_connected(network: Network, layer: FullyConnected) -> KernelCall | str:
    """Four outputs, four products each at a time."""
    tables = _tables(layer)
    if tables is None:
        return NOT_PROVEN
    biases, rescales = tables
    outputs, inputs = layer.weights.shape
    weights = np.pad(layer.weights, ((0, -outputs % 4), (0, -inputs % 4)))
    steps = weights.shape[1] // 4
    fours = weights.reshape(-1, 4, steps, 4).transpose(0, 2, 1, 3)
    call = KernelCall(
        layer,
        "eb_run_fully_connected_dsp",
        ("eb_fully_connected_dsp.c", "eb_dsp.h"),
        arrays=(
            int8_array("weights", fours, "[outputs / 4][steps][4][4 inputs]"),
            biases,
            rescales,
        ),
        struct="eb_fully_connected_fours",
        parameters={
            "weights": "@weights",
            "biases": "@biases",
            "rescales": "@rescales",
            "rescale_step": int(len(rescales.values) > 1),
            "rows": layer.rows,
            "inputs": inputs,
            "outputs": outputs,
            "steps": steps,
            **clamp_members(layer.range),
        },
        scratch=8 * steps,
        takes_scratch=True,
        estimate=layer.rows * (30 + 2 * inputs + len(weights) // 4 * (75 + 20 * steps)),
    )

    def wide() -> KernelCall:
        form = fully_connected_wide(network, layer)
        return call if isinstance(form, str) else dataclasses.replace(form, smaller=lambda: call)

    # The weights of many rows are worth their flash as those of convolutions are.
    if layer.rows > 1 and (form := wide()).estimate < call.estimate:
        return form
    return dataclasses.replace(call, faster=wide)


def _tables(layer: FullyConnected) -> tuple[Array, Array] | None:
    """Doubled biases, and requantization: of every output, or one if they are all the same.

    None unless it is proven that nothing overflows and that every shift is to the right.
    """
    table = quads(layer)
    if table is None:
        return None
    biases, rescales = (
        [value for four in fours for value in four][: len(layer.weights)]
        for fours in zip(*cast("tuple[tuple[Fours, Fours], ...]", table.values), strict=True)
    )
    if len(set(rescales)) == 1:
        rescales = rescales[:1]
    return (
        Array("biases", "int32_t", tuple(biases), "doubled"),
        Array("rescales", "eb_rescale", tuple(rescales), "multiplier, rounding, shift"),
    )


def fully_connected_wide(network: Network, layer: FullyConnected) -> KernelCall | str:
    """A convolution of 1x1, weights widened to int16: fastest, twice the flash."""
    outputs, inputs = layer.weights.shape
    one, none, line = (1, 1), (0, 0), (1, layer.rows)
    convolution = Conv2D(
        layer.operators, layer.kind, layer.inputs, layer.output, activation=layer.activation,
        window=Window(line, line, inputs, one, one, one, before=none, after=none),
        weights=layer.weights.reshape(outputs, 1, 1, inputs),
        channels=layer.channels, pad_value=0, range=layer.range,
    )  # fmt: skip
    call = conv_2d_wide(network, convolution)
    if isinstance(call, str):
        return call
    return dataclasses.replace(call, layer=layer, smaller=None, faster=None)
