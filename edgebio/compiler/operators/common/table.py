"""Lowering to a table of 256 results."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.arithmetic import INT8_MAX, INT8_MIN
from edgebio.compiler.ir.layers import FloatFunction, Table
from edgebio.compiler.operators.common.node import Node


def make_table(node: Node, function: Callable[[int], int]) -> Table:
    """Layer that computes `function` of each int8; results outside of int8 are clamped."""
    results = [clamp(function(value)) for value in range(INT8_MIN, INT8_MAX + 1)]
    return Table(*node.fields(), table=np.array(results, np.int8))


def float_function(
    node: Node, function: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> FloatFunction:
    """Layer of a function between DEQUANTIZE and QUANTIZE, which becomes a table, too."""
    node.check_inputs(1, 1)
    source, output = node.input(0), node.output
    for tensor in (source, output):
        if tensor.dtype != "float32" or tensor.data is not None:
            node.refuse(f"tensor {tensor.index} is {tensor.dtype}; float32 is required here")
    node.check_shape(source.shape)
    return FloatFunction(*node.fields(), function=function)


def clamp(value: int, low: int = INT8_MIN, high: int = INT8_MAX) -> int:
    """The nearest value in `low` ... `high`."""
    return min(max(value, low), high)
