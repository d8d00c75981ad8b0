"""Rules of what computes each element by itself."""

import math
from collections.abc import Callable

import numpy as np

from edgebio.compiler import activations, arithmetic
from edgebio.compiler.node import Node
from edgebio.tflite import Tensor

_Multipliers = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def add(node: Node) -> None:
    _sum(node, arithmetic.add_multipliers)


def sub(node: Node) -> None:
    _sum(node, arithmetic.sub_multipliers)


def _sum(
    node: Node, multipliers: Callable[[np.float32, np.float32, np.float32], _Multipliers]
) -> None:
    first, second, output = _two_inputs(node)
    largest = max(float(first.scale[0]), float(second.scale[0]))
    node.factor(2 * largest / (1 << 20) / float(output.scale[0]))
    *_, (multiplier, shift) = multipliers(first.scale[0], second.scale[0], output.scale[0])
    if shift > 0 or multiplier == 0:
        node.refuse(
            f"input scales {first.scale[0]:g}, {second.scale[0]:g} and output scale "
            f"{output.scale[0]:g} lie too far apart"
        )


def mul(node: Node) -> None:
    first, second, output = _two_inputs(node)
    node.factor(float(first.scale[0]) * float(second.scale[0]) / float(output.scale[0]))


def _two_inputs(node: Node) -> tuple[Tensor, Tensor, Tensor]:
    """Check both inputs, one of which may be a constant, and that they broadcast to the output."""
    node.count(2, 2)
    first = node.activation(node.input(0), constant=True)
    second = node.activation(node.input(1), constant=True)
    output = node.activation(node.output)
    if first.data is not None and second.data is not None:
        node.refuse("both inputs are constants")
    _broadcast(node, first, second)
    node.fused()
    return first, second, output


def _broadcast(node: Node, first: Tensor, second: Tensor) -> None:
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        node.refuse(f"shapes {list(first.shape)} and {list(second.shape)} do not broadcast")
    if len(shape) > 4:
        node.refuse(f"{len(shape)} axes; at most 4 are supported")
    node.shape(shape)


def prelu(node: Node) -> None:
    node.count(2, 2)
    source, slope = node.activation(node.input(0)), node.activation(node.input(1), constant=True)
    output = node.activation(node.output)
    if slope.data is None:
        node.refuse(f"its slopes, tensor {slope.index}, are not constant")
    _broadcast(node, source, slope)
    node.shape(source.shape)
    node.factor(float(source.scale[0]) / float(output.scale[0]))
    node.factor(float(source.scale[0]) * float(slope.scale[0]) / float(output.scale[0]))


def leaky_relu(node: Node) -> None:
    node.count(1, 1)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    node.shape(source.shape)
    alpha = float(node.options["alpha"])
    if not 0 <= alpha < math.inf:  # false for NaN too
        node.refuse(f"alpha of {alpha:g}")
    node.factor(arithmetic.quotient(source.scale[0], output.scale[0]))
    node.factor(float(source.scale[0]) * alpha / float(output.scale[0]))


def logistic(node: Node) -> None:
    _sigmoid(node, np.float32(1 / 256), arithmetic.INT8_MIN)


def tanh(node: Node) -> None:
    _sigmoid(node, np.float32(1 / 128), 0)


def _sigmoid(node: Node, scale: np.float32, zero_point: int) -> None:
    node.count(1, 1)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    node.shape(source.shape)
    if output.scale[0] != scale or output.zero_point[0] != zero_point:
        node.refuse(
            f"output has scale {output.scale[0]:g} and zero point {output.zero_point[0]}; "
            f"1/{1 / scale:g} and {zero_point} are needed"
        )
    # Beyond, the reference shifts by less than nothing or by more than a register is wide.
    if not 2.0**-28 <= source.scale[0] < 16:
        node.refuse(f"input has scale {source.scale[0]:g}; 2^-28 to 16 is needed")


def hard_swish(node: Node) -> None:
    node.count(1, 1)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    node.shape(source.shape)
    node.factor(float(source.scale[0]) / float(output.scale[0]))
    (_, exponent), (_, gate) = activations.hard_swish_multipliers(source.scale[0], output.scale[0])
    # The reference works in 16 bits.
    if not (-15 <= exponent <= 0 and -15 <= gate <= 15):
        node.refuse(
            f"input scale {source.scale[0]:g} and output scale {output.scale[0]:g} "
            "lie outside of what 16 bits hold"
        )


def quantize(node: Node) -> None:
    node.count(1, 1)
    source, output = node.input(0), node.activation(node.output)
    if source.dtype == "int8":
        node.activation(source)
        node.factor(float(source.scale[0]) / float(output.scale[0]))
    elif source.dtype != "float32" or source.data is not None:
        node.refuse(f"tensor {source.index} is {source.dtype}; int8 and float32 are supported")
    node.shape(source.shape)


def dequantize(node: Node) -> None:
    node.count(1, 1)
    source = node.activation(node.input(0))
    if node.output.dtype != "float32":
        node.refuse(f"int8 to {node.output.dtype}")
    node.shape(source.shape)


def rectify(node: Node) -> None:
    node.count(1, 1)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    node.factor(float(source.scale[0]) / float(output.scale[0]))
    node.shape(source.shape)
