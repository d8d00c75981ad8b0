"""Random networks of one to seven layers."""

import math
from collections.abc import Callable

import numpy as np

from tests.compiler import layers_without_weights
from tests.compiler.layers_of_shapes import any_blocks, computed_reshape
from tests.compiler.networks import STYLES, Net
from tests.compiler.transpose_conv_layer import any_transpose_conv


def random_network(seed: int, make: type[Net] = Net) -> bytes:
    """A network of one to seven layers on an image or a sequence, perhaps with a head.

    A third each has scales as quantization after training makes them, as training for it does, and
    of any kind at all.
    """
    rng = np.random.default_rng(seed)
    sizes = (int(rng.integers(1, 14)), int(rng.integers(1, 14)), int(rng.integers(1, 18)))
    net = make(rng, (1, *sizes), STYLES[seed % len(STYLES)])
    if seed % 5 < 2:
        net = make(rng, (1, int(rng.integers(1, 50)), sizes[2]), STYLES[seed % len(STYLES)])
        _sequence_layers(net)
    else:
        _image_layers(net)
    _head(net)
    return net.finish()


def random_stream(seed: int) -> tuple[bytes, int]:
    """A network of one to seven layers that is made to be a stream, and a hop of 1 to 5 frames."""
    rng = np.random.default_rng(seed)
    frames, bins, channels = (
        int(rng.integers(low, high)) for low, high in ((6, 26), (1, 7), (1, 9))
    )
    net = Net(rng, (1, frames, bins, channels), STYLES[seed % len(STYLES)])
    if seed % 4 == 0:
        net = Net(rng, (1, int(rng.integers(10, 50)), channels), STYLES[seed % len(STYLES)])
        _stream_layers_1d(net)
    else:
        _stream_layers(net)
    _stream_head(net)
    return net.finish(), int(rng.integers(1, 6))


def _stream_head(net: Net) -> None:
    """Nothing, flatten or a mean over time, and perhaps a classifier."""
    head = int(net.rng.integers(6))
    if head in (1, 2, 3):
        net.mean([1, 2] if len(net.shape_of(net.at)) == 4 and head > 1 else [1])
    if head in (3, 4, 5):
        net.dense()
    if head == 5:
        net.softmax()


def _stream_layers(net: Net) -> None:
    layers: list[Callable[[], None]] = [net.conv, net.conv, net.conv, net.depthwise]
    layers += [net.depthwise, net.pool, net.residual, net.residual, net.add, net.unary, net.smooth]
    layers += [net.prelu, net.branches, net.grouped, net.pad, net.thinned]
    layers += [lambda: net.binary("SUB"), lambda: net.binary("MUL")]
    for _ in range(int(net.rng.integers(1, 6))):
        layers[int(net.rng.integers(len(layers)))]()


def _stream_layers_1d(net: Net) -> None:
    layers: list[Callable[[], None]] = [net.conv_1d, net.conv_1d, net.conv_1d]
    layers += [lambda: net.conv_1d(layer=net.depthwise), lambda: net.conv_1d(layer=net.grouped)]
    layers += [net.pool_1d, net.halving_pool_1d, net.zero_padding_1d, net.add, net.prelu]
    layers += [lambda: net.conv_1d(causal=True), net.unary, net.smooth, net.branches]
    for _ in range(int(net.rng.integers(1, 7))):
        layers[int(net.rng.integers(len(layers)))]()


def _image_layers(net: Net) -> None:
    layers: list[Callable[[], None]] = [net.conv, net.conv, net.depthwise, net.depthwise]
    layers += [net.pool, net.add, net.unary]
    layers += [
        net.residual,
        net.residual,
        net.branches,
        net.smooth,
        net.smooth,
        net.prelu,
        net.transpose,
    ]
    layers += [
        net.grouped,
        net.thinned,
        net.pad,
        *[lambda: layers_without_weights.any_of_them(net)] * 6,
        lambda: any_transpose_conv(net),
        lambda: any_blocks(net),
        lambda: net.binary("SUB"),
        lambda: net.binary("MUL"),
    ]
    for _ in range(int(net.rng.integers(1, 6))):
        layers[int(net.rng.integers(len(layers)))]()
        if net.rng.random() < 0.2:
            net.refolded()
        if net.rng.random() < 0.1:
            computed_reshape(net, net.shape_of(net.at))


def _sequence_layers(net: Net) -> None:
    layers: list[Callable[[], None]] = [net.conv_1d, net.conv_1d, net.conv_1d]
    layers += [lambda: net.conv_1d(layer=net.depthwise), lambda: net.conv_1d(layer=net.grouped)]
    layers += [net.pool_1d, net.halving_pool_1d, net.halving_pool_1d, net.zero_padding_1d]
    layers += [net.add, net.unary, net.smooth, net.prelu, net.branches, net.thinned, net.transpose]
    layers += [lambda: any_blocks(net), lambda: any_blocks(net)]
    layers += [lambda: layers_without_weights.any_of_them(net)] * 4
    layers += [lambda: net.binary("SUB"), lambda: net.binary("MUL")]
    for _ in range(int(net.rng.integers(1, 7))):
        layers[int(net.rng.integers(len(layers)))]()


def _head(net: Net) -> None:
    head = int(net.rng.integers(6))
    if head == 0:
        net.smooth()  # views alone may leave nothing to compute
    elif head == 1:
        net.mean()
    elif head == 2:
        computed_reshape(net, (1, math.prod(net.shape_of(net.at))))
        net.dense()
    elif head == 3:
        shape = net.shape_of(net.at)
        net.reshape((1, shape[1], math.prod(shape[2:])))
        net.lstm(int(net.rng.integers(1, 12)))
        last = (1, net.shape_of(net.at)[2])
        net.strided_slice(
            [0, -1, 0], [0] * 3, [1] * 3, last, beginMask=5, endMask=5, shrinkAxisMask=2
        )
    elif head >= 4:
        net.dense()
        net.softmax() if head == 5 else net.unary()
    ending = net.rng.random()
    rank = len(net.shape_of(net.at))
    if ending < 0.08 and rank > 1:
        layers_without_weights.arg_max(net, int(net.rng.integers(1, rank)))
    elif ending < 0.16:
        layers_without_weights.to_uint8(net)
