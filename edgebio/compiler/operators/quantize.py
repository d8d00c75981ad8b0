"""QUANTIZE, DEQUANTIZE: int8 and uint8 to another scale; float32 at the edges of the graph."""

from typing import Final

from edgebio.compiler.arithmetic import INT8_MAX, INT8_MIN, requantize
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import Dequantize, Quantize
from edgebio.compiler.operators.common import Node, clamp, make_table, operator

_BYTES: Final = ("int8", "uint8")


@operator("QUANTIZE")
def quantize(node: Node) -> Layer:
    """`tflite::reference_ops::Requantize` from and to bytes (micro/kernels/quantize_common.cc)."""
    node.check_inputs(1, 1)
    source, output = node.input(0), node.output
    node.check_shape(source.shape)
    if source.dtype == "float32" and source.data is None:
        node.check_int8(output)
        return Quantize(*node.fields(), scale=output.scale[0], zero_point=node.output_zero_point)
    if source.dtype not in _BYTES or source.data is not None:
        node.refuse(
            f"tensor {source.index} is {source.dtype}; int8, uint8 and float32 are supported"
        )
    if output.dtype not in _BYTES or source.dtype == output.dtype == "uint8":
        node.refuse(f"{source.dtype} to {output.dtype} is not supported")
    for tensor in (source, output):
        node.check_bytes(tensor)
    rescale, zero_in, zero_out = node.rescale(0), node.zero_point(0), node.output_zero_point
    low, high = (0, 255) if output.dtype == "uint8" else (INT8_MIN, INT8_MAX)

    def result(value: int) -> int:
        """From a byte to a byte, both as an int8."""
        value = value % 256 if source.dtype == "uint8" else value
        byte = clamp(requantize(value - zero_in, *rescale) + zero_out, low, high)
        return byte - 256 if byte > INT8_MAX else byte

    return make_table(node, result)


@operator("DEQUANTIZE")
def dequantize(node: Node) -> Dequantize:
    node.check_inputs(1, 1)
    source = node.check_int8(node.input(0))
    if node.output.dtype != "float32":
        node.refuse(f"int8 to {node.output.dtype}")
    node.check_shape(source.shape)
    return Dequantize(*node.fields(), scale=source.scale[0], zero_point=node.zero_point(0))
