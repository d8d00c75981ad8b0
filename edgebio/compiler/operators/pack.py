"""PACK: tensors of one shape and scale along a new axis."""

import math

from edgebio.compiler.ir.kernel_call import Array
from edgebio.compiler.ir.layers import Concatenation
from edgebio.compiler.kernels.layout import constant_inputs
from edgebio.compiler.operators.common import Node, operator


@operator("PACK")
def pack(node: Node) -> Concatenation:
    count, output = len(node.inputs), node.check_int8(node.output)
    tensors = [node.check_int8(node.input(i), constant=True) for i in range(count)]
    if all(tensor.data is not None for tensor in tensors):
        node.refuse("all inputs are constants")
    if node.options["values_count"] != count:
        node.refuse(f"{node.options['values_count']} values of {count} inputs")
    rank, axis = len(output.shape), int(node.options["axis"])
    if not -rank <= axis < rank:
        node.refuse(f"axis {axis} of {rank}")
    axis %= rank
    shape = tensors[0].shape
    for tensor in tensors:
        if tensor.shape != shape:
            node.refuse(f"shapes {list(shape)} and {list(tensor.shape)} differ")
        if tensor.scale[0] != output.scale[0] or tensor.zero_point[0] != output.zero_point[0]:
            # The reference copies bytes: with another scale, they would mean something else.
            node.refuse(f"tensor {tensor.index} and the output differ in scale or zero point")
    node.check_shape((*shape[:axis], count, *shape[axis:]))
    rows, block = math.prod(shape[:axis]), math.prod(shape[axis:])
    blocks = Array("blocks", "uint32_t", (block,) * count, "elements of a row, of each input")
    return Concatenation(
        *node.fields(count),
        kernel="concatenation",
        parameters={"rows": rows, "inputs": count, "blocks": "@blocks"},
        arrays=(*constant_inputs(tensors), blocks),
        lists_inputs=True,
        elements=((rows * block,) * count, rows * block * count),
    )
