"""Integer arithmetic of int8 networks, as tflite-micro computes it.

Every function repeats one of TensorFlow Lite Micro's reference kernels to the last bit; its
docstring names the source. Scales are float32 in the file. Whether a product is formed in float32
or in float64 decides the last bit of a multiplier, so it is written out everywhere.
"""

import math

import numpy as np

INT8_MIN, INT8_MAX = -128, 127


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Write a positive real as multiplier * 2**(shift - 31), multiplier in [2**30, 2**31).

    `tflite::QuantizeMultiplier` (kernels/internal/quantization_util.cc).

    Returns
    -------
    multiplier, shift : int
        Both 0 if `real` is 0 or so small that every product would round to 0.
    """
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = round_half_away(fraction * (1 << 31))
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def quotient(dividend: np.float32, divisor: np.float32) -> float:
    """Divide in float32, as some reference kernels do; infinite if it overflows."""
    with np.errstate(over="ignore", under="ignore"):
        return float(dividend / divisor)


def round_half_away(value: float) -> int:
    """Round to the nearest integer, halves away from zero, as C's `round`."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def high_multiply(a: int, b: int) -> int:
    """`gemmlowp::SaturatingRoundingDoublingHighMul` of two int32."""
    if a == b == -(1 << 31):
        return (1 << 31) - 1
    return (a * b + (1 << 30)) >> 31


def rounding_shift(value: int, exponent: int) -> int:
    """`gemmlowp::RoundingDivideByPOT`: value / 2**exponent, halves away from zero."""
    remainder = value & ((1 << exponent) - 1)
    threshold = (((1 << exponent) - 1) >> 1) + (value < 0)
    return (value >> exponent) + (remainder > threshold)


def requantize(value: int, multiplier: int, shift: int) -> int:
    """`tflite::MultiplyByQuantizedMultiplier`, double rounding (kernels/internal/common.cc)."""
    return rounding_shift(high_multiply(int32(value << max(shift, 0)), multiplier), max(-shift, 0))


def activation_range(activation: str, scale: np.float32, zero_point: int) -> tuple[int, int]:
    """Smallest and largest int8 that a fused activation allows.

    `tflite::CalculateActivationRangeQuantized` (kernels/kernel_util.cc): bounds are rounded in
    float32.
    """

    def quantized(real: float) -> int:
        return zero_point + round_half_away(float(np.float32(real) / scale))

    low, high = INT8_MIN, INT8_MAX
    if activation in ("RELU", "RELU6"):
        low = max(low, zero_point)
    if activation == "RELU6":
        high = min(high, quantized(6.0))
    if activation == "RELU_N1_TO_1":
        low, high = max(low, quantized(-1.0)), min(high, quantized(1.0))
    return low, high


def same_padding(size: int, window: int, stride: int, dilation: int) -> tuple[int, int, int]:
    """Output size and padding of SAME along one axis.

    `tflite::ComputePaddingHeightWidth` (kernels/padding.h): the odd element goes after.

    Returns
    -------
    output, before, after : int
    """
    output = -(-size // stride)
    total = max((output - 1) * stride + (window - 1) * dilation + 1 - size, 0)
    return output, total // 2, total - total // 2


def valid_size(size: int, window: int, stride: int, dilation: int) -> int:
    """Output size without padding along one axis; 0 or less if the window does not fit."""
    return (size + stride - ((window - 1) * dilation + 1)) // stride


_EXP_STEPS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-2**k) in Q0.31 for k = -2..4 (gemmlowp, fixedpoint/fixedpoint.h)."""


def exp_on_negative_values(value: int, integer_bits: int = 5) -> int:
    """exp(value / 2**(31 - integer_bits)) in Q0.31 for a value of at most 0, as gemmlowp does.

    `gemmlowp::exp_on_negative_values`: a Taylor expansion around -1/8 on [-1/4, 0), then one
    multiplication for each bit of the rest. `integer_bits` is at most 5.
    """
    if value == 0:
        return (1 << 31) - 1
    one = 31 - integer_bits  # bit of the value 1
    quarter = 1 << (one - 2)
    fraction = (value & (quarter - 1)) - quarter
    x = (fraction << integer_bits) + (1 << 28)
    x2 = high_multiply(x, x)
    x3, x4 = high_multiply(x2, x), high_multiply(x2, x2)
    tail = high_multiply(rounding_shift(x4, 2) + x3, 715827883) + x2
    constant = 1895147668
    result = constant + high_multiply(constant, x + rounding_shift(tail, 1))
    rest = fraction - value
    for power, step in zip(range(-2, integer_bits), _EXP_STEPS, strict=False):
        if rest & (1 << (one + power)):
            result = high_multiply(result, step)
    return result


def int32(value: int) -> int:
    """Wrap to 32 bits, as the reference's shifts do on every machine."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)
