"""HARD_SWISH: x * relu6(x + 3) / 6 in 16 bits, as a table."""

import math

import numpy as np

from edgebio.compiler.arithmetic import quantize_multiplier, quotient, rounding_shift
from edgebio.compiler.ir.layers import Table
from edgebio.compiler.operators.common import Node, clamp, make_table, operator


@operator("HARD_SWISH")
def hard_swish(node: Node) -> Table:
    """`tflite::reference_ops::HardSwish` (reference/hard_swish.h)."""
    source, target = node.check_elementwise().scale[0], node.output.scale[0]
    node.check_factor(float(source) / float(target))
    # `tflite::HardSwishPrepare` (micro/kernels/hard_swish_common.cc): scales divided in float32.
    fine = np.float32(1 / 128) * source
    out_multiplier, out_exponent = _multiplier_16(fine, target)
    gate_multiplier, gate_exponent = _multiplier_16(fine, np.float32(3 / 32768))
    if not (-15 <= out_exponent <= 0 and -15 <= gate_exponent <= 15):
        node.refuse(
            f"input scale {source:g} and output scale {target:g} do not fit the reference's 16 bits"
        )
    zero_in, zero_out = node.zero_point(0), node.output_zero_point

    def result(value: int) -> int:
        fine = (value - zero_in) << 7
        product = _high_multiply_16(fine, out_multiplier)
        gate = fine
        if gate_exponent > 0:
            gate = _saturate_16(gate << (gate_exponent - 1))
        gate = _high_multiply_16(gate, gate_multiplier)
        if gate_exponent > 0:
            gate = _saturate_16(gate << 1)
        if gate_exponent < 0:
            gate = rounding_shift(gate, -gate_exponent)
        gate = (gate + (1 << 15)) >> 1  # from [-1, 1] to [0, 1]
        gated = gate * product
        shifted = rounding_shift(int(math.copysign(abs(gated) >> 15, gated)), -out_exponent)
        return (shifted + zero_out + (1 << 15)) % (1 << 16) - (1 << 15)

    return make_table(node, result)


def _multiplier_16(dividend: np.float32, divisor: np.float32) -> tuple[int, int]:
    """Multiplier in 16 bits and exponent of a quotient."""
    multiplier, exponent = quantize_multiplier(quotient(dividend, divisor))
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1), exponent


def _high_multiply_16(a: int, b: int) -> int:
    """`gemmlowp::SaturatingRoundingDoublingHighMul` of two int16, one of them not negative."""
    return (a * b + (1 << 14)) >> 15


def _saturate_16(value: int) -> int:
    return clamp(value, -(1 << 15), (1 << 15) - 1)
