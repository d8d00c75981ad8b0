"""Convolution kernels of the DSP extension: two pixels at a time, taps widened to int16."""

import dataclasses
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.ir.kernel_call import Array, KernelCall
from edgebio.compiler.ir.layers import Conv2D
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Pair, Window
from edgebio.compiler.kernels.dsp import NOT_PROVEN, quads
from edgebio.compiler.kernels.dsp_scales import scales
from edgebio.compiler.kernels.dsp_winograd import conv_2d_winograd
from edgebio.compiler.kernels.layout import MAX_16_BITS, clamp_members, window_members
from edgebio.compiler.kernels.registry import kernel

_COPY_BYTES: Final = 4096
"""Scratch that a copy of the input may take."""


@kernel("dsp", Conv2D)
def conv_2d_wide(network: Network, layer: Conv2D) -> KernelCall | str:
    """Two pixels by four channels, weights widened to int16: fastest, twice the flash."""
    patch = _Patch(layer.window)
    if max(patch.steps + 1, patch.run) > MAX_16_BITS:
        return "its window exceeds 16 bits"
    table = quads(layer)
    direct = _scaled(layer, patch) or _wide(layer, patch, table)
    if direct is None:
        return NOT_PROVEN
    if table:
        direct = dataclasses.replace(direct, smaller=lambda: conv_2d_narrow(layer, table))
    return dataclasses.replace(direct, faster=lambda: _in_tiles(layer, direct))


def _in_tiles(layer: Conv2D, direct: KernelCall) -> KernelCall:
    """The form in tiles of 2x2 outputs, if that takes fewer instructions; else `direct`."""
    tiles = conv_2d_winograd(layer)
    if isinstance(tiles, str):
        notes = (f"not in tiles of 2x2 outputs: {tiles}",) if layer.window.size == (3, 3) else ()
        return dataclasses.replace(direct, notes=notes)
    numbers = f"about {tiles.estimate:,} instructions instead of {direct.estimate:,}"
    if tiles.estimate >= direct.estimate:
        return dataclasses.replace(direct, notes=(f"not in tiles of 2x2 outputs: {numbers}",))
    notes = (f"in tiles of 2x2 outputs: {numbers}",)
    return dataclasses.replace(tiles, smaller=lambda: direct, notes=notes)


def _scaled(layer: Conv2D, patch: "_Patch") -> KernelCall | None:
    """Requantization by one multiplication."""
    lines = scales(layer)
    if lines is None:
        return None
    factors, table = lines
    return _with_wide_weights(layer, "scaled", patch, factors, table, (39, 53))


def _wide(layer: Conv2D, patch: "_Patch", table: Array | None) -> KernelCall | None:
    """Requantization as the reference does, in fewer instructions."""
    if table is None:
        return None
    factors = np.full(len(layer.weights), 2)
    return _with_wide_weights(layer, "wide", patch, factors, table, (65, 62))


def _with_wide_weights(
    layer: Conv2D,
    form: str,
    patch: "_Patch",
    factors: NDArray[np.int64],
    table: Array,
    around: tuple[int, int],
) -> KernelCall:
    """Call of a kernel for weights as int16, multiplied by the `factors` of their channels.

    `around` are instructions of four channels besides the products, without and with a pool.
    """
    taps = patch.taps(layer)
    taps[: len(factors)] *= factors[:, None, None]
    by_four = taps.reshape(-1, 4, *taps.shape[1:]).transpose(0, 2, 1, 3)
    note = "scaled, [outputs / 4][steps][4][2 taps]"
    weights = Array("weights", "int16_t", tuple(by_four.ravel().tolist()), note)
    per_quad = around[layer.pool != (1, 1)] + 11 * patch.steps + 3 * math.ceil(patch.steps / 16)
    per_pair = math.ceil(len(taps) / 4) * per_quad
    return _conv_2d(layer, form, patch, (weights, table), patch.steps, per_pair)


