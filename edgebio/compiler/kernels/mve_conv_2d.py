"""Convolution and matrix kernel of Helium: two pixels by four channels, sixteen taps at a time."""

import dataclasses
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.ir.kernel_call import KernelCall, Overlay
from edgebio.compiler.ir.layers import Conv2D, FullyConnected
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Pair, Window
from edgebio.compiler.kernels.layout import (
    clamp_members,
    hides_rounding,
    int8_array,
    window_members,
)
from edgebio.compiler.kernels.mve import NOT_RIGHT, SCRATCH_BYTES, lanes
from edgebio.compiler.kernels.registry import kernel

_LINE_BYTES: Final = 2048
"""Most bytes of a line of pixels whose length can be chosen."""


@kernel("mve", Conv2D)
def conv_2d(network: Network, layer: Conv2D) -> KernelCall | str:
    """Two pixels by four channels, sixteen taps at a time."""
    return _conv_2d(layer, layer.window, layer.weights, layer.pad_value, layer.pool)


@kernel("mve", FullyConnected)
def fully_connected(network: Network, layer: FullyConnected) -> KernelCall | str:
    """Two rows by four outputs, sixteen products at a time: a convolution of 1x1."""
    outputs, inputs = layer.weights.shape
    one, none, line = (1, 1), (0, 0), (1, layer.rows)
    window = Window(line, line, inputs, one, one, one, before=none, after=none)
    return _conv_2d(layer, window, layer.weights.reshape(outputs, 1, 1, inputs), 0, one)


def _conv_2d(
    layer: Conv2D | FullyConnected,
    window: Window,
    weights: NDArray[np.int8],
    pad_value: int,
    pool: Pair,
) -> KernelCall | str:
    table = lanes(layer.channels)
    if table is None:
        return NOT_RIGHT
    pooled, outputs = pool != (1, 1), len(weights)
    if not pooled and window.pointwise:
        window = in_lines(window)
    # The gaps of dilation along a line become weights of zero.
    _, width = window.extent
    dense = np.zeros((outputs, width, window.size[0], window.channels), np.int8)
    dense[:, :: window.dilation[1]] = weights.transpose(0, 2, 1, 3)
    taps = dense.reshape(outputs, -1)
    steps = -(-taps.shape[1] // 16)
    beyond = 16 * steps - taps.shape[1]
    padded = np.pad(taps, ((0, -outputs % 4), (0, beyond)))
    fours = padded.reshape(-1, 4, steps, 16).transpose(0, 2, 1, 3)

    overlay = _overlay(window, outputs, pool)
    direct = window.one_pixel and not pooled and window.channels % 16 == 0 and not overlay
    columns = (window.output[1] - 1) * window.stride[1] + width
    places = -(-pool[0] * pool[1] // 4) * 4 if pooled else 0
    strips = pool[0] * columns * window.size[0] * window.channels
    scratch = 0 if direct else 4 * places + strips + beyond
    if scratch > SCRATCH_BYTES:
        return f"a line of its input takes {scratch:,} bytes of scratch"
    visible = dataclasses.replace(
        window,
        output=(window.output[0] // pool[0], window.output[1] // pool[1]),
        size=(window.size[0], width),
        dilation=(window.dilation[0], 1),
    )
    return KernelCall(
        layer,
        f"eb_run_conv2d{'_pooled' * pooled}_mve",
        ("eb_conv2d_mve.c", "eb_mve.h"),
        arrays=(int8_array("weights", fours, "[outputs / 4][steps][4][16 taps]"), table),
        struct="eb_conv2d_mve",
        parameters={
            "weights": "@weights",
            "lanes": "@lanes",
            "window": window_members(visible),
            "outputs": outputs,
            "steps": steps,
            "pool_h": pool[0],
            "pool_w": pool[1],
            "places": places,
            "columns": columns,
            "zero_point": layer.range.zero_point,
            "direct": int(direct),
            "relu": int(hides_rounding(layer.range)),
            **clamp_members(layer.range, pad_value),
        },
        scratch=scratch,
        takes_scratch=True,
        in_place=(0,) if overlay else (),
        overlay=overlay or "start",
    )


def in_lines(window: Window) -> Window:
    """Arrange the pixels of a 1x1 convolution in lines so that few are left without a partner."""
    pixels = math.prod(window.input)

    def cost(width: int) -> int:
        lines = pixels // width
        return 40 * lines + 300 * lines * (width % 2)

    longest = max(_LINE_BYTES // window.channels, window.input[1])
    width = min((n for n in range(1, longest + 1) if pixels % n == 0), key=cost)
    line = (pixels // width, width)
    return dataclasses.replace(window, input=line, output=line)


def _overlay(window: Window, outputs: int, pool: Pair) -> Overlay | None:
    """Where the output may overlap the input: the strips of a line are read, then written."""
    lines = window.output[0] // pool[0]
    written = window.output[1] // pool[1] * outputs
    row = window.input[1] * window.channels
    advance = pool[0] * window.stride[0] * row
    # Bytes that are written before a line, and those that neither it nor a later line reads.
    done = [
        (line * written, max(line * advance - window.before[0] * row, 0))
        for line in range(1, lines)
    ]
    larger = lines * written - window.input[0] * row
    if larger <= 0 and all(output <= used for output, used in done):
        return "start"
    if larger >= 0 and all(output - larger <= used for output, used in done):
        return "end"
    return None
