"""Lowering to a copy of picked elements."""

import math

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import KernelLayer, Reshape
from edgebio.compiler.ir.view import View
from edgebio.compiler.operators.common.node import Node


def make_copy(node: Node, view: View) -> Layer:
    """Layer that copies the elements of `view`; a reshape if they are all, in order."""
    elements, missing = math.prod(node.input(0).shape), 4 - len(view.sizes)
    first, last = view.bounds
    assert 0 <= first <= last < elements, "internal error of the compiler, please report it"
    if view.is_all_of(elements):
        return Reshape(*node.fields())
    return KernelLayer(
        *node.fields(),
        kernel="copy",
        parameters={
            "start": view.start,
            "size": (1,) * missing + view.sizes,
            "step": (0,) * missing + view.steps if view.sizes else (0, 0, 0, 1),
        },
        elements=((elements,), math.prod(view.sizes)),
    )
