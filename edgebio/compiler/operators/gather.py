"""GATHER: constant indices along one axis."""

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.gather import make_gather


@operator("GATHER")
def gather(node: Node) -> Layer:
    shape, indices = node.check_unary(2, 2).shape, node.constant(1, "indices")
    axis, rank = int(node.options["axis"]), len(shape)
    if not -rank <= axis < rank:
        node.refuse(f"axis {axis} of {rank}")
    if node.options["batch_dims"]:
        node.refuse(f"{node.options['batch_dims']} batch axes are not supported")
    axis %= rank
    picked = [int(index) for index in indices.ravel()]
    if not picked or not all(0 <= index < shape[axis] for index in picked):
        node.refuse(f"indices {picked} of an axis of {shape[axis]}")
    node.check_shape((*shape[:axis], *indices.shape, *shape[axis + 1 :]))
    places = [range(size) for size in shape]
    return make_gather(node, [*places[:axis], picked, *places[axis + 1 :]])
