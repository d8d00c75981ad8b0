"""LEAKY_RELU: one slope below zero, as a table."""

import math

import numpy as np

from edgebio.compiler.arithmetic import quantize_multiplier, quotient, requantize
from edgebio.compiler.ir.layers import Table
from edgebio.compiler.operators.common import Node, make_table, operator


@operator("LEAKY_RELU")
def leaky_relu(node: Node) -> Table:
    """`tflite::CalculateOpDataLeakyRelu` multiplies and divides scales in float32."""
    source, target = node.check_elementwise().scale[0], node.output.scale[0]
    alpha = float(node.options["alpha"])
    if not 0 <= alpha < math.inf:  # false for NaN, too
        node.refuse(f"alpha of {alpha:g}")
    with np.errstate(over="ignore", under="ignore"):
        slope = source * np.float32(alpha)
    factors = (node.check_factor(quotient(scale, target)) for scale in (source, slope))
    above, below = map(quantize_multiplier, factors)
    zero_in, zero_out = node.zero_point(0), node.output_zero_point

    def rectify(value: int) -> int:
        centered = value - zero_in
        return requantize(centered, *(above if centered >= 0 else below)) + zero_out

    return make_table(node, rectify)
