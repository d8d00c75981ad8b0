"""Lowering to a table of 256 results."""

from collections.abc import Callable

import numpy as np

from edgebio.compiler.arithmetic import INT8_MAX, INT8_MIN
from edgebio.compiler.ir.layers import Table
from edgebio.compiler.operators.common.node import Node


def make_table(node: Node, function: Callable[[int], int]) -> Table:
    """Layer that computes `function` of each int8; results outside of int8 are clamped."""
    results = [clamp(function(value)) for value in range(INT8_MIN, INT8_MAX + 1)]
    return Table(*node.fields(), table=np.array(results, np.int8))


def clamp(value: int, low: int = INT8_MIN, high: int = INT8_MAX) -> int:
    """The nearest value in `low` ... `high`."""
    return min(max(value, low), high)
