"""Depthwise convolution kernel of Helium: a window of up to 16 pixels in one vector."""

from typing import Final

import numpy as np

from edgebio.compiler.ir.kernel_call import Array, KernelCall
from edgebio.compiler.ir.layers import DepthwiseConv2D
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Window
from edgebio.compiler.kernels.layout import (
    clamp_members,
    hides_rounding,
    int8_array,
    line_members,
)
from edgebio.compiler.kernels.mve import NOT_RIGHT, SCRATCH_BYTES, lanes
from edgebio.compiler.kernels.registry import kernel

_GROUP: Final = 16
"""Channels that go through the planes at a time."""


@kernel("mve", DepthwiseConv2D)
def depthwise_conv_2d(network: Network, layer: DepthwiseConv2D) -> KernelCall | str:
    """Four channels at a time, a window of up to 16 pixels in one vector."""
    window, table = layer.window, lanes(layer.channels)
    if table is None:
        return NOT_RIGHT
    if layer.multiplier != 1 or window.channels % 4:
        return "it has a multiplier, or the number of channels is not a multiple of 4"
    height, width = window.extent
    if height * width > 16:
        return "its window is larger than 16 pixels"
    # The gaps of dilation become weights of zero.
    dense = np.zeros((height, width, window.channels), np.int8)
    dense[:: window.dilation[0], :: window.dilation[1]] = layer.weights
    lines = min((_Lines(window, axis) for axis in (0, 1)), key=lambda choice: choice.instructions)
    if lines.scratch > SCRATCH_BYTES:
        return f"its planes take {lines.scratch:,} bytes of scratch"
    taps = dense.transpose(2, 1, 0) if lines.axis else dense.transpose(2, 0, 1)
    weights = np.pad(taps.reshape(window.channels, -1), ((0, 0), (0, 1)))
    return KernelCall(
        layer,
        "eb_run_depthwise_mve",
        ("eb_depthwise_mve.c", "eb_mve.h"),
        arrays=(
            int8_array("weights", weights, "[channels][along][across], zero"),
            Array("order", "uint8_t", lines.order, "[slots][16]"),
            table,
        ),
        struct="eb_depthwise_mve",
        parameters={
            "weights": "@weights",
            "order": "@order",
            "lanes": "@lanes",
            "channels": window.channels,
            "weight_step": weights.shape[1],
            "slots": lines.slots,
            "pitch": lines.pitch,
            **line_members(
                window,
                lines.axis,
                count=window.output[lines.axis],
                step=window.stride[lines.axis] * lines.slots,
            ),
            "zero_point": layer.range.zero_point,
            "relu": int(hides_rounding(layer.range)),
            **clamp_members(layer.range, layer.pad_value),
        },
        scratch=lines.scratch,
        # A line of input is in the planes before its place is overwritten. So that other groups of
        # channels are not overwritten, pixels of the output must lie on those of the input.
        in_place=(0,) if lines.are_read_in_time else (),
        overlay="same",
    )


class _Lines:
    """Layout of the planes of a depthwise convolution: lines along an axis of the image.

    Attributes
    ----------
    axis : int
        0 along columns of the image, 1 along rows.
    slots : int
        Lines under a window, including those in the gaps of dilation.
    span : int
        Pixels along a line under a window.
    pitch : int
        Bytes of a channel's plane.
    """

    def __init__(self, window: Window, axis: int) -> None:
        self.window, self.axis = window, axis
        self.span, self.slots = window.extent[axis], window.extent[1 - axis]
        columns = (window.output[axis] - 1) * window.stride[axis] + self.span
        # The whole image is spread, whether some window reads it or not.
        columns = max(columns, window.before[axis] + window.input[axis])
        self.pitch = columns * self.slots

    @property
    def scratch(self) -> int:
        """Bytes of the planes of a group, and those that a vector may read behind them."""
        return min(_GROUP, self.window.channels) * self.pitch + 16 - self.slots * self.span

    @property
    def instructions(self) -> float:
        """Approximate instruction count of four channels."""
        axis, across = self.axis, 1 - self.axis
        lines, count = self.window.output[across], self.window.output[axis]
        spread = lines * self.window.stride[across] * self.window.input[axis] * 1.75
        quick = self.window.stride[axis] * self.slots in (1, 3)  # have a kernel of their own
        return spread + lines * (45 + count * (18 if quick else 22))

    @property
    def order(self) -> tuple[int, ...]:
        """Which weight goes where: [slots][16], by the slot that holds the first line."""
        table = []
        for first in range(self.slots):
            for place in range(16):
                pixel, slot = divmod(place, self.slots)
                line = (slot - first) % self.slots
                zero = self.slots * self.span
                table.append(pixel * self.slots + line if pixel < self.span else zero)
        return tuple(table)

    @property
    def are_read_in_time(self) -> bool:
        """Whether each line of outputs overwrites only pixels that have been spread before."""
        window, axis, across = self.window, self.axis, 1 - self.axis
        (_, width), (_, input_width) = window.output, window.input
        last = window.input[across] - 1
        if axis == 0 and width != input_width:
            return False
        for line in range(window.output[across]):
            read = line * window.stride[across] - window.before[across] + self.slots - 1
            over = ((line + 1) * width - 1) // input_width if axis else line
            if min(read, last) < over:
                return False
        return True
