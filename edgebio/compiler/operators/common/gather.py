"""Lowering to a copy of elements whose places are given along each axis."""

import itertools
import math
from collections.abc import Sequence

from edgebio.compiler.ir.kernel_call import Array
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.ir.view import View, strides
from edgebio.compiler.operators.common.copy import make_copy
from edgebio.compiler.operators.common.node import Node


def make_gather(node: Node, places: Sequence[Sequence[int]]) -> Layer:
    """Layer that writes the elements at all combinations of `places`, one list per input axis.

    A copy at constant steps if all places have constant steps.
    """
    shape, steps = node.input(0).shape, strides(node.input(0).shape)
    progressions = [_progression(each) for each in places]
    start = sum(each[0] * step for each, step in zip(places, steps, strict=True))
    if None not in progressions:
        view = View.of(
            start,
            [len(each) for each in places],
            [(each or 0) * step for each, step in zip(progressions, steps, strict=True)],
        )
        if len(view.sizes) <= 4:
            return make_copy(node, view)
    whole = len(shape)
    while whole and list(places[whole - 1]) == list(range(shape[whole - 1])):
        whole -= 1
    block = math.prod(shape[whole:])
    axes: list[list[int]] = []
    for each, step in zip(places[:whole], steps, strict=False):
        axis = [place * step for place in each]
        if axes and min(len(axes[-1]), len(axis)) == 1:
            axes[-1] = [a + b for a in axes[-1] for b in axis]
        else:
            axes.append(axis)
    if len(axes) > 4:
        node.refuse(f"{len(axes)} axes are picked from; at most 4 are supported")
    axes = [[0]] * (4 - len(axes)) + axes
    offsets = tuple(offset for axis in axes for offset in axis)
    return KernelLayer(
        *node.fields(),
        kernel="gather",
        parameters={
            "offsets": "@offsets",
            "size": tuple(len(axis) for axis in axes),
            "block": block,
        },
        arrays=(Array("offsets", "uint32_t", offsets, "of the elements along each axis"),),
        elements=((math.prod(shape),), block * math.prod(len(axis) for axis in axes)),
    )


def _progression(places: Sequence[int]) -> int | None:
    """Distance between neighbors, 0 for a single place; None if it is not constant."""
    steps = {second - first for first, second in itertools.pairwise(places)}
    return steps.pop() if len(steps) == 1 else None if steps else 0
