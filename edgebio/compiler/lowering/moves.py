"""Layers that only move elements."""

import math

import numpy as np

from edgebio.compiler import network as net
from edgebio.compiler import views
from edgebio.compiler.rules.moves import slices
from edgebio.compiler.source import Source


def pad(source: Source) -> net.Layer:
    pairs = source.constant(1).astype(np.int64)
    return net.Pad(
        *source.identity,
        shape=source.input(0).shape,
        pads=tuple((int(before), int(after)) for before, after in pairs),
        value=int(source.output.zero_point[0]),
    )


def reshape(source: Source) -> net.Layer:
    return net.Reshape(*source.identity)


def concatenation(source: Source) -> net.Layer:
    shape = source.output.shape
    axis = int(source.options["axis"]) % len(shape)
    inputs = [source.input(position) for position in range(len(source.operator.inputs))]
    return net.Concatenation(
        *source.identity,
        rows=math.prod(shape[:axis]),
        blocks=tuple(math.prod(tensor.shape[axis:]) for tensor in inputs),
    )


def transpose(source: Source) -> net.Layer:
    order = [int(axis) for axis in source.constant(1).astype(np.int64).ravel()]
    return _copy(source, views.transposed(source.input(0).shape, order))


def strided_slice(source: Source) -> net.Layer:
    shape = source.input(0).shape
    given = [[int(i) for i in source.constant(p).astype(np.int64).ravel()] for p in (1, 2, 3)]
    begin, size = zip(*slices(shape, given, source.options), strict=True)
    return _copy(source, views.sliced(shape, begin, size, given[2]))


def _copy(source: Source, view: views.View) -> net.Layer:
    if view.is_all_of(math.prod(source.input(0).shape)):
        return net.Reshape(*source.identity)
    return net.Copy(*source.identity, view=view)
