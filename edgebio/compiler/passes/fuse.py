"""Fuse layers into fewer layers that compute the same bytes."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.window import Pair, Window
from edgebio.compiler.passes import invariants
from edgebio.compiler.passes.own_outputs import own_outputs
from edgebio.errors import EdgebioError


def fuse(network: Network) -> Network:
    """Drop layers that compute nothing and fuse those that can be fused exactly.

    RESHAPE and tables that change nothing become other names of their input. A PAD is fused into
    the convolution behind it, since both pad with the value that stands for zero. A table that only
    clamps narrows the range of the layer before it. A MAX_POOL_2D whose windows neither overlap nor
    leave the image is fused into the CONV_2D before it, whose requantization keeps the order.
    Layers whose output is never read are dropped.

    Between two layers there may have been a RESHAPE, so that the second sees the elements of the
    first under another shape. They are fused only if both see the same image, or if the shapes
    differ only by axes of size 1, as in networks along one axis of time.

    Raises
    ------
    EdgebioError
        If nothing is left to compute, or if the result is inconsistent: a fault of this module.
    """
    network = _drop_unused(_drop_aliases(network))
    if not network.layers:
        raise EdgebioError("the model computes nothing: its output is its input")
    network = _fuse_pads(own_outputs(network))
    network = _drop_unused(_fuse_pairs(_fuse_pairs(network, _clamped), _pooled))
    invariants.check(network)
    return network


def _drop_aliases(network: Network) -> Network:
    same: dict[int, int] = {}
    remaining, notes = [], []
    for layer in network.layers:
        inputs = tuple(same.get(index, index) for index in layer.inputs)
        if isinstance(layer, layers.Reshape) or (
            isinstance(layer, layers.Table) and _clamp_of(layer) == (-128, 127)
        ):
            same[layer.output] = inputs[0]
            notes.append(f"{_name(layer)} changes nothing: another name of its input")
        else:
            remaining.append(dataclasses.replace(layer, inputs=inputs))
    outputs = tuple(same.get(index, index) for index in network.outputs)
    return _replace(dataclasses.replace(network, outputs=outputs), remaining, notes)


def _fuse_pads(network: Network) -> Network:
    """Fuse each PAD into the convolutions that read it; other layers may still read it, too."""
    pads = {layer.output: layer for layer in network.layers if isinstance(layer, layers.Pad)}
    fused_layers, notes = [], []
    for layer in network.layers:
        pad = pads.get(layer.inputs[0])
        fused = _padded(pad, layer) if pad else layer
        if pad and isinstance(fused, str):
            notes.append(f"{_name(pad)} is not fused into {_name(layer)}: {fused}")
        elif pad:
            notes.append(f"{_name(pad)} is fused into {_name(layer)}")
        if isinstance(fused, Layer):
            invariants.check_fusion(layer, fused)
            layer = fused
        fused_layers.append(layer)
    return _replace(network, fused_layers, notes)


def _padded(pad: layers.Pad, layer: Layer) -> Layer | str:
    """Add the padding of `pad` to the convolution `layer`, or say why that is not exact."""
    if not isinstance(layer, layers.Convolution):
        return "it is not a convolution"
    window = layer.window
    pads = _pads_along(pad, (*window.input, window.channels))
    if pads is None:
        return "it reads the padded image under another shape"
    rows, columns, channels = pads
    if channels != (0, 0):
        return "channels are padded"
    if pad.value != layer.pad_value:
        return f"the padding is {pad.value}, but {layer.pad_value} stands for zero"
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


def _pads_along(pad: layers.Pad, shape: tuple[int, ...]) -> tuple[Pair, ...] | None:
    """Paddings along the axes of `shape`, under which the output of `pad` is read.

    None if the axes are others. An axis of size 1 has no padding, and with or without it the
    elements have the same order.
    """
    axes = [(size, pads) for size, pads in zip(pad.padded, pad.pads, strict=True) if size > 1]
    if [size for size, _ in axes] != [size for size in shape if size > 1]:
        return None
    pads = iter(pads for _, pads in axes)
    return tuple(next(pads) if size > 1 else (0, 0) for size in shape)


def _fuse_pairs(network: Network, fuse: Callable[[Layer, Layer], Layer | str | None]) -> Network:
    """Fuse two layers if the second is the only reader of the first and `fuse` can.

    `fuse` returns None for two layers that it does not concern, or says why it cannot fuse them.
    """
    notes = []
    by_output: dict[int, Layer] = {}  # states, which several layers may write, at ~position
    readers = Counter(index for layer in network.layers for index in layer.inputs)
    for position, layer in enumerate(network.layers):
        first = by_output.get(layer.inputs[0])
        fused = fuse(first, layer) if first else None
        if first and isinstance(fused, Layer):
            if readers[first.output] == 1 and first.output not in network.outputs:
                notes.append(f"{_name(layer)} is fused into {_name(first)}")
                invariants.check_fusion(layer, fused)
                del by_output[first.output]
                layer = fused
            else:
                fused = "its output is read elsewhere, too"
        if first and isinstance(fused, str):
            notes.append(f"{_name(layer)} is not fused into {_name(first)}: {fused}")
        variable = network.tensors[layer.output].variable
        by_output[~position if variable else layer.output] = layer
    return _replace(network, by_output.values(), notes)


def _pooled(first: Layer, pool: Layer) -> Layer | str | None:
    """Let the convolution `first` compute the maximum over the windows of `pool`."""
    if not isinstance(first, layers.Conv2D) or not isinstance(pool, layers.Pool):
        return None
    if pool.kind != "MAX_POOL_2D":
        return "a mean of rounded values is not the rounded mean"
    if pool.window.padded:
        return "windows leave the image"
    if pool.window.stride != pool.window.size:
        return "windows overlap, or leave out pixels"
    if first.pool != (1, 1):
        return "it has a pool already"
    window = _on_image(pool.window, (*first.window.output, len(first.weights)))
    if window is None:
        return "the pool sees that output under another shape"
    if not first.channels.proven:
        return "its sums may exceed 32 bits, and sums that wrap have no order"
    patches = 2 * window.taps * first.weights[0].size  # as int16
    if patches > 4 * math.prod(first.window.output) * len(first.weights):
        return "the patches of all pixels under a window take far more memory than they save"
    return dataclasses.replace(
        first,
        operators=(*first.operators, *pool.operators),
        output=pool.output,
        pool=window.size,
        range=first.range.narrowed(pool.range.low, pool.range.high),
    )


def _on_image(window: Window, shape: tuple[int, int, int]) -> Window | None:
    """`window`, which has no padding, on an image of `shape` with the same number of elements.

    It is transposed if one image is a row and the other a column. None if the pixels differ.
    """
    if (*window.input, window.channels) == shape:
        return window
    transposed = window.transposed
    if 1 in window.input and (*transposed.input, transposed.channels) == shape:
        return transposed
    return None


def _clamp_of(table: layers.Table) -> Pair | None:
    """Bounds of a table that only clamps; None for others."""
    low, high = int(table.table[0]), int(table.table[-1])
    return (low, high) if np.array_equal(table.table, np.clip(_INT8, low, high)) else None


_INT8 = np.arange(-128, 128)


def _clamped(first: Layer, table: Layer) -> Layer | str | None:
    """Let `first` clamp as `table` does."""
    bounds = _clamp_of(table) if isinstance(table, layers.Table) else None
    if bounds is None:
        return None
    if not isinstance(first, layers.Weighted | layers.Broadcast | layers.Pool):
        return "it has no range"
    names = [name for name in (first.activation, table.kind) if name != "NONE"]
    return dataclasses.replace(
        first,
        operators=(*first.operators, *table.operators),
        output=table.output,
        activation=" + ".join(names),
        range=first.range.narrowed(*bounds),
    )


def _drop_unused(network: Network) -> Network:
    """Drop layers whose results reach no output, in this inference or by a state in another."""
    needed, before = set(network.outputs), 0
    used: list[Layer] = []
    while len(needed) > before:  # again with the states that the layers before read
        before, used = len(needed), []
        for layer in reversed(network.layers):
            if layer.output in needed:
                needed.update(layer.inputs)
                used.append(layer)
    computed = {index for layer in used for index in layer.operators}
    notes = [
        f"{_name(layer)} is dropped: its output is never read"
        for layer in network.layers
        if not computed.issuperset(layer.operators)
    ]
    return _replace(network, reversed(used), notes)


def _name(layer: Layer) -> str:
    """Name of a layer by its operators."""
    plural = "s" if len(layer.operators) > 1 else ""
    return f"operator{plural} {', '.join(map(str, layer.operators))} ({layer.kind})"


def _replace(network: Network, remaining: Iterable[Layer], notes: Iterable[str]) -> Network:
    return dataclasses.replace(network, layers=tuple(remaining), notes=(*network.notes, *notes))
