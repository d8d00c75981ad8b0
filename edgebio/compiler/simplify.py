"""Rewrite the network into fewer layers that compute the same bytes."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from edgebio.compiler import invariants
from edgebio.compiler import network as net
from edgebio.errors import EdgebioError


def simplify(network: net.Network) -> net.Network:
    """Drop what computes nothing and fuse what can be fused exactly.

    RESHAPE and tables that change nothing become other names of their input; a PAD goes into the
    convolution behind it, since both pad with the value that stands for zero; a table that only
    clamps narrows the range of the layer before it; a MAX_POOL_2D whose windows neither overlap nor
    leave the image goes into the CONV_2D before it, whose requantization keeps the order; layers
    whose output nobody reads are left out.

    Between two layers that become one there may have been a RESHAPE, so that the second sees the
    elements of the first under another shape. They are fused only where both see the same image, or
    where the shapes differ by axes of size 1 alone, as in networks on one axis of time.

    Raises
    ------
    EdgebioError
        Where nothing is left to compute, or what is left is inconsistent: a fault of this module.
    """
    network = _drop_unused(_fuse_pools(_fuse_clamps(_fuse_pads(_drop_aliases(network)))))
    if not network.layers:
        raise EdgebioError("the model computes nothing: its output is its input")
    invariants.check(network)
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
        if isinstance(fused, net.Layer):
            invariants.check_fusion(layer, fused)
            layer = fused
        layers.append(layer)
    return _with(network, layers, notes)  # pads are unused now, or still read


def _fused(pad: net.Pad, layer: net.Layer) -> net.Layer | str:
    """Give the padding of `pad` to the convolution `layer`; or say why that is not exact."""
    if not isinstance(layer, net.Convolution):
        return "that is no convolution"
    window = layer.window
    pads = _pads_of(pad, (*window.input, window.channels))
    if pads is None:
        return "that sees its output under another shape"
    rows, columns, channels = pads
    if channels != (0, 0):
        return "it pads channels"
    if pad.value != layer.pad_value:
        return f"it pads with {pad.value}, where {layer.pad_value} stands for zero"
    return dataclasses.replace(
        layer,
        operators=(*pad.operators, *layer.operators),
        inputs=pad.inputs,
        window=dataclasses.replace(
            window,
            input=(window.input[0] - sum(rows), window.input[1] - sum(columns)),
            before=(window.before[0] + rows[0], window.before[1] + columns[0]),
            after=(window.after[0] + rows[1], window.after[1] + columns[1]),
        ),
    )


def _pads_of(pad: net.Pad, shape: tuple[int, ...]) -> tuple[tuple[int, int], ...] | None:
    """Paddings along the axes of `shape`, under which the output of `pad` is read.

    None where the axes are others. An axis of size 1 is not padded, and with or without it the
    elements lie in the same order.
    """
    axes = [(size, pads) for size, pads in zip(pad.padded, pad.pads, strict=True) if size > 1]
    if [size for size, _ in axes] != [size for size in shape if size > 1]:
        return None
    pads = iter(pads for _, pads in axes)
    return tuple(next(pads) if size > 1 else (0, 0) for size in shape)


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
                invariants.check_fusion(layer, fused)
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
    window = _on_image(pool.window, (*before.window.output, len(before.weights)))
    if window is None:
        return "it sees that output under another shape"
    if not before.channels.proven:
        return "its sums may leave 32 bits, and sums that wrap have no order"
    patches = 2 * window.taps * before.weights[0].size  # as int16
    if patches > 4 * math.prod(before.window.output) * len(before.weights):
        return "the patches of all pixels under a window take far more memory than they save"
    return dataclasses.replace(
        before,
        operators=(*before.operators, *pool.operators),
        output=pool.output,
        pool=window.size,
        range=_narrowed(before.range, pool.low, pool.high),
    )


def _on_image(window: net.Window, shape: tuple[int, int, int]) -> net.Window | None:
    """Place `window`, which has no padding, on an image of `shape` of as many elements.

    It is turned where one image is a row and the other a column. None where the pixels differ.
    """
    if (*window.input, window.channels) == shape:
        return window
    turned = window.turned
    if 1 in window.input and (*turned.input, turned.channels) == shape:
        return turned
    return None


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
