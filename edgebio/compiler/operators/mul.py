"""MUL: two tensors, one of which may be constant or repeated."""

from edgebio.compiler.ir.layers import Mul
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.broadcast import broadcast_fields


@operator("MUL")
def mul(node: Node) -> Mul:
    fields = broadcast_fields(node)
    return Mul(*node.fields(2), **fields, rescale=node.rescale(0, 1))
