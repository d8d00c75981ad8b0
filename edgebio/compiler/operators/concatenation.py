"""CONCATENATION: up to 64 tensors of one scale along any axis."""

import math
from typing import Final

from edgebio.compiler.ir.kernel_call import Array
from edgebio.compiler.ir.layers import Concatenation
from edgebio.compiler.kernels.layout import constant_inputs
from edgebio.compiler.operators.common import Node, operator
from edgebio.tflite import Tensor

_MAX_TENSORS: Final = 64  # the reference takes 10, and copies as well


@operator("CONCATENATION")
def concatenation(node: Node) -> Concatenation:
    node.check_inputs(1, _MAX_TENSORS)
    count, output = len(node.inputs), node.check_int8(node.output)
    tensors = [node.check_int8(node.input(i), constant=True) for i in range(count)]
    if all(tensor.data is not None for tensor in tensors):
        node.refuse("all inputs are constants")
    if node.activation != "NONE":
        node.refuse(f"fused activation {node.activation} is not supported")
    rank, axis = len(output.shape), int(node.options["axis"])
    if not -rank <= axis < rank:
        node.refuse(f"axis {axis} of {rank}")
    axis %= rank
    for tensor in tensors:
        name = f"tensor {tensor.index}"
        if len(tensor.shape) != rank or _without(tensor, axis) != _without(output, axis):
            node.refuse(
                f"{name} of shape {list(tensor.shape)} does not fit the output, "
                f"{list(output.shape)}, along axis {axis}"
            )
        if tensor.scale[0] != output.scale[0] or tensor.zero_point[0] != output.zero_point[0]:
            # The reference copies bytes: with another scale, they would mean something else.
            node.refuse(f"{name} and the output have different scales or zero points")
    total = sum(tensor.shape[axis] for tensor in tensors)
    node.check_shape((*output.shape[:axis], total, *output.shape[axis + 1 :]))
    rows = math.prod(output.shape[:axis])
    blocks = tuple(math.prod(tensor.shape[axis:]) for tensor in tensors)
    return Concatenation(
        *node.fields(count),
        kernel="concatenation",
        parameters={"rows": rows, "inputs": count, "blocks": "@blocks"},
        arrays=(
            *constant_inputs(tensors),
            Array("blocks", "uint32_t", blocks, "elements of a row, of each input"),
        ),
        lists_inputs=True,
        elements=(tuple(rows * block for block in blocks), rows * sum(blocks)),
    )


def _without(tensor: Tensor, axis: int) -> tuple[int, ...]:
    """Shape without an axis."""
    return tensor.shape[:axis] + tensor.shape[axis + 1 :]
