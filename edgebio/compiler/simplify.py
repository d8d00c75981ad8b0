"""Rewrite the network into fewer layers that compute the same bytes."""

import dataclasses
from collections import Counter
from collections.abc import Callable

import numpy as np

from edgebio.compiler import network as net
from edgebio.errors import EdgebioError


def simplify(network: net.Network) -> net.Network:
    """Drop what computes nothing and fuse what can be fused exactly.

    RESHAPE and tables that change nothing become other names of their input; a PAD goes into the
    convolution behind it, since both pad with the value that stands for zero; a table that only
    clamps narrows the range of the layer before it; a MAX_POOL_2D whose windows neither overlap nor
    leave the image goes into the CONV_2D before it, whose requantization keeps the order; layers
    whose output nobody reads are left out.

    Raises
    ------
    EdgebioError
        Where nothing is left to compute.
    """
    network = _drop_unused(_fuse_pools(_fuse_clamps(_fuse_pads(_drop_aliases(network)))))
    if not network.layers:
        raise EdgebioError("the model computes nothing: its output is its input")
    return network


def _drop_aliases(network: net.Network) -> net.Network:
    same: dict[int, int] = {}
    layers = []
    for layer in network.layers:
        inputs = tuple(same.get(index, index) for index in layer.inputs)
        if isinstance(layer, net.Reshape) or (
            isinstance(layer, net.Table)
            and np.array_equal(layer.table, np.arange(-128, 128, dtype=np.int8))
        ):
            same[layer.output] = inputs[0]
        else:
            layers.append(dataclasses.replace(layer, inputs=inputs))
    output = same.get(network.output, network.output)
    return dataclasses.replace(network, layers=tuple(layers), output=output)


def _fuse_pads(network: net.Network) -> net.Network:
    pads = {layer.output: layer for layer in network.layers if isinstance(layer, net.Pad)}
    layers = []
    for layer in network.layers:
        pad = pads.get(layer.inputs[0])
        layers.append(_fused(pad, layer) or layer if pad else layer)
    return dataclasses.replace(network, layers=tuple(layers))  # pads are unused now, or still read


def _fused(pad: net.Pad, layer: net.Layer) -> net.Layer | None:
    """Give the padding of `pad` to the convolution `layer`; None where that is not exact."""
    if not isinstance(layer, net.Convolution):
        return None
    if pad.pads[0] != (0, 0) or pad.pads[3] != (0, 0) or pad.value != layer.pad_value:
        return None
    window, (top, bottom), (left, right) = layer.window, pad.pads[1], pad.pads[2]
    return dataclasses.replace(
        layer,
        operators=(*pad.operators, *layer.operators),
        inputs=pad.inputs,
        window=dataclasses.replace(
            window,
            input=(pad.shape[1], pad.shape[2]),
            before=(window.before[0] + top, window.before[1] + left),
            after=(window.after[0] + bottom, window.after[1] + right),
        ),
    )


def _fuse_clamps(network: net.Network) -> net.Network:
    return _fuse_pairs(network, _clamped)


def _fuse_pools(network: net.Network) -> net.Network:
    return _fuse_pairs(network, _pooled)


def _fuse_pairs(
    network: net.Network, fuse: Callable[[net.Layer, net.Layer], net.Layer | None]
) -> net.Network:
    """Make one layer of two where the second is the only reader of the first and `fuse` can."""
    layers: dict[int, net.Layer] = {}
    readers = Counter(index for layer in network.layers for index in layer.inputs)
    for layer in network.layers:
        before = layers.get(layer.inputs[0])
        if before and readers[before.output] == 1 and before.output != network.output:
            fused = fuse(before, layer)
            if fused:
                del layers[before.output]
                layer = fused
        layers[layer.output] = layer
    return dataclasses.replace(network, layers=tuple(layers.values()))


def _pooled(before: net.Layer, pool: net.Layer) -> net.Layer | None:
    """Let the convolution `before` compute the maximum over `pool`'s windows; None if it cannot."""
    if not isinstance(before, net.Conv2D) or not isinstance(pool, net.Pool):
        return None
    if pool.kind != "MAX_POOL_2D" or pool.window.padded or pool.window.stride != pool.window.size:
        return None
    if before.pool != (1, 1) or not before.channels.proven:
        return None
    return dataclasses.replace(
        before,
        operators=(*before.operators, *pool.operators),
        output=pool.output,
        pool=pool.window.size,
        range=_narrowed(before.range, pool.low, pool.high),
    )


def _narrowed(limits: net.Range, low: int, high: int) -> net.Range:
    return net.Range(
        limits.zero_point, _within(limits.low, low, high), _within(limits.high, low, high)
    )


def _clamped(before: net.Layer, table: net.Layer) -> net.Layer | None:
    """Let `before` clamp as `table` does; None where either cannot."""
    if not isinstance(table, net.Table):
        return None
    low, high = int(table.table[0]), int(table.table[-1])
    if not np.array_equal(table.table, np.clip(np.arange(-128, 128), low, high)):
        return None
    both = [name for name in (before.activation, table.kind) if name != "NONE"]
    merged = dataclasses.replace(
        before,
        operators=(*before.operators, *table.operators),
        output=table.output,
        activation=" + ".join(both),
    )
    if isinstance(merged, net.Pool):
        return dataclasses.replace(
            merged, low=_within(merged.low, low, high), high=_within(merged.high, low, high)
        )
    if isinstance(merged, net.Convolution | net.FullyConnected | net.Add | net.Mul):
        return dataclasses.replace(merged, range=_narrowed(merged.range, low, high))
    return None


def _within(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def _drop_unused(network: net.Network) -> net.Network:
    wanted = {network.output}
    kept = []
    for layer in reversed(network.layers):
        if layer.output in wanted:
            wanted.update(layer.inputs)
            kept.append(layer)
    return dataclasses.replace(network, layers=tuple(reversed(kept)))
