"""READ_VARIABLE, ASSIGN_VARIABLE: int8 state, by VAR_HANDLE, initialized in CALL_ONCE.

`passes.variables` has put the tensor of a state in the place of each handle.
"""

import math

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.view import View
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.copy import make_part


@operator("READ_VARIABLE", "ASSIGN_VARIABLE")
def copy_variable(node: Node) -> Layer:
    # The reference copies bytes, whatever their shape and scale.
    source = node.check_unary()
    elements = math.prod(source.shape)
    if elements != math.prod(node.output.shape):
        node.refuse(f"shape {list(source.shape)} to {list(node.output.shape)}")
    return make_part(node, View.of(0, (elements,), (1,)))
