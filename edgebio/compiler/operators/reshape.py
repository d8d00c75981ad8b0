"""RESHAPE, SQUEEZE, EXPAND_DIMS: another shape of the same elements, which costs nothing."""

import math

from edgebio.compiler.ir.layers import Reshape
from edgebio.compiler.operators.common import Node, operator


@operator("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
def reshape(node: Node) -> Reshape:
    node.check_inputs(1, 2)
    source, output = node.input(0), node.output
    if source.data is not None:
        node.refuse(f"tensor {source.index} is a constant")
    if source.dtype != output.dtype:
        node.refuse(f"{source.dtype} to {output.dtype}")
    if math.prod(source.shape) != math.prod(output.shape):
        node.refuse(f"{list(source.shape)} to {list(output.shape)} changes the number of elements")
    return Reshape(*node.fields())
