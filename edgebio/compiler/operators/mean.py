"""MEAN: over any axes that form at most two runs of neighbors."""

import math

from edgebio.compiler.ir.layer import Rescale
from edgebio.compiler.ir.layers import Mean
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.pool_2d import MAX_SUM


@operator("MEAN")
def mean(node: Node) -> Mean:
    shape, axes = node.check_unary(2, 2).shape, node.integers(1, "axes")
    rank, output = len(shape), node.output.shape
    if not axes or any(not -rank <= axis < rank for axis in axes):
        node.refuse(f"axes {axes} of {rank}")
    reduced = {axis % rank for axis in axes}
    computed = [1 if axis in reduced else size for axis, size in enumerate(shape)]
    if math.prod(output) != math.prod(computed):
        node.refuse(f"output has shape {list(output)}, {computed} is computed")
    sizes = runs(shape, reduced)
    if len(sizes) > 5:
        node.refuse(f"axes {sorted(reduced)} of shape {list(shape)} are too scattered")
    if math.prod(shape) > MAX_SUM:
        node.refuse(f"shape {list(shape)} is too large")
    # With one reduced run, the kernel's innermost loop is the long one.
    sizes = [sizes[0], 1, 1, *sizes[1:]] if len(sizes) < 4 else sizes
    outer, first, middle, second, inner = sizes + [1] * (5 - len(sizes))
    return Mean(
        *node.fields(),
        runs=(outer, first, middle, second, inner),
        offset=-node.zero_point(0) * first * second,
        rescale=divide(node.rescale(0), first * second),
        zero_point=node.output_zero_point,
    )


def runs(shape: tuple[int, ...], reduced: set[int]) -> list[int]:
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


def divide(rescale: Rescale, count: int) -> Rescale:
    """Fold the division by `count` into a multiplier.

    `tflite::reference_ops::QuantizedMeanOrSum` (kernels/internal/reference/reduce.h).
    """
    multiplier, shift = rescale
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << extra) // count, shift - extra
