"""Remove channels that are constant or have no effect, through the whole network, and exactly.

A constant channel becomes a part of the biases of the convolutions that read it. Under a window
that reads padding it is removed only if its value is the padding's: at the border, another value
would give other sums. Layers that work channel by channel pass a removal on to their inputs. A
constant channel that stays gets weights of zero and a requantization that every kernel can compute,
so that one channel never keeps a layer from a fast kernel.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.arithmetic import int32
from edgebio.compiler.ir import layers
from edgebio.compiler.ir.layer import Channels, Layer
from edgebio.compiler.ir.network import Network
from edgebio.compiler.operators.common.broadcast import steps
from edgebio.compiler.passes import invariants
from edgebio.compiler.passes.value_ranges import ChannelRanges, any_values, value_ranges

Mask = NDArray[np.bool_]
"""One truth value a channel."""

_MULTIPLE: Final = 4
"""Kernels work on so many channels at a time: a removal leaves a multiple of it."""

_DIVIDE_BY_4: Final = (1 << 30, -1)
"""Multiplier and shift."""


def remove_constant_channels(network: Network) -> Network:
    """Remove channels whose value is known or has no effect.

    Raises
    ------
    EdgebioError
        If the result is inconsistent: a fault of this module.
    """
    result = _Removal(network).run()
    invariants.check(result)
    return result


class _Removal:
    """Which channels of each tensor are needed, and the network without the others.

    Attributes
    ----------
    ranges : dict of int to ChannelRanges
        By tensor.
    live : dict of int to Mask
        Channels whose value is needed, of each tensor whose channels can be removed.
    stored : dict of int to Mask
        The same and fillers, which make their number a multiple of 4. A filler is read with
        weights of zero.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        counts = _channel_counts(network)
        self.ranges = {
            index: ranges.along(counts.get(index, len(ranges.low)))
            for index, ranges in value_ranges(network).items()
        }
        self.live = {index: np.zeros(count, np.bool_) for index, count in counts.items()}
        while sum(map(self._mark_needed, reversed(network.layers))):
            pass
        self.stored = {index: mask.copy() for index, mask in self.live.items()}
        while sum(map(self._fill, self.stored)):
            while sum(self._pass_on(layer, self.stored) for layer in network.layers):
                pass

    def run(self) -> Network:
        """The network without the removed channels."""
        tensors = list(self.network.tensors)
        for index, mask in self.stored.items():
            shape = (*tensors[index].shape[:-1], int(mask.sum()))
            tensors[index] = dataclasses.replace(tensors[index], shape=shape)
        result, notes = [], list(self.network.notes)
        for layer in self.network.layers:
            result.append(self._rewrite(layer))
            if layer.output in self.stored and not self.stored[layer.output].all():
                mask = self.stored[layer.output]
                removed = len(mask) - int(mask.sum())
                names = ", ".join(map(str, layer.operators))
                notes.append(
                    f"operator {names} ({layer.kind}): {removed} of {len(mask)} channels are "
                    "constant or have no effect, and are removed"
                )
        return dataclasses.replace(
            self.network,
            tensors=tuple(tensors),
            layers=tuple(result),
            notes=tuple(notes),
            channels=self._origins(),
        )

    def _origins(self) -> dict[int, tuple[int, ...]]:
        """Which channel of the file each stored one is; -1 for a filler of any value."""
        known: dict[int, Mask] = {}
        for layer in self.network.layers:
            live = self.live.get(layer.output)
            if live is None:
                continue
            # A constant filler has its value where it is set, or computed from others that have.
            filled = self.ranges[layer.output].constant
            if not isinstance(layer, layers.Weighted):
                filled = np.logical_and.reduce([known.get(i, filled) for i in layer.inputs])
            known[layer.output] = live | filled
        return {
            index: tuple(np.where(mask, np.arange(len(mask)), -1)[self.stored[index]].tolist())
            for index, mask in known.items()
            if not self.live[index].all()
        }

    # What is needed ----------------------------------------------------------------------------

    def _mark_needed(self, layer: Layer) -> bool:
        """Mark the channels that a layer needs of its inputs; whether some were not marked."""
        if not isinstance(layer, layers.Conv2D | layers.FullyConnected):
            return self._pass_on(layer, self.live)
        mask = self.live.get(layer.inputs[0])
        if mask is None:
            return False
        before = int(mask.sum())
        varies = ~self.ranges[layer.output].constant
        rows = layer.weights[varies & self._mask(layer.output, len(varies), self.live)]
        columns = (rows.reshape(-1, len(mask)) != 0).any(axis=0)
        mask |= columns & ~self._foldable(layer, len(mask))
        return int(mask.sum()) > before

    def _pass_on(self, layer: Layer, masks: dict[int, Mask]) -> bool:
        """Give the inputs and the output of a layer that works by channels the same channels."""
        changed = False
        for index, multiplier in _links(layer):
            source, target = masks.get(index), masks.get(layer.output)
            if source is None or target is None:  # that one keeps all
                pairs = [(mask, np.ones(len(mask), np.bool_)) for mask in (source, target)
                         if mask is not None]  # fmt: skip
            else:
                joint = source | target.reshape(-1, multiplier).any(axis=1)
                pairs = [(source, joint), (target, np.repeat(joint, multiplier))]
            for mask, wanted in pairs:
                changed |= not np.array_equal(mask, wanted)
                mask |= wanted
        return changed

    def _fill(self, index: int) -> bool:
        """Add fillers to a tensor, if possible such that are constant; whether there are any."""
        mask = self.stored[index]
        count = int(mask.sum())
        missing = min(max(-(-count // _MULTIPLE), 1) * _MULTIPLE, len(mask)) - count
        free = np.flatnonzero(~mask)
        constant = self.ranges[index].constant[free]
        mask[np.concatenate([free[constant], free[~constant]])[:missing]] = True
        return missing > 0

    def _mask(self, index: int, channels: int, masks: dict[int, Mask]) -> Mask:
        """Channels of a tensor under a view of so many of them; all if none can be removed."""
        mask = masks.get(index)
        if mask is None:
            return np.ones(channels, np.bool_)
        tiled: Mask = np.tile(mask, channels // len(mask))
        return tiled

    def _input_ranges(self, index: int, channels: int) -> ChannelRanges:
        ranges = self.ranges.get(index)
        return any_values(channels) if ranges is None else ranges.along(channels)

    def _foldable(self, layer: layers.Conv2D | layers.FullyConnected, channels: int) -> Mask:
        """Which channels of the input add the same to every sum."""
        source = self._input_ranges(layer.inputs[0], channels)
        constant = source.constant
        if isinstance(layer, layers.Conv2D) and layer.window.padded:
            constant &= source.low == layer.pad_value
        return constant

    # The network without them ------------------------------------------------------------------

    def _rewrite(self, layer: Layer) -> Layer:
        changes: dict[str, Any] = {}
        if isinstance(layer, layers.Windowed):
            count = self._stored_count(layer.inputs[0], layer.window.channels)
            changes["window"] = dataclasses.replace(layer.window, channels=count)
            if isinstance(layer, layers.Conv2D) and count < layer.window.channels:
                changes["groups"] = 1
        if isinstance(layer, layers.Conv2D | layers.FullyConnected):
            changes |= self._rewrite_sums(layer)
        elif isinstance(layer, layers.DepthwiseConv2D):
            rows, channels = self._rewrite_rows(layer, layer.products)
            weights = rows.T.reshape(*layer.window.size, -1)
            changes |= {"weights": weights, "channels": channels}
        elif isinstance(layer, layers.Mean):
            inner = self._stored_count(layer.inputs[0], layer.runs[4])
            changes["runs"] = (*layer.runs[:4], inner)
        elif isinstance(layer, layers.Broadcast | layers.Pad) and layer.output in self.stored:
            last = self._stored_count(layer.output, layer.shape[-1])
            shape = (*layer.shape[:-1], last)
            changes["shape"] = shape
            if isinstance(layer, layers.Broadcast):
                changes["steps"] = (steps(shape),) * 2
        return dataclasses.replace(layer, **changes) if changes else layer

    def _stored_count(self, index: int, channels: int) -> int:
        return int(self._mask(index, channels, self.stored).sum())

    def _rewrite_sums(self, layer: layers.Conv2D | layers.FullyConnected) -> dict[str, Any]:
        """Weights and channels of a layer whose outputs read all channels of the input."""
        count = layer.weights.shape[-1]
        live, stored = (
            self._mask(layer.inputs[0], count, masks) for masks in (self.live, self.stored)
        )
        weights = layer.weights.reshape(len(layer.weights), -1, count)
        source = self._input_ranges(layer.inputs[0], count)
        mask = self.live.get(layer.inputs[0])
        pixel = count if mask is None else len(mask)
        folded = ~live & np.tile(self._foldable(layer, pixel), count // pixel)
        constants = weights.sum(axis=1, dtype=np.int64)[:, folded] @ source.low[folded]
        remaining = np.where(live, weights, np.int8(0))[..., stored]
        remaining = remaining.reshape(len(remaining), -1)
        rows, channels = self._rewrite_rows(layer, remaining, constants)
        shape = (len(rows), *layer.weights.shape[1:-1], int(stored.sum()))
        return {"weights": rows.reshape(shape), "channels": channels}

    def _rewrite_rows(
        self, layer: layers.Weighted, rows: NDArray[Any], constants: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int8], Channels]:
        """Weights (stored outputs, products) and requantization; `constants` join the biases."""
        outputs = len(rows)
        live, stored = (
            self._mask(layer.output, outputs, masks) for masks in (self.live, self.stored)
        )
        ranges, zero_point = self.ranges[layer.output], layer.range.zero_point
        computed = live & ~ranges.constant
        added = np.zeros(outputs, np.int64) if constants is None else constants
        columns: list[tuple[int, int, int]] = []
        for output in np.flatnonzero(stored).tolist():
            if computed[output]:
                bias = int32(layer.channels.bias[output] + int(added[output]))
                rescale = layer.channels.multiplier[output], layer.channels.shift[output]
            else:
                value = int(ranges.low[output]) if ranges.constant[output] else zero_point
                bias, rescale = 4 * (value - zero_point), _DIVIDE_BY_4
            columns.append((bias, *rescale))
        biases, multiplier, shift = zip(*columns, strict=True)
        weights = np.where(computed[:, None], rows, 0)[stored].astype(np.int8)
        magnitude = np.abs(weights.astype(np.int64)).sum(axis=1)
        proven = bool((np.abs(np.array(biases)) + 128 * magnitude < 1 << 31).all())
        return weights, Channels(biases, multiplier, shift, proven)


def _channel_counts(network: Network) -> dict[int, int]:
    """Number of channels of each tensor of which channels can be removed.

    All layers that write or read it must agree upon it, and be layers that can be rewritten.
    """
    fixed = (*network.inputs, *network.outputs, *network.states)
    counts: dict[int, int] = dict.fromkeys(fixed, 0)
    agreed: dict[int, bool] = {}
    for layer in network.layers:
        for index, channels, pixels in _views(layer, counts):
            count = counts.setdefault(index, 0 if network.is_constant(index) else channels)
            agrees = count > 0 and (channels % count == 0 if pixels else channels == count)
            agreed[index] = agreed.get(index, True) and agrees
    return {
        index: count
        for index, count in counts.items()
        if agreed.get(index) and network.tensors[index].shape[-1] == count
    }


def _views(layer: Layer, counts: dict[int, int]) -> Iterator[tuple[int, int, bool]]:
    """Tensors of a layer, the channels that it sees, and whether these may be several pixels.

    0 channels if the layer cannot be rewritten.
    """
    first, output = layer.inputs[0], layer.output
    if isinstance(layer, layers.FullyConnected):
        yield first, layer.weights.shape[1], True
        yield output, len(layer.weights), False
    elif isinstance(layer, layers.Windowed):
        yield first, layer.window.channels, False
        yield output, layer.image[-1], False
    elif isinstance(layer, layers.Mean):
        yield first, layer.runs[4], False
        yield output, layer.runs[4], False
    else:
        count = counts.get(first, 0) if _links(layer) else 0
        if count and isinstance(layer, layers.Broadcast | layers.Pad):
            count = layer.shape[-1]
        for index in (*layer.inputs, output):
            yield index, count, False


def _links(layer: Layer) -> list[tuple[int, int]]:
    """Inputs whose channels each give so many neighboring channels of the output, and only these.

    Empty for a layer that does not work channel by channel.
    """
    multiplier = 1
    if isinstance(layer, layers.DepthwiseConv2D):
        multiplier = layer.multiplier
    elif isinstance(layer, layers.Broadcast):
        if any(each != steps(layer.shape) for each in layer.steps):
            return []
    elif isinstance(layer, layers.Pad):
        if layer.pads[-1] != (0, 0):
            return []
    elif not isinstance(layer, layers.Pool | layers.Mean | layers.Table):
        return []
    return [(index, multiplier) for index in layer.inputs]
