"""Depthwise convolution kernels of the DSP extension."""

import dataclasses
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.ir.kernel_call import Array, KernelCall, Value
from edgebio.compiler.ir.layers import DepthwiseConv2D
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Window
from edgebio.compiler.kernels import portable
from edgebio.compiler.kernels.dsp import NOT_FOURS, NOT_PROVEN, quads
from edgebio.compiler.kernels.layout import clamp_members, hides_rounding, line_members
from edgebio.compiler.kernels.registry import kernel

_PLANES_BYTES: Final = 4096
"""Scratch that the planes may take; a larger image goes through them in bands."""


@kernel("dsp", DepthwiseConv2D)
def planar(network: Network, layer: DepthwiseConv2D) -> KernelCall | str:
    """Planes of int16, two neighboring outputs at a time: for windows of 3x3."""
    window, table = layer.window, quads(layer)
    if table is None:
        return NOT_PROVEN
    if layer.multiplier != 1 or window.channels % 4:
        return f"it has a multiplier, or {NOT_FOURS}"
    if window.size != (3, 3) or window.dilation != (1, 1):
        return "its window is not 3x3"
    choices = [_Lines(window, axis, 2) for axis in (0, 1) if window.stride[axis] <= 2]
    if not choices:
        return TOO_FAR
    lines = min(choices, key=lambda choice: choice.instructions)
    doubled = lines.taps(layer)
    pairs = tuple(doubled[:, :, [0, 1, 1, 2]].ravel().tolist())
    weights = Array("weights", "int16_t", pairs, "doubled, [channels][3 lines][w0 w1 w1 w2]")
    name = f"planar{'_relu' * hides_rounding(layer.range)}"
    return _planes(layer, name, "eb_depthwise_planar.c", lines, (weights, table))


@kernel("dsp", DepthwiseConv2D)
def in_lines(network: Network, layer: DepthwiseConv2D) -> KernelCall | str:
    """Planes of int16, up to four outputs at a time: for any window."""
    window, table = layer.window, quads(layer)
    if table is None:
        return NOT_PROVEN
    if layer.multiplier != 1 or window.channels % 4:
        return f"it has a multiplier, or {NOT_FOURS}"
    choices = [_AnyLines(window, axis) for axis in (0, 1)]
    choices = [lines for lines in choices if lines.step <= 2]
    if not choices:
        return TOO_FAR
    lines = min(choices, key=lambda choice: choice.instructions)
    without = any_window(network, layer)
    assert isinstance(without, KernelCall)
    estimate = int(lines.instructions) * window.channels
    if estimate > without.estimate:
        return "gathering four channels takes fewer instructions"
    if lines.scratch > 2 * _PLANES_BYTES:
        return f"its planes take {lines.scratch:,} bytes of scratch"
    taps = lines.taps(layer)
    steps = lines.steps
    forms = [np.pad(taps, ((0, 0), (0, 0), (first, 2 * steps - lines.span - first)))
             for first in range(lines.outputs)]  # fmt: skip
    pairs = np.stack([form.reshape(*taps.shape[:2], steps, 2) for form in forms], axis=3)
    note = "doubled, [channels][slots][steps][w0 w1, 0 w0]"
    weights = Array("weights", "int16_t", tuple(pairs.ravel().tolist()), note)
    name = f"lines{'_by_2' * (lines.outputs == 1)}"
    call = _planes(layer, name, "eb_depthwise_lines.c", lines, (weights, table))
    return dataclasses.replace(call, estimate=estimate, smaller=lambda: without)


TOO_FAR: Final = "it has strides above 2"


def _planes(
    layer: DepthwiseConv2D, name: str, source: str, lines: "_Lines", arrays: tuple[Array, Array]
) -> KernelCall:
    """Call of a kernel that works on planes."""
    window = layer.window
    parameters: dict[str, Value] = {
        "weights": "@weights",
        "quads": "@quads",
        "channels": window.channels,
        **line_members(
            window,
            lines.axis,
            band=lines.band,
            pairs=lines.pairs,
            singles=lines.singles,
            pitch=lines.pitch,
            slots=window.size[1 - lines.axis],
            slot_step=window.dilation[1 - lines.axis],
            steps=lines.steps,
        ),
        **clamp_members(layer.range, layer.pad_value),
    }
    return KernelCall(
        layer,
        f"eb_run_depthwise_{name}",
        (source, "eb_depthwise_planes.c", "eb_depthwise_planes.h", "eb_dsp.h"),
        arrays=arrays,
        struct="eb_depthwise_planar",
        parameters=parameters,
        scratch=lines.scratch,
        # Four channels are read completely before the first of them is written. All others are
        # still needed, so the channels of the output must lie exactly on those of the input.
        in_place=(0,) if lines.band == lines.count else (),
        overlay="same",
    )


