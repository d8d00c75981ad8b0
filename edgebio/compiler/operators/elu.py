"""ELU: exp(x) - 1 below zero, as a table."""

import math

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.arithmetic import round_half_away
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.operators.common import Node, float_function, make_table, operator


@operator("ELU")
def elu(node: Node) -> Layer:
    """`tflite::PopulateLookupTable` (micro/kernels/elu.cc) computes in float32 throughout."""
    if node.has_input(0) and node.input(0).dtype == "float32":
        return float_function(node, _elu)
    source, target = node.check_elementwise().scale[0], node.output.scale[0]
    node.check_factor(256 * float(source) / float(target))  # the reference's int32 holds results
    inverse = np.float32(1) / target
    zero_in, zero_out = node.zero_point(0), np.float32(node.output_zero_point)

    def result(value: int) -> int:
        x = source * np.float32(value - zero_in)
        if x < 0:
            x = np.float32(math.exp(x)) - np.float32(1)
        return int(np.float32(round_half_away(float(x * inverse))) + zero_out)

    return make_table(node, result)


def _elu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """`tflite::reference_ops::Elu` (reference/elu.h)."""
    return np.where(x < 0, np.expm1(x.astype(np.float64)).astype(np.float32), x)
