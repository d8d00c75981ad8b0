"""Convolutions of 3x3 by Winograd's F(2x2, 3x3), in exact integers, for the DSP extension.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308), section 4.1:
a tile of 2x2 outputs takes 16 products a channel instead of 36. Here the filter transform is scaled
to integers, so that every sum stays exact; the scale is undone by a shift.
"""

import dataclasses
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.ir.kernel_call import Array, KernelCall
from edgebio.compiler.ir.layers import Conv2D
from edgebio.compiler.kernels.dsp import NOT_PROVEN, quads
from edgebio.compiler.kernels.layout import clamp_members, hides_rounding, window_members

_MAX_CHANNELS: Final = 64  # the steps that the kernel unrolls; more would take more RAM, too
_ORDER: Final = (1, 2, 0, 3)  # of the positions along an axis
_LARGEST_INPUT: Final = 4 * 128  # of the transformed image
_ROWS: Final = np.array([[1, 1, 1], [1, -1, 1], [1, 0, 0], [0, 0, 1]], np.int64)
"""Filter transform down the columns, whose middle positions are doubled by leaving out a half."""
_COLUMNS: Final = np.array([[1, 1, 1], [1, -1, 1], [2, 0, 0], [0, 0, -2]], np.int64)
"""Along the rows all positions are doubled; the kernel adds the last one, so its sign is turned."""


def conv_2d_winograd(layer: Conv2D) -> KernelCall | str:
    """3x3 in tiles of 2x2 outputs: 16 products instead of 36, larger weights."""
    # The sums stay doubled once more until the kernel halves them.
    window, table = layer.window, quads(layer, scale=4)
    if table is None:
        return NOT_PROVEN
    if (window.size, window.stride, window.dilation) != ((3, 3), (1, 1), (1, 1)):
        return "its window is not 3x3 with stride 1"
    if layer.pool not in ((1, 1), (2, 2)):
        return "its pool is not 2x2"
    if window.channels % 4 or window.channels > _MAX_CHANNELS:
        return f"its channels are not a multiple of 4 up to {_MAX_CHANNELS}"
    weights = _transformed(layer)
    bias = 4 * np.asarray(layer.channels.bias, np.int64)
    sums = np.abs(weights).sum(axis=(1, 2, 3)) * _LARGEST_INPUT
    if (4 * (np.abs(bias) + sums) >= 1 << 31).any():
        return "its sums are not proven to fit 32 bits"
    channels, outputs, pooled = window.channels, len(layer.weights), layer.pool != (1, 1)
    fours = np.pad(weights, ((0, -outputs % 4), (0, 0), (0, 0), (0, 0)))
    fours = fours.reshape(-1, 4, *fours.shape[1:]).transpose(0, 2, 3, 1, 4)
    note = "transformed, [outputs / 4][16 positions][channels / 2][4][2 taps]"
    pairs = math.ceil(layer.pooled[1] / (2 if pooled else 4))
    tiles = math.ceil(layer.pooled[0] / (1 if pooled else 2)) * pairs
    return KernelCall(
        layer,
        f"eb_run_conv2d_winograd{'_pooled' * pooled}",
        (
            *("eb_conv2d_winograd.c", "eb_winograd.h", "eb_conv2d_pairs.h"),
            *("eb_quad.h", "eb_dsp.h"),
        ),
        arrays=(
            Array("weights", "int16_t", tuple(fours.ravel().tolist()), note),
            table,
        ),
        struct="eb_conv2d_winograd",
        parameters={
            "weights": "@weights",
            "quads": "@quads",
            "window": window_members(dataclasses.replace(window, output=layer.pooled)),
            "outputs": outputs,
            "relu": int(hides_rounding(layer.range)),
            **clamp_members(layer.range, layer.pad_value),
        },
        scratch=113 * channels,
        estimate=tiles * _instructions(channels, math.ceil(outputs / 4), pooled),
        isa="dsp",
    )


def _instructions(channels: int, quads: int, pooled: bool) -> int:
    """Approximate instruction count of two tiles: their transform, then four outputs at a time."""
    return 370 + 75 * channels + quads * ((660 if pooled else 740) + 88 * channels)


def _transformed(layer: Conv2D) -> NDArray[np.int64]:
    """Weights as (outputs, positions, steps, 2), the taps of a step as SXTB16 gives them.

    None exceeds 9 * 128, which fits int16.
    """
    weights = layer.weights.astype(np.int64)
    filters: NDArray[np.int64] = np.einsum("iy,jx,oyxc->oijc", _ROWS, _COLUMNS, weights)
    channels = layer.window.channels
    order = np.arange(channels).reshape(-1, 4)[:, [0, 2, 1, 3]]
    return filters[..., order.ravel()].reshape(len(weights), 16, channels // 2, 2)
