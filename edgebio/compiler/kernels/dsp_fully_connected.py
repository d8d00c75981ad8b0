"""Matrix kernels of the DSP extension."""

import dataclasses

import numpy as np

from edgebio.compiler.ir.kernel_call import KernelCall
from edgebio.compiler.ir.layers import Conv2D, FullyConnected
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Window
from edgebio.compiler.kernels.dsp import NOT_PROVEN, quads
from edgebio.compiler.kernels.dsp_conv_2d import conv_2d_wide
from edgebio.compiler.kernels.layout import clamp_members, int8_array
from edgebio.compiler.kernels.registry import kernel


@kernel("dsp", FullyConnected)
def fully_connected(network: Network, layer: FullyConnected) -> KernelCall | str:
    """Four outputs, four products each at a time."""
    table = quads(layer)
    if table is None:
        return NOT_PROVEN
    outputs, inputs = layer.weights.shape
    weights = np.pad(layer.weights, ((0, -outputs % 4), (0, -inputs % 4)))
    steps = weights.shape[1] // 4
    fours = weights.reshape(-1, 4, steps, 4).transpose(0, 2, 1, 3)
    call = KernelCall(
        layer,
        "eb_run_fully_connected_dsp",
        ("eb_fully_connected_dsp.c", "eb_quad.h", "eb_dsp.h"),
        arrays=(int8_array("weights", fours, "[outputs / 4][steps][4][4 inputs]"), table),
        struct="eb_fully_connected_quads",
        parameters={
            "weights": "@weights",
            "quads": "@quads",
            "rows": layer.rows,
            "inputs": inputs,
            "outputs": outputs,
            "steps": steps,
            **clamp_members(layer.range),
        },
        scratch=8 * steps,
        takes_scratch=True,
        estimate=layer.macs * 3 // 2,
    )

    def faster() -> KernelCall:
        wide = fully_connected_wide(network, layer)
        return call if isinstance(wide, str) else dataclasses.replace(wide, smaller=lambda: call)

    return dataclasses.replace(call, faster=faster)


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
    return call if isinstance(call, str) else dataclasses.replace(call, layer=layer, smaller=None)