class _Lines:
    """Layout of the planes of a depthwise convolution: lines along an axis of the image.

    Attributes
    ----------
    axis : int
        0 along columns of the image, 1 along rows.
    count, stride : int
        Lines of the output, and their distance in lines of the input.
    span : int
        Pixels along a line under a window, the gaps of dilation included.
    under : int
        Lines of the input under a window, these gaps included.
    steps : int
        Words of a line of weights.
    pairs, singles : int
        Outputs of a line that are computed two at a time and one at a time.
    pitch : int
        Words of a line of a plane.
    band : int
        Lines of the output that go through the planes at a time.
    """

    def __init__(self, window: Window, axis: int, steps: int, outputs: int = 2) -> None:
        self.window, self.axis, self.steps = window, axis, steps
        self.count, self.stride = window.output[1 - axis], window.stride[1 - axis]
        self.span, self.under = window.extent[axis], window.extent[1 - axis]
        along = window.output[axis]
        self.pairs = along // 2 if window.stride[axis] == 1 and outputs == 2 else 0
        self.singles = along - 2 * self.pairs
        self.pitch = self.pairs + self.singles + steps - 1
        self._fit_bands()

    def _fit_bands(self) -> None:
        room = (_PLANES_BYTES // (16 * self.pitch) - self.under) // self.stride + 1
        self.band = max(1, min(self.count, room))

    @property
    def scratch(self) -> int:
        """Bytes of four planes."""
        return 16 * self.pitch * ((self.band - 1) * self.stride + self.under)

    def taps(self, layer: DepthwiseConv2D) -> NDArray[np.int64]:
        """Doubled weights, (channels, lines, span)."""
        weights = layer.weights if self.axis else layer.weights.transpose(1, 0, 2)
        doubled = np.zeros((weights.shape[2], weights.shape[0], self.span), np.int64)
        gap = self.window.dilation[self.axis]
        doubled[..., ::gap] = 2 * weights.transpose(2, 0, 1).astype(np.int64)
        return doubled

    @property
    def spread(self) -> float:
        """Approximate instruction count of spreading a channel."""
        bands = math.ceil(self.count / self.band)
        again = bands * max(self.under - self.stride, 0)  # lines that two bands read
        return (self.count * self.stride + again) * self.pitch * 4.5

    @property
    def instructions(self) -> float:
        """Approximate instruction count of a channel."""
        spread = self.count * self.stride * self.pitch * 4.5
        return spread + self.count * (27.75 * self.pairs + 20 * self.singles + 18)


class _AnyLines(_Lines):
    """The same for windows of any size.

    Attributes
    ----------
    step : int
        Pixels from an output to the next along a line; 2 if there is no next one.
    outputs : int
        Outputs of a word: with step 1 two, the second with its weights in other pairs.
    """

    def __init__(self, window: Window, axis: int) -> None:
        self.step = 2 if window.output[axis] == 1 else window.stride[axis]
        self.outputs = 2 if self.step == 1 else 1
        span = window.extent[axis]
        super().__init__(window, axis, (span + self.outputs) // 2, self.outputs)
        self.pitch += (self.pairs + self.singles) % 2  # two words at a time
        self._fit_bands()

    @property
    def instructions(self) -> float:
        """Approximate instruction count of a channel."""
        slots, outputs = self.window.size[1 - self.axis], self.outputs
        words = self.pairs + self.singles
        two = 15 + 13 * outputs + slots * (9 + math.ceil(self.steps * (3 + 2.5 * outputs)))
        return self.spread + self.count * (50 + math.ceil(words / 2) * two) + 40


@kernel("dsp", DepthwiseConv2D)
def any_window(network: Network, layer: DepthwiseConv2D) -> KernelCall | str:
    """Four channels and two taps at a time."""
    if layer.multiplier != 1 or layer.window.channels < 4:
        return "it has a multiplier, or fewer than 4 channels"
    call = portable.depthwise_conv_2d(network, layer)
    sources = ("eb_depthwise.c", "eb_depthwise_dsp.c", "eb_dsp.h", "eb_patch.c")
    window = layer.window
    fours = window.channels // 4 * math.prod(window.output)
    estimate = fours * (140 + 15 * window.taps + 8 * window.taps * window.padded)
    return dataclasses.replace(portable.variant(call, "dsp", *sources), estimate=estimate)
