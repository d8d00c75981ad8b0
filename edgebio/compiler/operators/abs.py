"""ABS: absolute value, as a table."""

from edgebio.compiler.arithmetic import requantize
from edgebio.compiler.ir.layers import Table
from edgebio.compiler.operators.common import Node, make_table, operator


@operator("ABS")
def absolute(node: Node) -> Table:
    """`tflite::AbsEvalQuantized` (micro/kernels/elementwise.cc) divides scales in float64."""
    node.check_elementwise()
    rescale, zero_in, zero_out = node.rescale(0), node.zero_point(0), node.output_zero_point
    return make_table(node, lambda value: requantize(abs(value - zero_in), *rescale) + zero_out)
