"""UNPACK: the elements along one axis, which is removed; the first axis costs nothing."""

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.split import split_at


@operator("UNPACK", several_outputs=True)
def unpack(node: Node) -> tuple[Layer, ...]:
    node.check_inputs(1, 1)
    shape, axis = node.input(0).shape, int(node.options["axis"])
    if not -len(shape) <= axis < len(shape):
        node.refuse(f"axis {axis} of {len(shape)}")
    axis %= len(shape)
    if shape[axis] != len(node.outputs) or shape[axis] != node.options["num"]:
        node.refuse(f"{shape[axis]} elements of axis {axis} to {len(node.outputs)} outputs")
    return split_at(node, 0, axis, [1] * shape[axis], removes=True)
