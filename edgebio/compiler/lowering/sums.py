"""Layers that sum over many elements: convolutions, matrices, pools, MEAN, SOFTMAX."""

import math

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler import arithmetic
from edgebio.compiler import network as net
from edgebio.compiler.source import Source


def conv_2d(source: Source) -> net.Layer:
    weights = source.constant(1).astype(np.int8)
    groups = source.input(0).shape[3] // weights.shape[3]
    if groups > 1 and weights.shape[3] == 1:
        return _depthwise(source, weights[..., 0].transpose(1, 2, 0), len(weights) // groups)
    weights = _ungrouped(weights, groups)
    return net.Conv2D(
        *source.identity,
        window=source.window(weights.shape[1], weights.shape[2]),
        weights=weights,
        channels=source.channels(weights.reshape(len(weights), -1).astype(np.int64)),
        pad_value=int(source.input(0).zero_point[0]),
        range=source.range(),
        activation=source.activation,
        groups=groups,
    )


def _ungrouped(weights: NDArray[np.int8], groups: int) -> NDArray[np.int8]:
    """Weights for all channels, zero for those of other groups: they add nothing to a sum."""
    outputs, height, width, channels = weights.shape
    blocks = np.zeros((groups, outputs // groups, height, width, groups, channels), np.int8)
    for group, own in enumerate(weights.reshape(groups, -1, height, width, channels)):
        blocks[group, ..., group, :] = own
    return blocks.reshape(outputs, height, width, groups * channels)


def depthwise_conv_2d(source: Source) -> net.Layer:
    weights = source.constant(1).astype(np.int8)[0]
    return _depthwise(source, weights, int(source.options["depth_multiplier"]))


def _depthwise(source: Source, weights: NDArray[np.int8], multiplier: int) -> net.Layer:
    height, width, outputs = weights.shape
    return net.DepthwiseConv2D(
        *source.identity,
        window=source.window(height, width),
        weights=weights,
        channels=source.channels(weights.reshape(-1, outputs).T.astype(np.int64)),
        multiplier=multiplier,
        pad_value=int(source.input(0).zero_point[0]),
        range=source.range(),
        activation=source.activation,
    )


def fully_connected(source: Source) -> net.Layer:
    weights = source.constant(1).astype(np.int8)
    return net.FullyConnected(
        *source.identity,
        rows=math.prod(source.input(0).shape) // weights.shape[1],
        weights=weights,
        channels=source.channels(weights.astype(np.int64)),
        range=source.range(),
        activation=source.activation,
    )


def pool(source: Source) -> net.Layer:
    limits = source.range()
    return net.Pool(
        *source.identity,
        window=source.window(int(source.options["filter_h"]), int(source.options["filter_w"])),
        low=limits.low,
        high=limits.high,
        activation=source.activation,
    )


def mean(source: Source) -> net.Layer:
    shape = source.input(0).shape
    reduced = {int(axis) % len(shape) for axis in source.constant(1).astype(np.int64).ravel()}
    runs = arithmetic.runs(shape, reduced)
    # With one reduced run, the kernel's innermost loop is the one that is long.
    padding = [runs[0], 1, 1, *runs[1:]] if len(runs) < 4 else runs
    outer, first, middle, second, inner = padding + [1] * (5 - len(padding))
    multiplier, shift = arithmetic.mean_multiplier(*source.rescale(), first * second)
    return net.Mean(
        *source.identity,
        runs=(outer, first, middle, second, inner),
        offset=-int(source.input(0).zero_point[0]) * first * second,
        multiplier=multiplier,
        shift=shift,
        zero_point=int(source.output.zero_point[0]),
    )


def softmax(source: Source) -> net.Layer:
    tensor = source.input(0)
    classes = tensor.shape[-1]
    exponentials = arithmetic.softmax_exponentials(tensor.scale[0], float(source.options["beta"]))
    return net.Softmax(
        *source.identity,
        rows=math.prod(tensor.shape) // classes,
        classes=classes,
        exponentials=tuple(exponentials),
    )
