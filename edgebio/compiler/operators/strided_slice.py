"""STRIDED_SLICE: up to four axes, any stride; no ellipsis, no new axis."""

import math

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.view import View, strides
from edgebio.compiler.operators.common import MAX_SIZE, Node, operator
from edgebio.compiler.operators.common.copy import make_copy


@operator("STRIDED_SLICE")
def strided_slice(node: Node) -> Layer:
    shape = node.check_unary(4, 4).shape
    rank = len(shape)
    if not 1 <= rank <= 4:
        node.refuse(f"{rank} axes; 1 to 4 are supported")
    for option in ("ellipsis_mask", "new_axis_mask", "offset"):
        if node.options[option]:
            node.refuse(f"{option} is not supported")
    names = ("begin", "end", "strides")
    begin, end, stride = (node.integers(i, name) for i, name in enumerate(names, 1))
    if any(len(values) != rank for values in (begin, end, stride)):
        node.refuse(f"{len(begin)} and {len(end)} and {len(stride)} indices for {rank} axes")
    if any(not 1 <= abs(step) <= MAX_SIZE for step in stride):
        node.refuse(f"strides {stride}")
    masks = [int(node.options[f"{name}_mask"]) for name in ("begin", "end", "shrink_axis")]
    first, sizes, computed = [], [], []
    for axis, (index, last, step, size) in enumerate(zip(begin, end, stride, shape, strict=True)):
        from_first, to_last, shrinks = (bool(mask & 1 << axis) for mask in masks)
        if shrinks and (step != 1 or not -size <= index < size):
            node.refuse(f"element {index} by {step} of axis {axis}, which has {size}")
        bounds = None if from_first else index, None if to_last else last
        start, count = axis_slice(*bounds, step, size)
        first.append(start)
        sizes.append(1 if shrinks else count)
        computed += [] if shrinks else [count]
    node.check_shape(tuple(computed))
    elements = strides(shape)
    offset = sum(index * step for index, step in zip(first, elements, strict=True))
    steps = [a * b for a, b in zip(stride, elements, strict=True)]
    return make_copy(node, View.of(offset, sizes, steps))


def axis_slice(begin: int | None, end: int | None, stride: int, size: int) -> tuple[int, int]:
    """First index and number of elements along an axis of `size`; None is the end of the axis.

    `tflite::strided_slice::StartForAxis` and `StopForAxis` (internal/strided_slice_logic.h).
    """
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    ends = (low, high) if stride > 0 else (high, low)
    first, last = (
        absent if index is None else min(max(index + size if index < 0 else index, low), high)
        for index, absent in zip((begin, end), ends, strict=True)
    )
    return first, max(math.ceil((last - first) / stride), 0)
