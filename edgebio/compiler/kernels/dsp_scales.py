"""Requantization by one multiplication, for the DSP extension.

The reference rounds twice: the product with a 31-bit multiplier, then its shift to int8. A product
that is rounded once gives the same bytes if each step of the output, of which there are at most
255, is at the same sum. For every channel a multiplier and a bias with this property are searched
for; the weights are multiplied by a power of two, which gives the bias a fraction.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler import arithmetic
from edgebio.compiler.ir.kernel_call import Array
from edgebio.compiler.ir.layers import Weighted
from edgebio.compiler.kernels.layout import hides_rounding

_SHIFT: Final = 32 + 12  # right of a product in the kernels: its upper half, then 12
_LARGEST_POWER: Final = 8  # 127 << 8 fits int16
_SEARCH: Final = (64, 2048)  # multipliers above and below the real one, at first and at last
_CONSTANT: Final = 1 << 30  # multiplier of an output that never changes

Line = tuple[int, int, int]
"""Factor of the weights, bias, multiplier."""


def scales(layer: Weighted) -> tuple[NDArray[np.int64], Array] | None:
    """Factors of the weights (outputs,), and bias and multiplier of every four outputs.

    None unless all bytes are proven to be the reference's. Negative sums round differently, so that
    is possible only where the activation hides them.
    """
    if not hides_rounding(layer.range):
        return None
    channels = layer.channels
    magnitudes = 128 * np.abs(layer.products).sum(axis=1)
    lines = []
    for channel in zip(
        channels.bias, channels.multiplier, channels.shift, magnitudes.tolist(), strict=True
    ):
        line = _line(*channel, layer.range.zero_point, layer.range.low, layer.range.high)
        if line is None:
            return None
        lines.append(line)
    factors = np.array([factor for factor, _, _ in lines])
    rows = [row for _, *row in lines] + [[0, 0]] * (-len(lines) % 4)
    fours = (rows[i : i + 4] for i in range(0, len(rows), 4))
    values = tuple(tuple(zip(*four, strict=True)) for four in fours)
    return factors, Array("scales", "eb_scales", values, "4 biases, 4 multipliers")


def _line(
    bias: int, multiplier: int, shift: int, magnitude: int, zero_point: int, low: int, high: int
) -> Line | None:
    """The line for sums within `magnitude` of the bias, and outputs `low` to `high`."""
    if not -31 <= shift <= 0:
        return None
    lowest, highest = bias - magnitude, bias + magnitude
    steps = np.arange(low + 1, high + 1)
    first = _first_sums(steps - zero_point, multiplier, -shift, lowest, highest)
    reached, later = first <= highest, first > lowest
    if not (reached & later).any():
        output = low + int(np.count_nonzero(reached))
        return 0, ((output << _SHIFT) // _CONSTANT), _CONSTANT
    power = min(_LARGEST_POWER, 30 - (abs(bias) + magnitude).bit_length())
    slope = multiplier * 2.0 ** (_SHIFT - 31 + shift - power)
    if power < 0 or not _SEARCH[1] < slope < (1 << 31) - _SEARCH[1]:
        return None
    for count in _SEARCH:
        near = np.arange(-count, count + 1)
        slopes = round(slope) + near[np.argsort(np.abs(near), kind="stable")]
        # The first sum of the line that rounds to a step, less that of the reference.
        ahead = -(((1 << 31) - (steps << _SHIFT)) // slopes[:, None]) - (first << power)
        least = ahead[:, reached].max(axis=1)
        most = ahead[:, later].min(axis=1) + (1 << power) - 1
        if (fits := np.flatnonzero(least <= most)).size:
            best = fits[0]
            start = (bias << power) + int(least[best] + most[best]) // 2
            proven = abs(start) + (magnitude << power) < 1 << 31
            return (1 << power, start, int(slopes[best])) if proven else None
    return None


def _first_sums(
    steps: NDArray[np.int64], multiplier: int, shift: int, lowest: int, highest: int
) -> NDArray[np.int64]:
    """The smallest sum that the reference requantizes to each step; `highest` + 1 if none is."""
    first, last = np.full(len(steps), lowest), np.full(len(steps), highest + 1)
    while (first < last).any():
        middle = (first + last) // 2
        doubled = (middle * multiplier + (1 << 30)) >> 31
        enough = arithmetic.rounding_shift(doubled, shift) >= steps
        searching = first < last
        last = np.where(searching & enough, middle, last)
        first = np.where(searching & ~enough, middle + 1, first)
    return first
