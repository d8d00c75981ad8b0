"""Functions of one int8 to one int8 as tflite-micro computes them, in integers.

Each repeats a reference kernel to the last bit; the kernel is named in its docstring. A network
needs only their 256 answers, so nothing of this runs on a device.
"""

import math
from collections.abc import Callable

import numpy as np

from edgebio.compiler import arithmetic
from edgebio.compiler.arithmetic import INT8_MAX, INT8_MIN, high_multiply, rounding_shift

_ONE = (1 << 31) - 1  # of Q0.31
_INTEGER_BITS = 4  # of the input of LOGISTIC and TANH


def logistic(scale: np.float32, zero_point: int) -> Callable[[int], int]:
    """LOGISTIC from `scale` and `zero_point` to 1/256 and -128.

    `tflite::reference_integer_ops::Logistic` (integer_ops/logistic.h).
    """

    def positive(value: int) -> int:
        x = _newton(arithmetic.exp_on_negative_values(-value, _INTEGER_BITS))
        return min(x << 1, _ONE)

    def answer(value: int) -> int:
        share = positive(abs(value)) if value else 1 << 30
        return _within(rounding_shift(share if value >= 0 else _ONE - share, 23) + INT8_MIN)

    return _saturating(scale, zero_point, answer)


def tanh(scale: np.float32, zero_point: int) -> Callable[[int], int]:
    """TANH from `scale` and `zero_point` to 1/128 and 0.

    `tflite::reference_integer_ops::Tanh` (integer_ops/tanh.h).
    """

    def answer(value: int) -> int:
        if value == 0:
            return 0
        # tanh(x) = (1 - exp(-2x)) / (1 + exp(-2x)): one more integer bit doubles the value.
        x = _newton(arithmetic.exp_on_negative_values(-abs(value), _INTEGER_BITS + 1))
        magnitude = min((x - (1 << 29)) << 2, _ONE)
        return _within(rounding_shift(magnitude if value > 0 else -magnitude, 24))

    return _saturating(scale, zero_point, answer)


def _saturating(
    scale: np.float32, zero_point: int, answer: Callable[[int], int]
) -> Callable[[int], int]:
    """Bring an int8 to Q4.27 and ask `answer`; far from zero, the ends of int8."""
    fraction, shift = math.frexp(float(scale) * (1 << (31 - _INTEGER_BITS)))
    multiplier = arithmetic.round_half_away(fraction * (1 << 31))
    radius = math.floor(((1 << _INTEGER_BITS) - 1) * (1 << (31 - _INTEGER_BITS)) / (1 << shift))

    def function(value: int) -> int:
        centred = value - zero_point
        if centred <= -radius:
            return INT8_MIN
        if centred >= radius:
            return INT8_MAX
        return answer(arithmetic.requantize(centred, multiplier, shift))

    return function


def _newton(x: int) -> int:
    """2 / (1 + x) in Q2.29 for x in Q0.31, as gemmlowp computes it: three Newton-Raphson steps."""
    half = (x + _ONE + 1) // 2
    estimate = 1515870810 + high_multiply(half, -1010580540)  # 48/17 - 32/17 * half
    for _ in range(3):
        estimate += high_multiply(estimate, (1 << 29) - high_multiply(half, estimate)) << 2
    return estimate


def hard_swish_multipliers(
    source: np.float32, target: np.float32
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Multiplier in 16 bits and exponent of HARD_SWISH: of its output, of its gate.

    `tflite::HardSwishPrepare` (micro/kernels/hard_swish_common.cc): scales divided in float32.
    """
    fine = np.float32(1 / 128) * source
    output = arithmetic.quantize_multiplier(arithmetic.quotient(fine, target))
    gate = arithmetic.quantize_multiplier(arithmetic.quotient(fine, np.float32(3 / 32768)))
    return _to_16_bits(*output), _to_16_bits(*gate)


def _to_16_bits(multiplier: int, exponent: int) -> tuple[int, int]:
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1), exponent


def hard_swish(
    source: np.float32, zero_in: int, target: np.float32, zero_out: int
) -> Callable[[int], int]:
    """HARD_SWISH, x * relu6(x + 3) / 6.

    `tflite::reference_ops::HardSwish` (reference/hard_swish.h), in 16 bits throughout.
    """
    (out_multiplier, out_exponent), (gate_multiplier, gate_exponent) = hard_swish_multipliers(
        source, target
    )

    def function(value: int) -> int:
        fine = (value - zero_in) << 7
        product = _high_multiply_16(fine, out_multiplier)
        gate = fine
        if gate_exponent > 0:
            gate = _saturated_16(gate << (gate_exponent - 1))
        gate = _high_multiply_16(gate, gate_multiplier)
        if gate_exponent > 0:
            gate = _saturated_16(gate << 1)
        if gate_exponent < 0:
            gate = rounding_shift(gate, -gate_exponent)
        gate = (gate + (1 << 15)) >> 1  # from [-1, 1] to [0, 1]
        gated = gate * product
        shifted = rounding_shift(int(math.copysign(abs(gated) >> 15, gated)), -out_exponent)
        wrapped = (shifted + zero_out + (1 << 15)) % (1 << 16) - (1 << 15)
        return _within(wrapped)

    return function


def _high_multiply_16(a: int, b: int) -> int:
    """`gemmlowp::SaturatingRoundingDoublingHighMul` of two int16, one of them not negative."""
    return (a * b + (1 << 14)) >> 15


def _saturated_16(value: int) -> int:
    return min(max(value, -(1 << 15)), (1 << 15) - 1)


def _within(value: int) -> int:
    return min(max(value, INT8_MIN), INT8_MAX)
