"""Depthwise convolution kernels of the DSP extension."""

from typing import Final

import numpy as np

from edgebio.compiler.ir.kernel_call import Array, KernelCall
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
    choices = [_Lines(window, axis) for axis in (0, 1) if window.stride[axis] <= 2]
    if not choices:
        return "it has strides above 2"
    lines = min(choices, key=lambda choice: choice.instructions)
    weights = layer.weights if lines.axis else layer.weights.transpose(1, 0, 2)
    doubled = 2 * weights.transpose(2, 0, 1).astype(np.int64)  # [channels][lines][taps]
    pairs = tuple(doubled[:, :, [0, 1, 1, 2]].ravel().tolist())
    return KernelCall(
        layer,
        f"eb_run_depthwise_planar{'_relu' * hides_rounding(layer.range)}",
        ("eb_depthwise_planar.c", "eb_dsp.h"),
        arrays=(
            Array("weights", "int16_t", pairs, "doubled, [channels][3 lines][w0 w1 w1 w2]"),
            table,
        ),
        struct="eb_depthwise_planar",
        parameters={
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
            ),
            **clamp_members(layer.range, layer.pad_value),
        },
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
    pairs, singles : int
        Outputs of a line that are computed two at a time and one at a time.
    pitch : int
        Words of a line of a plane.
    band : int
        Lines of the output that go through the planes at a time.
    """

    def __init__(self, window: Window, axis: int) -> None:
        outputs = window.output[axis]
        self.axis = axis
        self.count, self.stride = window.output[1 - axis], window.stride[1 - axis]
        self.pairs = outputs // 2 if window.stride[axis] == 1 else 0
        self.singles = outputs - 2 * self.pairs
        self.pitch = self.pairs + self.singles + 1
        room = (_PLANES_BYTES // (16 * self.pitch) - 3) // self.stride + 1
        self.band = max(1, min(self.count, room))

    @property
    def scratch(self) -> int:
        """Bytes of four planes."""
        return 16 * self.pitch * ((self.band - 1) * self.stride + 3)

    @property
    def instructions(self) -> float:
        """Approximate instruction count of a channel."""
        spread = self.count * self.stride * self.pitch * 4.5
        return spread + self.count * (27.75 * self.pairs + 20 * self.singles + 18)


@kernel("dsp", DepthwiseConv2D)
def any_window(network: Network, layer: DepthwiseConv2D) -> KernelCall | str:
    """Four channels and two taps at a time."""
    if layer.multiplier != 1 or layer.window.channels < 4:
        return "it has a multiplier, or fewer than 4 channels"
    call = portable.depthwise_conv_2d(network, layer)
    sources = ("eb_depthwise.c", "eb_depthwise_dsp.c", "eb_dsp.h", "eb_patch.c")
    return portable.variant(call, "dsp", *sources)
