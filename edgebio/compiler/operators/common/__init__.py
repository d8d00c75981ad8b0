"""What several operators share: the operator's node, registration, checks and geometry."""

from edgebio.compiler.operators.common.node import MAX_ELEMENTS, MAX_SIZE, Node
from edgebio.compiler.operators.common.registry import (
    OPERATORS,
    SEVERAL_OUTPUTS,
    STATES,
    operator,
)
from edgebio.compiler.operators.common.table import clamp, float_function, make_table

__all__ = [
    "MAX_ELEMENTS",
    "MAX_SIZE",
    "OPERATORS",
    "SEVERAL_OUTPUTS",
    "STATES",
    "Node",
    "clamp",
    "float_function",
    "make_table",
    "operator",
]
