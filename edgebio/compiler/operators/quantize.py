"""QUANTIZE, DEQUANTIZE: int8 to int8 with another scale; float32 at the edges of the graph."""

from edgebio.compiler.arithmetic import requantize
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import Dequantize, Quantize
from edgebio.compiler.operators.common import Node, make_table, operator


@operator("QUANTIZE")
def quantize(node: Node) -> Layer:
    node.check_inputs(1, 1)
    source = node.input(0)
    node.check_int8(node.output)
    node.check_shape(source.shape)
    zero_out = node.output_zero_point
    if source.dtype == "int8":
        node.check_int8(source)
        rescale, zero_in = node.rescale(0), node.zero_point(0)
        return make_table(node, lambda value: requantize(value - zero_in, *rescale) + zero_out)
    if source.dtype != "float32" or source.data is not None:
        node.refuse(f"tensor {source.index} is {source.dtype}; int8 and float32 are supported")
    return Quantize(*node.fields(), scale=node.output.scale[0], zero_point=zero_out)


@operator("DEQUANTIZE")
def dequantize(node: Node) -> Dequantize:
    node.check_inputs(1, 1)
    source = node.check_int8(node.input(0))
    if node.output.dtype != "float32":
        node.refuse(f"int8 to {node.output.dtype}")
    node.check_shape(source.shape)
    return Dequantize(*node.fields(), scale=source.scale[0], zero_point=node.zero_point(0))
