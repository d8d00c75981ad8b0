"""Rewrite the network into fewer layers that compute the same bytes."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable

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
    notes = []
    for layer in network.layers:
        inputs = tuple(same.get(index, index) for index in layer.inputs)
        if isinstance(layer, net.Reshape) or (
            isinstance(layer, net.Table)
            and np.array_equal(layer.table, np.arange(-128, 128, dtype=np.int8))
        ):
            same[layer.output] = inputs[0]
            notes.append(f"{_named(layer)} changes nothing: another name of its input")
        else:
            layers.append(dataclasses.replace(layer, inputs=inputs))
    output = same.get(network.output, network.output)
    return _with(network, layers, notes, output=output)


def _fuse_pads(network: net.Network) -> net.Network:
    pads = {layer.output: layer for layer in network.layers if isinstance(layer, net.Pad)}
    layers = []
    notes = []
    for layer in network.layers:
        pad = pads.get(layer.inputs[0])
        fused = _fused(pad, layer) if pad else layer
        if pad and isinstance(fused, str):
            notes.append(f"{_named(pad)} does not go into {_named(layer)}: {fused}")
        elif pad:
            notes.append(f"{_named(pad)} goes into {_named(layer)}")
        layers.append(layer if isinstance(fused, str) else fused)
    return _with(network, layers, notes)  # pads are unused now, or still read


def _fused(pad: net.Pad, layer: net.Layer) -> net.Layer | str:
    """Give the padding of `pad` to the convolution `layer`; or say why that is not exact."""
    if not isinstance(layer, net.Convolution):
        return "that is no convolution"
    if pad.pads[0] != (0, 0) or pad.pads[3] != (0, 0):
        return "it pads channels"
    if pad.value != layer.pad_value:
        return f"it pads with {pad.value}, where {layer.pad_value} stands for zero"
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
    network: net.Network, fuse: Callable[[net.Layer, net.Layer], net.Layer | str | None]
) -> net.Network:
    """Make one layer of two where the second is the only reader of the first and `fuse` can.

    It answers None for two layers that it has nothing to do with, or says why it cannot.
    """
    notes = []
    layers: dict[int, net.Layer] = {}
    readers = Counter(index for layer in network.layers for index in layer.inputs)
    for layer in network.layers:
        before = layers.get(layer.inputs[0])
        fused = fuse(before, layer) if before else None
        if before and isinstance(fused, net.Layer):
            if readers[before.output] == 1 and before.output != network.output:
                notes.append(f"{_named(layer)} goes into {_named(before)}")
                del layers[before.output]
                layer = fused
            else:
                fused = "others read that as well"
        if before and isinstance(fused, str):
            notes.append(f"{_named(layer)} does not go into {_named(before)}: {fused}")
        layers[layer.output] = layer
    return _with(network, layers.values(), notes)


def _named(layer: net.Layer) -> str:
    """Say which layer, by the operators that it is made of."""
    many = "s" if len(layer.operators) > 1 else ""
    return f"operator{many} {', '.join(map(str, layer.operators))} ({layer.kind})"


def _with(
    network: net.Network,
    layers: Iterable[net.Layer],
    notes: Iterable[str],
    output: int | None = None,
) -> net.Network:
    return dataclasses.replace(
        network,
        layers=tuple(layers),
        notes=(*network.notes, *notes),
        output=network.output if output is None else output,
    )


def _pooled(before: net.Layer, pool: net.Layer) -> net.Layer | str | None:
    """Let the convolution `before` compute the maximum over `pool`'s windows."""
    if not isinstance(before, net.Conv2D) or not isinstance(pool, net.Pool):
        return None
    if pool.kind != "MAX_POOL_2D":
        return "a mean of rounded values is not the rounded mean"
    if pool.window.padded:
        return "its windows leave the image"
    if pool.window.stride != pool.window.size:
        return "its windows overlap, or leave pixels out"
    if before.pool != (1, 1):
        return "there is a pool in it already"
    if not before.channels.proven:
        return "its sums may leave 32 bits, and sums that wrap have no order"
    patches = 2 * math.prod(pool.window.size) * before.weights[0].size  # as int16
    if patches > 4 * math.prod(before.window.output) * len(before.weights):
        return "the patches of all pixels under a window take far more memory than they save"
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


def _clamped(before: net.Layer, table: net.Layer) -> net.Layer | str | None:
    """Let `before` clamp as `table` does."""
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
    return "that has no range of its own"


def _within(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def _drop_unused(network: net.Network) -> net.Network:
    wanted = {network.output}
    kept = []
    for layer in reversed(network.layers):
        if layer.output in wanted:
            wanted.update(layer.inputs)
            kept.append(layer)
    computed = {index for layer in kept for index in layer.operators}
    notes = [
        f"{_named(layer)} is left out: nobody reads what it computes"
        for layer in network.layers
        if not computed.issuperset(layer.operators)
    ]
    return _with(network, reversed(kept), notes)
