"""Kernels for cores with the DSP extension: Cortex-M4, M7, M33."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler import network as net
from edgebio.compiler import portable
from edgebio.compiler.layout import MOST_16_BITS, int8_array, window_members
from edgebio.compiler.step import Array, Step


def conv_2d_wide(network: net.Network, layer: net.Conv2D) -> Step | None:
    """Two pixels by four channels, weights widened to int16: fastest, twice the flash."""
    taps = _taps(layer, even=False)
    if taps is None:
        return None
    quads = taps.reshape(-1, 4, *taps.shape[1:]).transpose(0, 2, 1, 3)
    weights = Array(
        "weights",
        "int16_t",
        tuple((2 * quads).ravel().tolist()),
        "doubled, [outputs / 4][steps][4][2 taps]",
    )
    steps = taps.shape[1]
    a_quad = 55 + 11 * steps + 3 * math.ceil(steps / 16)
    return _conv_2d(layer, "wide", weights, steps, math.ceil(len(taps) / 4) * a_quad)


def conv_2d_narrow(network: net.Network, layer: net.Conv2D) -> Step | None:
    """Two pixels by two channels, weights as they are."""
    taps = _taps(layer, even=True)
    if taps is None:
        return None
    # The taps of two steps as SXTB16 takes them out of a word: the lower ones, the upper ones.
    words = taps.reshape(len(taps), -1, 2, 2).transpose(0, 1, 3, 2)
    twos = words.reshape(-1, 2, *words.shape[1:]).transpose(0, 2, 1, 3, 4)
    weights = Array(
        "weights", "int8_t", tuple(twos.ravel().tolist()), "[outputs / 2][steps / 2][2][4 taps]"
    )
    steps = taps.shape[1]
    return _conv_2d(layer, "narrow", weights, steps, math.ceil(len(taps) / 2) * (82 + 8 * steps))


def _taps(layer: net.Conv2D, even: bool) -> NDArray[np.int64] | None:
    """Weights in the order of the widened patch, (outputs, steps, 2), outputs a multiple of 4.

    None where the kernel's arithmetic is not proven for the layer, or a window is too large.
    """
    if quads(layer) is None:
        return None
    window = layer.window
    order = _order(window)
    if max(len(order) // 2 + 1, window.size[1] * window.channels // _runs(window)) > MOST_16_BITS:
        return None
    steps = len(order) // 2
    flat = layer.weights.reshape(len(layer.weights), -1).astype(np.int64)
    flat = np.pad(flat, ((0, -len(flat) % 4), (0, 1)))  # what is left over takes no part
    taps = flat[:, order].reshape(len(flat), steps, 2)
    return np.pad(taps, ((0, 0), (0, steps % 2), (0, 0))) if even else taps


_COPY_BYTES = 4096
"""Scratch that a copy of the input may take."""


def _copies(window: net.Window) -> bool:
    """Whether the input is copied with its padding around it.

    Then no window leaves it, and a row of the window is one run of bytes whatever the channels.
    """
    return window.padded and window.channels % 4 != 0 and _copy_bytes(window) <= _COPY_BYTES


def _copied(window: net.Window) -> tuple[int, int]:
    """Height and width of the input with its padding."""
    height, width = (
        size + before + after
        for size, before, after in zip(window.input, window.before, window.after, strict=True)
    )
    return height, width


def _copy_bytes(window: net.Window) -> int:
    return math.prod(_copied(window)) * window.channels


def _runs(window: net.Window) -> int:
    """In how many runs of neighbouring bytes a row of the window is widened.

    One, where its pixels are neighbours; but where it may reach into padding, a pixel is a run,
    unless both ways give the same order.
    """
    one = window.dilation[1] == 1 or window.size[1] == 1
    by_pixel = window.padded and not _copies(window) and window.channels % 4 != 0
    return 1 if one and not by_pixel else window.size[1]


def _order(window: net.Window) -> list[int]:
    """Which tap stands where in a widened patch; -1 where none does.

    Four neighbouring bytes come out of SXTB16 as 0 2 and 1 3; what is left of a run goes in pairs.
    """
    run = window.size[1] * window.channels // _runs(window)
    order: list[int] = []
    for start in range(0, window.taps * window.channels, run):
        fours = range(start, start + run // 4 * 4, 4)
        rest = range(start + run // 4 * 4, start + run)
        order += [first + tap for first in fours for tap in (0, 2, 1, 3)]
        order += [*rest, *([-1] * (len(rest) % 2))]
    return order


def _conv_2d(layer: net.Conv2D, width: str, weights: Array, steps: int, a_pair: int) -> Step:
    """Give `layer` the kernel for weights of `width`; `a_pair` instructions sum two pixels."""
    window = layer.window
    pooled = layer.pool != (1, 1)
    pairs = (layer.pool[0] * layer.pool[1] + 1) // 2
    grows = len(layer.weights) > window.channels
    copies = _copies(window)
    borders = window.padded and not copies
    image = _copied(window) if copies else window.input
    inside = [
        max(size - (taps - 1) * dilation, 0)
        for size, taps, dilation in zip(image, window.size, window.dilation, strict=True)
    ]
    seen = dataclasses.replace(
        window, input=image, output=layer.pooled, before=(0, 0) if copies else window.before
    )
    table = quads(layer)
    assert table is not None  # asked before
    return Step(
        layer,
        f"eb_run_conv2d_{width}{'_pooled' * pooled}",
        (
            f"eb_conv2d_{width}.c",
            *("eb_conv2d_pairs.c", "eb_conv2d_pairs.h", "eb_quad.h", "eb_dsp.h"),
        ),
        "dsp",
        arrays=(weights, table),
        struct="eb_conv2d_pairs",
        parameters={
            "weights": "@weights",
            "quads": "@quads",
            "window": window_members(seen),
            "outputs": len(layer.weights),
            "steps": steps,
            "pool_h": layer.pool[0],
            "pool_w": layer.pool[1],
            "inside_h": inside[0],
            "inside_w": inside[1],
            "runs": _runs(window),
            "run": window.size[1] * window.channels // _runs(window),
            "copy_h": window.input[0] if copies else 0,
            "copy_w": window.input[1] if copies else 0,
            "copy_top": window.before[0] if copies else 0,
            "copy_left": window.before[1] if copies else 0,
            "borders": int(borders),
            "relu": int(layer.range.low >= layer.range.zero_point),
            "clamped": int((layer.range.low, layer.range.high) != (-128, 127)),
            "pad_value": layer.pad_value,
            "low": layer.range.low,
            "high": layer.range.high,
        },
        scratch=8 * steps * pairs
        + (_copy_bytes(window) if copies else window.channels if borders else 0),
        # Both pixels are in the patch before the first is written; then the output grows by its
        # channels where the input is used up by its own. Under a pool, the pixels of a second row
        # are read before others of the first.
        in_place=(0,) if _pointwise(window) and not (pooled and grows) else (),
        overlay="end" if grows else "start",
        estimate=pairs * math.prod(layer.pooled) * (a_pair + _patch_estimate(window))
        if pooled
        else math.ceil(math.prod(window.output) / 2) * (a_pair + _patch_estimate(window)),
    )


def _pointwise(window: net.Window) -> bool:
    """Whether each pixel of the output comes from the one at its place."""
    return window.taps == 1 and not window.padded and window.stride == (1, 1)


def _patch_estimate(window: net.Window) -> int:
    """About how many instructions two patches take."""
    runs = _runs(window)
    run = window.size[1] * window.channels // runs
    return 120 + window.size[0] * runs * (15 + 11 * run // 4)


def quads(layer: net.Conv2D | net.DepthwiseConv2D | net.FullyConnected) -> Array | None:
    """Bias and requantisation of every four outputs, for doubled sums.

    None where it cannot be proven that nothing overflows and that every shift is to the right.
    """
    channels = layer.channels
    if isinstance(layer, net.DepthwiseConv2D):
        outputs = layer.weights.shape[-1]
        magnitude = np.abs(layer.weights.reshape(-1, outputs).astype(np.int64)).sum(axis=0)
    else:
        outputs = len(layer.weights)
        magnitude = np.abs(layer.weights.reshape(outputs, -1).astype(np.int64)).sum(axis=1)
    rows = []
    zero_point = layer.range.zero_point
    for bias, multiplier, shift, size in zip(
        channels.bias, channels.multiplier, channels.shift, magnitude.tolist(), strict=True
    ):
        doubled = 2 * (abs(bias) + 128 * size)  # no partial sum is larger
        if not -22 <= shift <= -1 or doubled >= 1 << 31:
            return None
        rounding = (1 << (-shift - 1)) + (zero_point << -shift)
        if (doubled * multiplier >> 32) + abs(rounding) + 2 >= 1 << 31:
            return None
        rows.append((2 * bias, (multiplier, rounding, -shift)))
    rows += [(0, (0, 0, 1))] * (-outputs % 4)
    values = tuple(
        (tuple(bias for bias, _ in four), tuple(scale for _, scale in four))
        for four in (rows[i : i + 4] for i in range(0, len(rows), 4))
    )
    return Array("quads", "eb_quad", values, "4 biases; 4 times multiplier, rounding, shift")


def depthwise_conv_2d(network: net.Network, layer: net.DepthwiseConv2D) -> Step | None:
    """Planes of int16, two neighbouring outputs at a time: for windows of 3x3."""
    window = layer.window
    table = quads(layer)
    if table is None or layer.multiplier != 1 or window.channels % 4:
        return None
    if window.size != (3, 3) or window.dilation != (1, 1):
        return None
    choices = [lines for axis in (0, 1) if (lines := _Lines.along(window, axis))]
    if not choices:
        return None
    lines = min(choices, key=lambda choice: choice.instructions)
    weights = layer.weights if lines.axis else layer.weights.transpose(1, 0, 2)
    doubled = 2 * weights.transpose(2, 0, 1).astype(np.int64)  # [channels][lines][taps]
    pairs = doubled[:, :, [0, 1, 1, 2]]
    limits = layer.range
    relu = limits.low >= limits.zero_point
    return Step(
        layer,
        f"eb_run_depthwise_planar{'_relu' * relu}",
        ("eb_depthwise_planar.c", "eb_dsp.h"),
        "dsp",
        arrays=(
            Array(
                "weights",
                "int16_t",
                tuple(pairs.ravel().tolist()),
                "doubled, [channels][3 lines][w0 w1 w1 w2]",
            ),
            table,
        ),
        struct="eb_depthwise_planar",
        parameters={
            "weights": "@weights",
            "quads": "@quads",
            "channels": window.channels,
            **lines.members(window),
            "clamped": int((limits.low, limits.high) != (-128, 127)),
            "pad_value": layer.pad_value,
            "low": limits.low,
            "high": limits.high,
        },
        scratch=lines.scratch,
        # Four channels are read to the end before the first of them is written; all others are
        # still needed, so the channels of the output must come to lie on those of the input.
        in_place=(0,) if lines.band == lines.count else (),
        overlay="same",
    )


_PLANES_BYTES = 4096
"""Scratch that the planes may take; a larger image goes through them in bands."""


@dataclasses.dataclass(frozen=True)
class _Lines:
    """How the planes of a depthwise convolution lie: lines along an axis of the image.

    Attributes
    ----------
    axis : int
        0 along columns of the image, 1 along rows.
    count, stride : int
        Lines of the output, and their distance in lines of the input.
    band : int
        Lines of the output that go through the planes at a time.
    pairs, singles : int
        Outputs of a line that are computed two at a time and one at a time.
    """

    axis: int
    count: int
    stride: int
    band: int
    pairs: int
    singles: int

    @classmethod
    def along(cls, window: net.Window, axis: int) -> "_Lines | None":
        step, outputs = window.stride[axis], window.output[axis]
        if step > 2:
            return None
        pairs = outputs // 2 if step == 1 else 0
        lines = cls(
            axis, window.output[1 - axis], window.stride[1 - axis], 1, pairs, outputs - 2 * pairs
        )
        room = (_PLANES_BYTES // (16 * lines.pitch) - 3) // lines.stride + 1
        return dataclasses.replace(lines, band=max(1, min(lines.count, room)))

    @property
    def pitch(self) -> int:
        """Words of a line of a plane."""
        return self.pairs + self.singles + 1

    @property
    def scratch(self) -> int:
        """Bytes of four planes."""
        return 16 * self.pitch * ((self.band - 1) * self.stride + 3)

    @property
    def instructions(self) -> float:
        """About how many a channel takes."""
        spread = self.count * self.stride * self.pitch * 4.5
        return spread + self.count * (27.75 * self.pairs + 20 * self.singles + 18)

    def members(self, window: net.Window) -> dict[str, int]:
        """Members of an eb_depthwise_planar."""
        axis, across = self.axis, 1 - self.axis
        steps = (window.input[1] * window.channels, window.channels)
        output_steps = (window.output[1] * window.channels, window.channels)
        return {
            "along": window.input[axis],
            "across": window.input[across],
            "along_step": steps[axis],
            "across_step": steps[across],
            "along_pad": window.before[axis],
            "across_pad": window.before[across],
            "lines": self.count,
            "line_stride": self.stride,
            "band": self.band,
            "pairs": self.pairs,
            "singles": self.singles,
            "pitch": self.pitch,
            "output_step": output_steps[axis],
            "output_line": output_steps[across],
        }


def depthwise_conv_2d_any(network: net.Network, layer: net.DepthwiseConv2D) -> Step | None:
    """Four channels and two taps at a time."""
    if layer.multiplier != 1 or layer.window.channels < 4:
        return None  # four channels at a time, or nothing is gained
    return dataclasses.replace(
        portable.depthwise_conv_2d(network, layer),
        function="eb_run_depthwise_dsp",
        sources=("eb_depthwise.c", "eb_depthwise_dsp.c", "eb_dsp.h", "eb_patch.c"),
        core="dsp",
    )


def fully_connected(network: net.Network, layer: net.FullyConnected) -> Step | None:
    """Four outputs, four products each at a time."""
    table = quads(layer)
    if table is None:
        return None
    outputs, inputs = layer.weights.shape
    weights = np.pad(layer.weights, ((0, -outputs % 4), (0, -inputs % 4)))
    steps = weights.shape[1] // 4
    fours = weights.reshape(-1, 4, steps, 4).transpose(0, 2, 1, 3)
    limits = layer.range
    return Step(
        layer,
        "eb_run_fully_connected_dsp",
        ("eb_fully_connected_dsp.c", "eb_quad.h", "eb_dsp.h"),
        "dsp",
        arrays=(int8_array("weights", fours, "[outputs / 4][steps][4][4 inputs]"), table),
        struct="eb_fully_connected_quads",
        parameters={
            "weights": "@weights",
            "quads": "@quads",
            "rows": layer.rows,
            "inputs": inputs,
            "outputs": outputs,
            "steps": steps,
            "clamped": int((limits.low, limits.high) != (-128, 127)),
            "low": limits.low,
            "high": limits.high,
        },
        scratch=8 * steps,
        takes_scratch=True,
    )


def pool(network: net.Network, layer: net.Pool) -> Step | None:
    """Four channels at a time."""
    if layer.window.padded or layer.window.channels % 4:
        return None
    step = portable.pool(network, layer)
    return dataclasses.replace(
        step,
        function=f"{step.function}_dsp",
        sources=("eb_pool_dsp.c", "eb_sums_dsp.h", "eb_dsp.h"),
        core="dsp",
    )


def mean(network: net.Network, layer: net.Mean) -> Step | None:
    """Four channels at a time, over one run of pixels."""
    _, first, middle, _, inner = layer.runs
    if (first, middle) != (1, 1) or inner % 4:
        return None
    return dataclasses.replace(
        portable.mean(network, layer),
        function="eb_run_mean_dsp",
        sources=("eb_mean_dsp.c", "eb_sums_dsp.h", "eb_dsp.h"),
        core="dsp",
    )


def add(network: net.Network, layer: net.Add) -> Step | None:
    """Element by element, of two inputs of the output's shape."""
    size = network.bytes(layer.output)
    if isinstance(layer, net.Sub) or any(network.bytes(index) != size for index in layer.inputs):
        return None
    if any(network.tensors[index].data is not None for index in layer.inputs):
        return None
    # The sum is formed at twice the larger scale: the input that has it is halved, shift 0.
    first, second = (0, 1) if layer.rescale[0][1] == 0 else (1, 0)
    shift_2, (multiplier, shift) = -layer.rescale[second][1], layer.rescale_sum
    if layer.rescale[first][1] != 0 or not 0 <= shift_2 <= 30 or not -22 <= shift <= -1:
        return None
    limits = layer.range
    return Step(
        dataclasses.replace(layer, inputs=(layer.inputs[first], layer.inputs[second])),
        "eb_run_add_dsp",
        ("eb_add_dsp.c", "eb_dsp.h"),
        "dsp",
        struct="eb_add_flat",
        parameters={
            "count": size,
            "zero_1": layer.zero_points[first] << 21,
            "zero_2": layer.zero_points[second] << 21,
            "multiplier_1": layer.rescale[first][0],
            "multiplier_2": layer.rescale[second][0],
            "rounding_2": 1 << (shift_2 - 1) if shift_2 else 0,
            "shift_2": shift_2,
            "multiplier": multiplier,
            "rounding": (1 << (-shift - 1)) + (limits.zero_point << -shift),
            "shift": -shift,
            "clamped": int((limits.low, limits.high) != (-128, 127)),
            "low": limits.low,
            "high": limits.high,
        },
        in_place=(0, 1),
    )
