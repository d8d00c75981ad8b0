"""Kernels for cores with Helium (MVE): Cortex-M55."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler import network as net
from edgebio.compiler import portable
from edgebio.compiler.layout import int8_array, window_members
from edgebio.compiler.step import Array, Overlay, Step

_SCRATCH_BYTES = 8192
"""Scratch that a kernel may take; beyond it, one that needs less is better."""


_SHIFT = "not every sum is shifted to the right"


def conv_2d(network: net.Network, layer: net.Conv2D) -> Step | str:
    """Two pixels by four channels, sixteen taps at a time."""
    return _conv_2d(layer, layer, layer.window, layer.weights, layer.pad_value, layer.pool)


def fully_connected(network: net.Network, layer: net.FullyConnected) -> Step | str:
    """Two rows by four outputs, sixteen products at a time: a convolution of 1x1."""
    outputs, inputs = layer.weights.shape
    line = (1, layer.rows)
    window = net.Window(
        line, line, inputs, size=(1, 1), stride=(1, 1), dilation=(1, 1), before=(0, 0), after=(0, 0)
    )
    return _conv_2d(layer, layer, window, layer.weights.reshape(outputs, 1, 1, inputs), 0, (1, 1))


def _conv_2d(
    layer: net.Layer,
    sums: net.Conv2D | net.FullyConnected,
    window: net.Window,
    weights: NDArray[np.int8],
    pad_value: int,
    pool: tuple[int, int],
) -> Step | str:
    table = lanes(sums.channels)
    if table is None:
        return _SHIFT
    pooled = pool != (1, 1)
    outputs, limits = len(weights), sums.range
    if not pooled and window.taps == 1 and not window.padded and window.stride == (1, 1):
        window = pixels_in_lines(window)
    # Along a line, what dilation leaves out is taken with weights of zero.
    width = (window.size[1] - 1) * window.dilation[1] + 1
    dense = np.zeros((outputs, width, window.size[0], window.channels), np.int8)
    dense[:, :: window.dilation[1]] = weights.transpose(0, 2, 1, 3)
    taps = dense.reshape(outputs, -1)
    steps = -(-taps.shape[1] // 16)
    padded = np.pad(taps, ((0, -outputs % 4), (0, 16 * steps - taps.shape[1])))
    fours = padded.reshape(-1, 4, steps, 16).transpose(0, 2, 1, 3)

    single = window.taps == 1 and not window.padded
    overlay = _overlay(window, outputs, pool)
    direct = single and not pooled and window.channels % 16 == 0 and not overlay
    columns = (window.output[1] - 1) * window.stride[1] + width
    places = -(-pool[0] * pool[1] // 4) * 4 if pooled else 0
    scratch = 0
    if not direct:
        beyond = 16 * steps - taps.shape[1]
        scratch = 4 * places + pool[0] * columns * window.size[0] * window.channels + beyond
    if scratch > _SCRATCH_BYTES:
        return f"a line of its input takes {scratch:,} bytes of scratch"
    seen = dataclasses.replace(
        window,
        output=(window.output[0] // pool[0], window.output[1] // pool[1]),
        size=(window.size[0], width),
        dilation=(window.dilation[0], 1),
    )
    return Step(
        layer,
        f"eb_run_conv2d{'_pooled' * pooled}_mve",
        ("eb_conv2d_mve.c", "eb_mve.h"),
        "mve",
        arrays=(int8_array("weights", fours, "[outputs / 4][steps][4][16 taps]"), table),
        struct="eb_conv2d_mve",
        parameters={
            "weights": "@weights",
            "lanes": "@lanes",
            "window": window_members(seen),
            "outputs": outputs,
            "steps": steps,
            "pool_h": pool[0],
            "pool_w": pool[1],
            "places": places,
            "columns": columns,
            "zero_point": limits.zero_point,
            "direct": int(direct),
            "relu": int(limits.low >= limits.zero_point),
            "clamped": int((limits.low, limits.high) != (-128, 127)),
            "pad_value": pad_value,
            "low": limits.low,
            "high": limits.high,
        },
        scratch=scratch,
        takes_scratch=True,
        in_place=(0,) if overlay else (),
        overlay=overlay or "start",
    )


_LINE_BYTES = 2048
"""Of a line of pixels that may be of any length."""


def pixels_in_lines(window: net.Window) -> net.Window:
    """Put the pixels of a 1x1 convolution into lines with few that find no partner."""
    pixels = math.prod(window.input)

    def cost(width: int) -> int:
        lines = pixels // width
        return 40 * lines + 300 * lines * (width % 2)

    most = max(_LINE_BYTES // window.channels, window.input[1])
    widths = [width for width in range(1, most + 1) if pixels % width == 0]
    width = min(widths, key=cost)
    line = (pixels // width, width)
    return dataclasses.replace(window, input=line, output=line)


def _overlay(window: net.Window, outputs: int, pool: tuple[int, int]) -> Overlay | None:
    """Tell where the output may lie over the input: the strips of a line are read, then written."""
    lines = window.output[0] // pool[0]
    written = window.output[1] // pool[1] * outputs
    row = window.input[1] * window.channels
    advance = pool[0] * window.stride[0] * row
    # Bytes that are written before a line, and those that no line from there on reads.
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


def lanes(channels: net.Channels) -> Array | None:
    """Bias and requantisation of every four outputs.

    None where not every shift is to the right.
    """
    rows = list(zip(channels.bias, channels.multiplier, channels.shift, strict=True))
    if any(not -31 <= shift <= -1 for _, _, shift in rows):
        return None
    rows += [(0, 0, -1)] * (-len(rows) % 4)
    fours = (rows[i : i + 4] for i in range(0, len(rows), 4))
    values = tuple(tuple(zip(*four, strict=True)) for four in fours)
    return Array("lanes", "eb_lanes", values, "4 biases, 4 multipliers, 4 shifts")


def depthwise_conv_2d(network: net.Network, layer: net.DepthwiseConv2D) -> Step | str:
    """Four channels at a time, a window of up to 16 pixels in one vector."""
    window = layer.window
    table = lanes(layer.channels)
    if table is None:
        return _SHIFT
    if layer.multiplier != 1 or window.channels % 4:
        return "its outputs are not as many as its channels, or those not a multiple of 4"
    height, width = (
        (size - 1) * dilation + 1
        for size, dilation in zip(window.size, window.dilation, strict=True)
    )
    if height * width > 16:
        return "its window is larger than 16 pixels"
    # What dilation leaves out is taken with weights of zero.
    dense = np.zeros((height, width, window.channels), np.int8)
    dense[:: window.dilation[0], :: window.dilation[1]] = layer.weights
    lines = min((_Lines(window, axis) for axis in (0, 1)), key=lambda choice: choice.instructions)
    if lines.scratch > _SCRATCH_BYTES:
        return f"its planes take {lines.scratch:,} bytes of scratch"
    taps = dense.transpose(2, 1, 0) if lines.axis else dense.transpose(2, 0, 1)
    weights = np.pad(taps.reshape(window.channels, -1), ((0, 0), (0, 1)))
    limits = layer.range
    return Step(
        layer,
        "eb_run_depthwise_mve",
        ("eb_depthwise_mve.c", "eb_mve.h"),
        "mve",
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
            **lines.members(window),
            "zero_point": limits.zero_point,
            "relu": int(limits.low >= limits.zero_point),
            "clamped": int((limits.low, limits.high) != (-128, 127)),
            "pad_value": layer.pad_value,
            "low": limits.low,
            "high": limits.high,
        },
        scratch=lines.scratch,
        # A line of input is in the planes before what lies over it is written. That other groups
        # of channels are not written over, takes pixels of the output on those of the input.
        in_place=(0,) if lines.are_read_in_time else (),
        overlay="same",
    )


_GROUP = 16
"""Channels that go through the planes at a time."""


class _Lines:
    """How the planes of a depthwise convolution lie: lines along an axis of the image.

    Attributes
    ----------
    axis : int
        0 along columns of the image, 1 along rows.
    slots : int
        Lines under a window, those that dilation leaves out included.
    span : int
        Pixels along a line under a window.
    pitch : int
        Bytes of a channel's plane.
    """

    def __init__(self, window: net.Window, axis: int) -> None:
        self.window, self.axis = window, axis
        self.span, self.slots = (
            (window.size[a] - 1) * window.dilation[a] + 1 for a in (axis, 1 - axis)
        )
        columns = (window.output[axis] - 1) * window.stride[axis] + self.span
        # All of the image is spread, whether some window sees it or not.
        columns = max(columns, window.before[axis] + window.input[axis])
        self.pitch = columns * self.slots

    @property
    def scratch(self) -> int:
        """Bytes of the planes of a group, and of what a vector may reach beyond them."""
        return min(_GROUP, self.window.channels) * self.pitch + 16 - self.slots * self.span

    @property
    def instructions(self) -> float:
        """About how many four channels take."""
        axis, across = self.axis, 1 - self.axis
        lines, count = self.window.output[across], self.window.output[axis]
        spread = lines * self.window.stride[across] * self.window.input[axis] * 1.75
        by_3 = self.window.stride[axis] * self.slots == 3
        return spread + lines * (45 + count * (19 if by_3 else 23))

    @property
    def order(self) -> tuple[int, ...]:
        """Which weight goes where: [slots][16], by the slot in which the first line is."""
        table = []
        for first in range(self.slots):
            for place in range(16):
                pixel, slot = divmod(place, self.slots)
                line = (slot - first) % self.slots
                none = self.slots * self.span  # a zero
                table.append(pixel * self.slots + line if pixel < self.span else none)
        return tuple(table)

    @property
    def are_read_in_time(self) -> bool:
        """Whether each line of outputs lies over pixels that have been spread before."""
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

    def members(self, window: net.Window) -> dict[str, int]:
        """Members of an eb_depthwise_mve."""
        axis, across = self.axis, 1 - self.axis
        steps = (window.input[1] * window.channels, window.channels)
        output_steps = (window.output[1] * window.channels, window.channels)
        return {
            "slots": self.slots,
            "pitch": self.pitch,
            "along": window.input[axis],
            "across": window.input[across],
            "along_step": steps[axis],
            "across_step": steps[across],
            "along_pad": window.before[axis],
            "across_pad": window.before[across],
            "lines": window.output[across],
            "line_stride": window.stride[across],
            "count": window.output[axis],
            "step": window.stride[axis] * self.slots,
            "output_step": output_steps[axis],
            "output_line": output_steps[across],
        }


def pool(network: net.Network, layer: net.Pool) -> Step | str:
    """Sixteen channels at a time."""
    if layer.window.padded:
        return "windows reach into padding"
    step = portable.pool(network, layer)
    return dataclasses.replace(
        step, function=f"{step.function}_mve", sources=("eb_pool_mve.c", "eb_mve.h"), core="mve"
    )


def mean(network: net.Network, layer: net.Mean) -> Step | str:
    """Sixteen channels at a time, over one run of pixels."""
    _, first, middle, _, inner = layer.runs
    if (first, middle) != (1, 1) or inner < 4:
        return "it has more than one run of pixels, or less than 4 channels"
    return dataclasses.replace(
        portable.mean(network, layer),
        function="eb_run_mean_mve",
        sources=("eb_pool_mve.c", "eb_mve.h"),
        core="mve",
    )


def add(network: net.Network, layer: net.Add) -> Step | str:
    """Four elements at a time, of two inputs of the output's shape."""
    size = network.bytes(layer.output)
    if isinstance(layer, net.Sub) or any(network.bytes(index) != size for index in layer.inputs):
        return "it takes the second input away, or repeats one"
    if any(network.tensors[index].data is not None for index in layer.inputs):
        return "one of its inputs is a constant"
    # The sum is formed at twice the larger scale: the input that has it is halved.
    half = (1 << 30, 0)
    first, second = (0, 1) if layer.rescale[0] == half else (1, 0)
    (multiplier_2, shift_2), (multiplier, shift) = layer.rescale[second], layer.rescale_sum
    if layer.rescale[first] != half or not -31 <= shift_2 <= 0 or not -31 <= shift <= -1:
        return _SHIFT
    limits = layer.range
    return Step(
        dataclasses.replace(layer, inputs=(layer.inputs[first], layer.inputs[second])),
        "eb_run_add_mve",
        ("eb_add_mve.c", "eb_mve.h"),
        "mve",
        struct="eb_add_mve",
        parameters={
            "count": size,
            "zero_1": layer.zero_points[first] << 19,
            "zero_2": layer.zero_points[second] << 20,
            "multiplier_2": multiplier_2,
            "shift_2": shift_2,
            "multiplier": multiplier,
            "shift": shift,
            "zero_point": limits.zero_point,
            "clamped": int((limits.low, limits.high) != (-128, 127)),
            "low": limits.low,
            "high": limits.high,
        },
        in_place=(0, 1),
    )