def conv_2d_narrow(layer: Conv2D, table: Array) -> KernelCall:
    """Two pixels by two channels, weights as they are."""
    patch = _Patch(layer.window)
    taps = patch.taps(layer)
    taps = np.pad(taps, ((0, 0), (0, patch.steps % 2), (0, 0)))
    # The taps of two steps as SXTB16 takes them out of a word: the lower ones, the upper ones.
    words = taps.reshape(len(taps), -1, 2, 2).transpose(0, 1, 3, 2)
    by_two = words.reshape(-1, 2, *words.shape[1:]).transpose(0, 2, 1, 3, 4)
    note = "[outputs / 2][steps / 2][2][4 taps]"
    weights = Array("weights", "int8_t", tuple(by_two.ravel().tolist()), note)
    steps = taps.shape[1]
    per_pair = math.ceil(len(taps) / 2) * (70 + 15 * steps // 2)
    return _conv_2d(layer, "narrow", patch, (weights, table), steps, per_pair)


class _Patch:
    """How the taps under a window are widened to int16; two taps are a step.

    Attributes
    ----------
    copied : bool
        Whether the input is copied with its padding around it. Then no window leaves it, and a
        row of the window is one run of bytes for any number of channels.
    borders : bool
        Whether windows read padding that is not copied.
    runs, run : int
        Runs of neighboring bytes in a row of the window, and bytes of each. One run if the row's
        pixels are neighbors; but if it may read padding, each pixel is a run, unless both ways
        give the same order.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        fours = window.channels % 4 == 0
        self.copied = window.padded and not fours and self.copy_bytes <= _COPY_BYTES
        self.borders = window.padded and not self.copied
        neighbors = window.dilation[1] == 1 or window.size[1] == 1
        self.runs = 1 if neighbors and (fours or not self.borders) else window.size[1]
        self.run = window.size[1] * window.channels // self.runs

    @property
    def padded_size(self) -> Pair:
        """Height and width of the input with its padding."""
        height, width = (sum(sizes) for sizes in zip(
            self.window.input, self.window.before, self.window.after, strict=True
        ))  # fmt: skip
        return height, width

    @property
    def copy_bytes(self) -> int:
        """Size of the input with its padding."""
        return math.prod(self.padded_size) * self.window.channels

    @property
    def order(self) -> list[int]:
        """Which tap stands where; -1 for none.

        SXTB16 takes four neighboring bytes apart as 0 2 and 1 3; the rest of a run goes in pairs.
        """
        order: list[int] = []
        for start in range(0, self.window.taps * self.window.channels, self.run):
            fours = range(start, start + self.run // 4 * 4, 4)
            rest = range(start + self.run // 4 * 4, start + self.run)
            order += [first + tap for first in fours for tap in (0, 2, 1, 3)]
            order += [*rest, *([-1] * (len(rest) % 2))]
        return order

    @property
    def steps(self) -> int:
        """Pairs of taps."""
        rows = self.window.taps * self.window.channels // self.run
        return rows * ((self.run + 1) // 2)

    def taps(self, layer: Conv2D) -> NDArray[np.int64]:
        """Weights in this order, (outputs, steps, 2), outputs a multiple of 4."""
        flat = layer.products
        flat = np.pad(flat, ((0, -len(flat) % 4), (0, 1)))  # zeros where there is no tap
        return flat[:, self.order].reshape(len(flat), -1, 2)

    @property
    def instructions(self) -> int:
        """Approximate instruction count of two patches."""
        window = self.window
        a_run = 32 + 2 * self.run + 16 * (self.run % 4 > 0)
        inside = 95 + window.size[0] * self.runs * a_run
        if not self.borders:
            return inside
        at_border = 95 + window.taps * (60 + 2 * window.channels)
        # Of two neighbors, one that leaves the image is enough.
        share = min(1.0, 1.5 * (1 - self._share_inside))
        return round(share * at_border + (1 - share) * inside)

    @property
    def _share_inside(self) -> float:
        """Share of the windows that do not leave the image."""
        window, share = self.window, 1.0
        for axis in range(2):
            first = -(-window.before[axis] // window.stride[axis])
            room = window.input[axis] - window.extent[axis] + window.before[axis]
            last = min(room // window.stride[axis], window.output[axis] - 1)
            share *= max(last - first + 1, 0) / window.output[axis]
        return share


def _conv_2d(
    layer: Conv2D, form: str, patch: _Patch, arrays: tuple[Array, Array], steps: int, per_pair: int
) -> KernelCall:
    """Call of a kernel with its arrays; two pixels take `per_pair` instructions."""
    window, copied = layer.window, patch.copied
    pooled = layer.pool != (1, 1)
    pairs = (layer.pool[0] * layer.pool[1] + 1) // 2
    grows = len(layer.weights) > window.channels
    image = patch.padded_size if copied else window.input
    inside_h, inside_w = (
        max(size - extent + 1, 0) for size, extent in zip(image, window.extent, strict=True)
    )
    visible = dataclasses.replace(
        window, input=image, output=layer.pooled, before=(0, 0) if copied else window.before
    )
    copy_h, copy_w, copy_top, copy_left = (*window.input, *window.before) if copied else (0,) * 4
    border_bytes = window.channels if patch.borders else 0
    pixel_pairs = math.prod(layer.pooled) * pairs if pooled else -(-math.prod(window.output) // 2)
    clamped = (layer.range.low, layer.range.high) != (-128, 127)
    clamp = math.prod(layer.pooled) * (12 + 8 * len(layer.weights)) if clamped else 0
    return KernelCall(
        layer,
        f"eb_run_conv2d_{form}{'_pooled' * pooled}",
        (
            f"eb_conv2d_{form}.c",
            *("eb_conv2d_pairs.c", "eb_conv2d_pairs.h", "eb_quad.h", "eb_dsp.h"),
            *(() if form == "narrow" else ("eb_conv2d_quads.h",)),
        ),
        arrays=arrays,
        struct="eb_conv2d_pairs",
        parameters={
            **{array.name: f"@{array.name}" for array in arrays},
            "window": window_members(visible),
            "outputs": len(layer.weights),
            "steps": steps,
            "pool_h": layer.pool[0],
            "pool_w": layer.pool[1],
            "inside_h": inside_h,
            "inside_w": inside_w,
            "runs": patch.runs,
            "run": patch.run,
            "copy_h": copy_h,
            "copy_w": copy_w,
            "copy_top": copy_top,
            "copy_left": copy_left,
            "borders": int(patch.borders),
            **clamp_members(layer.range, layer.pad_value),
        },
        scratch=8 * steps * pairs + (patch.copy_bytes if copied else border_bytes),
        # Both pixels are in the patch before the first one is written. Then the output advances by
        # its channels while the input is used up by its own. Under a pool, the pixels of a second
        # row are read before others of the first one.
        in_place=(0,) if window.pointwise and not (pooled and grows) else (),
        overlay="end" if grows else "start",
        estimate=pixel_pairs * (per_pair + patch.instructions)
        + (7 * patch.copy_bytes if copied else 0)
        + clamp,
        isa="dsp",
    )
