"""Ranges of values that each channel of a tensor can take, whatever the input.

A channel whose smallest and largest value are equal is constant: its weights are zeros, or its
scale is so small that every sum is requantized to one value. Bounds of sums are formed over int8
inputs in their ranges and over every way in which a window can leave the image; requantization
keeps the order, so the bounds of the outputs are exact for these sums.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.arithmetic import INT8_MAX, INT8_MIN, int32, requantize
from edgebio.compiler.ir import layers
from edgebio.compiler.ir.layer import Layer, Range
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Window

Values = NDArray[np.int64]

_INT32: Final = 1 << 31


@dataclass(frozen=True, eq=False)
class ChannelRanges:
    """Smallest and largest value of every channel, each (channels,)."""

    low: Values
    high: Values

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which channels have one value, (channels,)."""
        return np.equal(self.low, self.high)

    def along(self, channels: int) -> "ChannelRanges":
        """The ranges under a view of the same elements with another number of channels."""
        count = len(self.low)
        if channels % count == 0:
            return ChannelRanges(*(np.tile(v, channels // count) for v in (self.low, self.high)))
        low, high = (np.full(channels, v) for v in (self.low.min(), self.high.max()))
        return ChannelRanges(low, high)

    def hull(self, value: int) -> "ChannelRanges":
        """The ranges, widened to hold `value`."""
        return ChannelRanges(np.minimum(self.low, value), np.maximum(self.high, value))

    def clamp(self, limits: Range) -> "ChannelRanges":
        """The ranges after a clamp."""
        low, high = (np.clip(v, limits.low, limits.high) for v in (self.low, self.high))
        return ChannelRanges(low, high)


def any_values(channels: int) -> ChannelRanges:
    """Ranges of which nothing is known."""
    low, high = (np.full(channels, value, np.int64) for value in (INT8_MIN, INT8_MAX))
    return ChannelRanges(low, high)


def value_ranges(network: Network) -> dict[int, ChannelRanges]:
    """Ranges of every tensor that a layer writes."""
    ranges: dict[int, ChannelRanges] = {}
    for layer in network.layers:
        inputs = [ranges.get(index) or _unknown(network, index) for index in layer.inputs]
        rule = next((_RULES[kind] for kind in type(layer).__mro__ if kind in _RULES), None)
        # A state also has the values with which it begins.
        variable = network.tensors[layer.output].variable
        result = rule(layer, inputs) if rule and not variable else None
        ranges[layer.output] = result or _unknown(network, layer.output)
    return ranges


def _unknown(network: Network, index: int) -> ChannelRanges:
    return any_values((1, *network.tensors[index].shape)[-1])


def _convolution(layer: layers.Convolution, inputs: Sequence[ChannelRanges]) -> ChannelRanges:
    window = layer.window
    source = inputs[0].along(window.channels)
    weights = layer.weights.astype(np.int64)
    if isinstance(layer, layers.DepthwiseConv2D):
        # (taps, channels, outputs of each) -> (channels, outputs of each, taps)
        taps = weights.reshape(window.taps, window.channels, layer.multiplier).transpose(1, 2, 0)
        columns = (slice(None), None, None)
        low, high = (
            np.where(taps > 0, taps * a[columns], taps * b[columns]).reshape(-1, window.taps)
            for a, b in ((source.low, source.high), (source.high, source.low))
        )
        beyond = taps.reshape(-1, window.taps) * layer.pad_value
    else:
        taps = weights.reshape(len(weights), window.taps, window.channels)
        low, high = _bounds(taps, source)
        beyond = taps.sum(axis=2) * layer.pad_value
    inside = _inside(window).T  # (taps, ways)
    low, high = (each @ inside + beyond @ ~inside for each in (low, high))
    return _requantized(layer, low.min(axis=1), high.max(axis=1))


def _fully_connected(
    layer: layers.FullyConnected, inputs: Sequence[ChannelRanges]
) -> ChannelRanges:
    low, high = _bounds(layer.products, inputs[0].along(layer.weights.shape[1]))
    return _requantized(layer, low, high)


def _bounds(weights: Values, source: ChannelRanges) -> tuple[Values, Values]:
    """Smallest and largest sum of products over the last axis."""
    positive = np.maximum(weights, 0)
    negative = weights - positive
    low, high = source.low, source.high
    return positive @ low + negative @ high, positive @ high + negative @ low


def _inside(window: Window) -> NDArray[np.bool_]:
    """Ways in which a window can lie on the image: which taps are inside, (ways, taps)."""
    axes = []
    for axis in (0, 1):
        first = np.arange(window.output[axis]) * window.stride[axis] - window.before[axis]
        places = first[:, None] + np.arange(window.size[axis]) * window.dilation[axis]
        axes.append(np.unique((places >= 0) & (places < window.input[axis]), axis=0))
    rows, columns = axes
    ways = rows[:, None, :, None] & columns[None, :, None, :]
    return ways.reshape(-1, window.taps)


def _requantized(layer: layers.Weighted, low: Values, high: Values) -> ChannelRanges:
    """Ranges of outputs whose sums, without the bias, lie in ``low`` ... ``high``."""
    channels, limits = layer.channels, layer.range
    bounds = []
    for bias, multiplier, shift, first, last in zip(
        channels.bias, channels.multiplier, channels.shift, low.tolist(), high.tolist(), strict=True
    ):
        ends = (bias + first, bias + last)
        if first == last:
            ends = (int32(ends[0]),) * 2
        elif not all(-_INT32 <= end < _INT32 for end in ends):
            ends = (-_INT32, _INT32 - 1)  # it may wrap to any value
        if all(-_INT32 <= end << max(shift, 0) < _INT32 for end in ends):
            values = [requantize(end, multiplier, shift) + limits.zero_point for end in ends]
        else:  # the shift to the left may wrap, and has no order then
            values = [INT8_MIN, INT8_MAX]
        bounds.append([min(max(value, limits.low), limits.high) for value in values])
    return ChannelRanges(*np.array(bounds, np.int64).T)


def _pool(layer: layers.Pool, inputs: Sequence[ChannelRanges]) -> ChannelRanges:
    """Maxima and rounded means of values lie in the range of the values."""
    return inputs[0].along(layer.window.channels).clamp(layer.range)


def _mean(layer: layers.Mean, inputs: Sequence[ChannelRanges]) -> ChannelRanges:
    _, first, _, second, inner = layer.runs
    source, count = inputs[0].along(inner), first * second

    def mean(value: int) -> int:
        return requantize(count * value + layer.offset, *layer.rescale) + layer.zero_point

    low, high = (np.clip([mean(v) for v in ends.tolist()], INT8_MIN, INT8_MAX)
                 for ends in (source.low, source.high))  # fmt: skip
    return ChannelRanges(low, high)


def _add(layer: layers.Add, inputs: Sequence[ChannelRanges]) -> ChannelRanges | None:
    if isinstance(layer, layers.Sub) or len({len(each.low) for each in inputs}) > 1:
        return None

    def add(*values: int) -> int:
        parts = (
            requantize((value - zero_point) << 20, *rescale)
            for value, zero_point, rescale in zip(
                values, layer.zero_points, layer.rescale, strict=True
            )
        )
        return requantize(sum(parts), *layer.rescale_sum) + layer.range.zero_point

    low, high = (np.array([add(*pair) for pair in zip(*ends, strict=True)], np.int64)
                 for ends in zip(*((each.low.tolist(), each.high.tolist()) for each in inputs),
                                 strict=True))  # fmt: skip
    return ChannelRanges(low, high).clamp(layer.range)


def _pad(layer: layers.Pad, inputs: Sequence[ChannelRanges]) -> ChannelRanges | None:
    if layer.pads[-1] != (0, 0) or len(inputs[0].low) != layer.shape[-1]:
        return None
    return inputs[0].hull(layer.value) if any(map(any, layer.pads)) else inputs[0]


def _table(layer: layers.Table, inputs: Sequence[ChannelRanges]) -> ChannelRanges:
    table = layer.table.astype(np.int64)
    spans = zip((inputs[0].low + 128).tolist(), (inputs[0].high + 129).tolist(), strict=True)
    parts = [table[first:end] for first, end in spans]
    low, high = (np.array([f(part) for part in parts], np.int64) for f in (np.min, np.max))
    return ChannelRanges(low, high)


_RULES: Final[dict[type[Layer], Callable[[Any, Sequence[ChannelRanges]], ChannelRanges | None]]] = {
    layers.Convolution: _convolution,
    layers.FullyConnected: _fully_connected,
    layers.Pool: _pool,
    layers.Mean: _mean,
    layers.Add: _add,
    layers.Pad: _pad,
    layers.Table: _table,
}
