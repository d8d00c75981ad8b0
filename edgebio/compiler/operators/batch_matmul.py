"""BATCH_MATMUL: of two tensors, one of which may be constant, transposed or repeated."""

import math

import numpy as np

from edgebio.compiler.arithmetic import quantize_multiplier
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.kernels.layout import constant_inputs, rescale_members
from edgebio.compiler.operators.common import Node, operator
from edgebio.tflite import Tensor

_MAX_AXES = 5  # the reference takes no more


@operator("BATCH_MATMUL")
def batch_matmul(node: Node) -> KernelLayer:
    """`tflite::reference_ops::BatchMatMul` (micro/kernels/batch_matmul.cc)."""
    node.check_inputs(2, 2)
    output = node.check_int8(node.output)
    tensors = [node.check_int8(node.input(position), constant=True) for position in (0, 1)]
    if all(tensor.data is not None for tensor in tensors):
        node.refuse("both inputs are constants")
    first, second = tensors
    for tensor in tensors:
        if not 2 <= len(tensor.shape) <= _MAX_AXES:
            node.refuse(f"tensor {tensor.index} has {len(tensor.shape)} axes; 2 to 5 are supported")
    # Both as [rows or columns][depth], by elements between neighbors.
    rows, depth, *first_steps = _matrix(first, bool(node.options["adj_x"]))
    columns, other, *second_steps = _matrix(second, not node.options["adj_y"])
    if depth != other:
        node.refuse(f"{depth} columns times {other} rows")
    try:
        batches = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    except ValueError:
        node.refuse(f"shapes {list(first.shape)} and {list(second.shape)} do not broadcast")
    node.check_shape((*batches, rows, columns))
    # The scales are multiplied in float32, and divided in float64.
    with np.errstate(over="ignore", under="ignore"):
        product = float(first.scale[0] * second.scale[0])
    rescale = quantize_multiplier(node.check_factor(product / float(output.scale[0])))
    return KernelLayer(
        *node.fields(2),
        kernel="batch_matmul",
        parameters={
            "batches": (1,) * (3 - len(batches)) + batches,
            "batch_step_1": _batch_steps(first),
            "batch_step_2": _batch_steps(second),
            "rows": rows,
            "columns": columns,
            "depth": depth,
            "row_step": first_steps[0],
            "depth_step_1": first_steps[1],
            "column_step": second_steps[0],
            "depth_step_2": second_steps[1],
            "zero_point_1": node.zero_point(0),
            "zero_point_2": node.zero_point(1),
            **rescale_members(rescale),
            "zero_point": node.output_zero_point,
        },
        arrays=constant_inputs(tensors),
        elements=(tuple(math.prod(t.shape) for t in tensors), math.prod(output.shape)),
        macs=math.prod(batches) * rows * columns * depth,
    )


def _matrix(tensor: Tensor, transposed: bool) -> tuple[int, int, int, int]:
    """Sizes of the last two axes, and elements between neighbors, in order or exchanged."""
    rows, columns = tensor.shape[-2:]
    return (columns, rows, 1, columns) if transposed else (rows, columns, columns, 1)


def _batch_steps(tensor: Tensor) -> tuple[int, ...]:
    """Elements between neighbors along three axes of the batch; 0 where it is repeated."""
    sizes = (1,) * (5 - len(tensor.shape)) + tensor.shape
    return tuple(math.prod(sizes[i + 1 :]) if sizes[i] > 1 else 0 for i in range(3))
