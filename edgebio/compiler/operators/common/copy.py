"""Lowering to a copy of picked elements."""

import math

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import KernelLayer, Reshape
from edgebio.compiler.ir.view import View
from edgebio.compiler.operators.common.node import Node


def make_copy(node: Node, view: View) -> Layer:
    """Layer that copies the elements of `view`; a reshape if they are all, in order."""
    if view.is_all_of(math.prod(node.input(0).shape)):
        return Reshape(*node.fields())
    return make_part(node, view)


def make_part(node: Node, view: View, *, position: int = 0, output: int = 0) -> KernelLayer:
    """Layer that copies the elements of `view` of one input to one output, even if they are all.

    The memory plan turns neighboring elements into a view of the input where it can.
    """
    elements, missing = math.prod(node.input(position).shape), 4 - len(view.sizes)
    first, last = view.bounds
    assert 0 <= first <= last < elements, "internal error of the compiler, please report it"
    return KernelLayer(
        *node.fields(first=position, output=output),
        kernel="copy",
        parameters={
            "start": view.start,
            "size": (1,) * missing + view.sizes,
            "step": (0,) * missing + view.steps if view.sizes else (0, 0, 0, 1),
        },
        elements=((elements,), math.prod(view.sizes)),
    )
