"""Checks and geometry of operators that reduce axes."""

import math
from typing import Final

from edgebio.compiler.operators.common.node import Node

MAX_SUM: Final = 1 << 22
"""Most int8 in one sum, far below what 32 bits hold."""

Runs = tuple[int, int, int, int, int]
"""Sizes [outer][reduced][middle][reduced][inner] of an input."""


def check_runs(node: Node) -> Runs:
    """Check the axes and the output of a reduction; gives the runs of its input."""
    shape, axes = node.check_unary(2, 2).shape, node.integers(1, "axes")
    rank, output = len(shape), node.output.shape
    if not axes or any(not -rank <= axis < rank for axis in axes):
        node.refuse(f"axes {axes} of {rank}")
    reduced = {axis % rank for axis in axes}
    computed = [1 if axis in reduced else size for axis, size in enumerate(shape)]
    if math.prod(output) != math.prod(computed):
        node.refuse(f"output has shape {list(output)}, {computed} is computed")
    sizes = merge_axes(shape, reduced)
    if len(sizes) > 5:
        node.refuse(f"axes {sorted(reduced)} of shape {list(shape)} are too scattered")
    if math.prod(shape) > MAX_SUM:
        node.refuse(f"shape {list(shape)} is too large")
    # With one reduced run, the kernel's innermost loop is the long one.
    sizes = [sizes[0], 1, 1, *sizes[1:]] if len(sizes) < 4 else sizes
    outer, first, middle, second, inner = sizes + [1] * (5 - len(sizes))
    return outer, first, middle, second, inner


def merge_axes(shape: tuple[int, ...], reduced: set[int]) -> list[int]:
    """Merge the axes of `shape` into runs that stay, are reduced, stay, ... in turn.

    Axes of size 1 belong to any run. The first run stays; its size is 1 if there is none.
    """
    sizes = [1]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        if (axis in reduced) != (len(sizes) % 2 == 0):
            sizes.append(1)
        sizes[-1] *= size
    return sizes
