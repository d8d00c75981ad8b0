"""RELU, RELU6: clamps, as a table."""

from edgebio.compiler.arithmetic import activation_range, requantize
from edgebio.compiler.ir.layers import Table
from edgebio.compiler.operators.common import Node, clamp, make_table, operator


@operator("RELU")
def relu(node: Node) -> Table:
    node.check_elementwise()
    rescale, zero_in, zero_out = node.rescale(0), node.zero_point(0), node.output_zero_point
    return make_table(
        node, lambda value: max(requantize(value - zero_in, *rescale) + zero_out, zero_out)
    )


@operator("RELU6")
def relu6(node: Node) -> Table:
    """`tflite::Relu6Quantized` clamps in the input's scale and does not rescale."""
    source = node.check_elementwise()
    node.rescale(0)  # checked as the reference does
    low, high = activation_range("RELU6", source.scale[0], node.zero_point(0))
    return make_table(node, lambda value: clamp(value, low, high))
