"""Give channels of a very small scale a requantization that fast kernels can compute.

Fast kernels shift a sum by at most 22 bits. A channel that needs more takes few values: for each of
them, the smallest sum that gives it is found, and a smaller multiplier and a bias are accepted only
if they put every one of these steps at the same sum.
"""

import bisect
import dataclasses
from typing import Final

import numpy as np

from edgebio.compiler.arithmetic import requantize
from edgebio.compiler.ir import layers
from edgebio.compiler.ir.layer import Channels, Layer
from edgebio.compiler.ir.network import Network

MOST_SHIFT: Final = 22
"""Bits to the right that every kernel shifts by."""

_INT32: Final = range(-(1 << 31), 1 << 31)
_LARGEST: Final = 1 << 30  # of a sum: fast kernels double it

Requantization = tuple[int, int, int]
"""Bias, multiplier and shift of a channel."""


def fit_small_scales(network: Network) -> Network:
    """Replace requantizations by equal ones that shift less, where there are some."""
    return dataclasses.replace(network, layers=tuple(map(_fit_layer, network.layers)))


def _fit_layer(layer: Layer) -> Layer:
    if not isinstance(layer, layers.Weighted) or not layer.channels.proven:
        return layer
    old = layer.channels
    if min(old.shift) >= -MOST_SHIFT:
        return layer
    magnitudes = (128 * np.abs(layer.products).sum(axis=1)).tolist()
    requantizations = zip(old.bias, old.multiplier, old.shift, strict=True)
    rows = [
        fit_small_scale(row, magnitude) or row
        for row, magnitude in zip(requantizations, magnitudes, strict=True)
    ]
    bias, multiplier, shift = zip(*rows, strict=True)
    return dataclasses.replace(layer, channels=Channels(bias, multiplier, shift))


def fit_small_scale(old: Requantization, magnitude: int) -> Requantization | None:
    """Requantize sums of at most `magnitude`, without the bias, to the same values.

    None if it needs no change, or if there is no such requantization.
    """
    bias, multiplier, shift = old
    less = -MOST_SHIFT - shift
    if less <= 0:
        return None
    first, last = (requantize(bias + end, multiplier, shift) for end in (-magnitude, magnitude))
    values = range(first + 1, last + 1)
    steps = [_first_sum(value, multiplier, shift) - bias for value in values]
    nearest = (multiplier + (1 << (less - 1))) >> less
    for candidate in (nearest, nearest - 1, nearest + 1):
        places = [_first_sum(value, candidate, -MOST_SHIFT) for value in values]
        biases = {place - step for place, step in zip(places, steps, strict=True)}
        if not biases:  # one value: in the middle of the sums that give it
            ends = (_first_sum(value, candidate, -MOST_SHIFT) for value in (first, first + 1))
            biases = {sum(ends) // 2}
        new = biases.pop()
        if not biases and abs(new) + magnitude < _LARGEST:
            return new, candidate, -MOST_SHIFT
    return None


def _first_sum(value: int, multiplier: int, shift: int) -> int:
    """Smallest sum that is requantized to at least `value`."""
    place = bisect.bisect_left(_INT32, value, key=lambda sum_: requantize(sum_, multiplier, shift))
    return _INT32.start + place
