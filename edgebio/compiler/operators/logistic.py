"""LOGISTIC, TANH: sigmoids in fixed point, as a table."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from edgebio.compiler.arithmetic import (
    INT8_MAX,
    INT8_MIN,
    exp_on_negative_values,
    high_multiply,
    requantize,
    round_half_away,
    rounding_shift,
)
from edgebio.compiler.ir.layers import Table
from edgebio.compiler.operators.common import Node, make_table, operator

_OUTPUTS: Final = {"LOGISTIC": (np.float32(1 / 256), INT8_MIN), "TANH": (np.float32(1 / 128), 0)}
_ONE: Final = (1 << 31) - 1  # of Q0.31
_INTEGER_BITS: Final = 4  # of the input


@operator("LOGISTIC", "TANH")
def sigmoid(node: Node) -> Table:
    source, output = node.check_elementwise(), node.output
    scale, zero_point = _OUTPUTS[node.kind]
    if output.scale[0] != scale or output.zero_point[0] != zero_point:
        node.refuse(
            f"output has scale {output.scale[0]:g} and zero point {output.zero_point[0]}; "
            f"1/{1 / scale:g} and {zero_point} are required"
        )
    # Outside, the reference shifts by a negative number or by more than the width of a register.
    if not 2.0**-28 <= source.scale[0] < 16:
        node.refuse(f"input has scale {source.scale[0]:g}; 2^-28 to 16 is required")
    function = logistic if node.kind == "LOGISTIC" else tanh
    return make_table(node, function(source.scale[0], node.zero_point(0)))


def logistic(scale: np.float32, zero_point: int) -> Callable[[int], int]:
    """`tflite::reference_integer_ops::Logistic` (integer_ops/logistic.h), from an int8."""

    def result(value: int) -> int:
        share = 1 << 30
        if value:
            x = _one_over_one_plus(exp_on_negative_values(-abs(value), _INTEGER_BITS))
            share = min(x << 1, _ONE)
        return rounding_shift(share if value >= 0 else _ONE - share, 23) + INT8_MIN

    return _saturating(scale, zero_point, result)


def tanh(scale: np.float32, zero_point: int) -> Callable[[int], int]:
    """`tflite::reference_integer_ops::Tanh` (integer_ops/tanh.h), from an int8."""

    def result(value: int) -> int:
        if value == 0:
            return 0
        # tanh(x) = (1 - exp(-2x)) / (1 + exp(-2x)): one more integer bit doubles the value.
        x = _one_over_one_plus(exp_on_negative_values(-abs(value), _INTEGER_BITS + 1))
        magnitude = min((x - (1 << 29)) << 2, _ONE)
        return rounding_shift(magnitude if value > 0 else -magnitude, 24)

    return _saturating(scale, zero_point, result)


def _saturating(
    scale: np.float32, zero_point: int, function: Callable[[int], int]
) -> Callable[[int], int]:
    """`function` of an int8 in Q4.27; the ends of int8 if it is far from zero."""
    fraction, shift = math.frexp(float(scale) * (1 << (31 - _INTEGER_BITS)))
    multiplier = round_half_away(fraction * (1 << 31))
    radius = math.floor(((1 << _INTEGER_BITS) - 1) * (1 << (31 - _INTEGER_BITS)) / (1 << shift))

    def result(value: int) -> int:
        centered = value - zero_point
        if abs(centered) >= radius:
            return INT8_MIN if centered <= -radius else INT8_MAX
        return function(requantize(centered, multiplier, shift))

    return result


def _one_over_one_plus(x: int) -> int:
    """2 / (1 + x) in Q2.29 for x in Q0.31, as gemmlowp computes it: three Newton-Raphson steps."""
    half = (x + _ONE + 1) // 2
    estimate = 1515870810 + high_multiply(half, -1010580540)  # 48/17 - 32/17 * half
    for _ in range(3):
        estimate += high_multiply(estimate, (1 << 29) - high_multiply(half, estimate)) << 2
    return estimate
