"""Layers that compute each element by itself."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from edgebio.compiler import activations, arithmetic
from edgebio.compiler import network as net
from edgebio.compiler.source import Source


def add(source: Source) -> net.Layer:
    return _sum(source, net.Add, arithmetic.add_multipliers)


def sub(source: Source) -> net.Layer:
    return _sum(source, net.Sub, arithmetic.sub_multipliers)


def _sum(source: Source, layer: type[net.Add], multipliers: Callable[..., Any]) -> net.Layer:
    inputs = source.input(0), source.input(1)
    first, second, total = multipliers(
        inputs[0].scale[0], inputs[1].scale[0], source.output.scale[0]
    )
    return layer(
        *source.identity,
        shape=_four(source.output.shape),
        steps=(_steps(inputs[0].shape), _steps(inputs[1].shape)),
        zero_points=(int(inputs[0].zero_point[0]), int(inputs[1].zero_point[0])),
        rescale=(first, second),
        rescale_sum=total,
        range=source.range(),
        activation=source.activation,
    )


def mul(source: Source) -> net.Layer:
    first, second = source.input(0), source.input(1)
    return net.Mul(
        *source.identity,
        shape=_four(source.output.shape),
        steps=(_steps(first.shape), _steps(second.shape)),
        zero_points=(int(first.zero_point[0]), int(second.zero_point[0])),
        rescale=_factor(source, float(first.scale[0]) * float(second.scale[0])),
        range=source.range(),
        activation=source.activation,
    )


def prelu(source: Source) -> net.Layer:
    tensor, slope = source.input(0), source.input(1)
    slopes = source.constant(1).astype(np.int8)
    zero_in, zero_slope = int(tensor.zero_point[0]), int(slope.zero_point[0])
    zero_out = int(source.output.zero_point[0])
    above = source.rescale()
    below = _factor(source, float(tensor.scale[0]) * float(slope.scale[0]))
    if slopes.size > 1:
        return net.Prelu(
            *source.identity,
            shape=_four(tensor.shape),
            slopes=slopes,
            steps=_steps(slope.shape),
            zero_points=(zero_in, zero_slope, zero_out),
            rescale=(above, below),
        )
    factor = int(slopes.ravel()[0]) - zero_slope

    def rectified(value: int) -> int:
        centred = value - zero_in
        if centred >= 0:
            return arithmetic.requantize(centred, *above) + zero_out
        return arithmetic.requantize(centred * factor, *below) + zero_out

    return _table(source, lambda value: _within(rectified(value)))


def _factor(source: Source, real: float) -> tuple[int, int]:
    """Multiplier and shift from a scale to the output's."""
    return arithmetic.quantize_multiplier(real / float(source.output.scale[0]))


def _four(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    sizes = (1,) * (4 - len(shape)) + shape
    return sizes[0], sizes[1], sizes[2], sizes[3]


def _steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Elements between neighbours along each of 4 axes; 0 along an axis of size 1."""
    sizes = _four(shape)
    return tuple(math.prod(sizes[axis + 1 :]) if size > 1 else 0 for axis, size in enumerate(sizes))


def quantize(source: Source) -> net.Layer:
    zero_point = int(source.output.zero_point[0])
    if source.input(0).dtype == "float32":
        return net.Quantize(*source.identity, scale=source.output.scale[0], zero_point=zero_point)
    return _rescaling_table(source, arithmetic.INT8_MIN)


def dequantize(source: Source) -> net.Layer:
    tensor = source.input(0)
    return net.Dequantize(
        *source.identity, scale=tensor.scale[0], zero_point=int(tensor.zero_point[0])
    )


def relu(source: Source) -> net.Layer:
    return _rescaling_table(source, int(source.output.zero_point[0]))


def relu6(source: Source) -> net.Layer:
    """`tflite::Relu6Quantized` clips in the input's scale and does not rescale."""
    tensor = source.input(0)
    low, high = arithmetic.activation_range("RELU6", tensor.scale[0], int(tensor.zero_point[0]))
    return _table(source, lambda value: min(max(value, low), high))


def leaky_relu(source: Source) -> net.Layer:
    """`tflite::CalculateOpDataLeakyRelu` multiplies and divides scales in float32."""
    tensor, target = source.input(0).scale[0], source.output.scale[0]
    with np.errstate(over="ignore", under="ignore"):
        slope = tensor * np.float32(source.options["alpha"])
    above = arithmetic.quantize_multiplier(arithmetic.quotient(tensor, target))
    below = arithmetic.quantize_multiplier(arithmetic.quotient(slope, target))
    zero_in, zero_out = int(source.input(0).zero_point[0]), int(source.output.zero_point[0])

    def rectified(value: int) -> int:
        centred = value - zero_in
        return _within(
            arithmetic.requantize(centred, *(above if centred >= 0 else below)) + zero_out
        )

    return _table(source, rectified)


def logistic(source: Source) -> net.Layer:
    tensor = source.input(0)
    return _table(source, activations.logistic(tensor.scale[0], int(tensor.zero_point[0])))


def tanh(source: Source) -> net.Layer:
    tensor = source.input(0)
    return _table(source, activations.tanh(tensor.scale[0], int(tensor.zero_point[0])))


def hard_swish(source: Source) -> net.Layer:
    (zero_in,), (zero_out,) = source.input(0).zero_point, source.output.zero_point
    scales = source.input(0).scale[0], source.output.scale[0]
    return _table(source, activations.hard_swish(scales[0], int(zero_in), scales[1], int(zero_out)))


def _rescaling_table(source: Source, low: int) -> net.Layer:
    multiplier, shift = source.rescale()
    zero_in, zero_out = int(source.input(0).zero_point[0]), int(source.output.zero_point[0])

    def rescaled(value: int) -> int:
        answer = arithmetic.requantize(value - zero_in, multiplier, shift) + zero_out
        return min(max(answer, low), arithmetic.INT8_MAX)

    return _table(source, rescaled)


def _within(value: int) -> int:
    return min(max(value, arithmetic.INT8_MIN), arithmetic.INT8_MAX)


def _table(source: Source, function: Callable[[int], int]) -> net.Layer:
    values = range(arithmetic.INT8_MIN, arithmetic.INT8_MAX + 1)
    return net.Table(*source.identity, table=np.array([function(v) for v in values], np.int8))
