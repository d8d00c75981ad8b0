"""TRANSPOSE: any order of axes that can be walked in at most four runs."""

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.view import View, strides
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.copy import make_copy


@operator("TRANSPOSE")
def transpose(node: Node) -> Layer:
    shape, order = node.check_unary(2, 2).shape, node.integers(1, "axes")
    if sorted(order) != list(range(len(shape))):
        node.refuse(f"axes {order} of {len(shape)}")
    sizes, steps = [shape[axis] for axis in order], strides(shape)
    node.check_shape(tuple(sizes))
    view = View.of(0, sizes, [steps[axis] for axis in order])
    if len(view.sizes) > 4:
        node.refuse(f"{len(view.sizes)} runs of axes; at most 4 are supported")
    return make_copy(node, view)
