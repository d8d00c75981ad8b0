"""Integer arithmetic: its definition, comparison with real numbers, and C against Python."""

import ctypes
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import storage
from edgebio.compiler import arithmetic
from edgebio.compiler.operators.common.reduction import merge_axes
from edgebio.compiler.operators.softmax import exponentials
from edgebio.processes import host_compiler

int32 = st.integers(-(1 << 31), (1 << 31) - 1)


@given(st.floats(2**-30, 2**29))
def test_multiplier_is_the_nearest(real: float) -> None:
    multiplier, shift = arithmetic.quantize_multiplier(real)
    assert 1 << 30 <= multiplier < 1 << 31
    assert abs(multiplier * 2.0 ** (shift - 31) - real) <= real * 2.0**-31


def test_multipliers_at_the_limits() -> None:
    assert arithmetic.quantize_multiplier(0) == (0, 0)
    assert arithmetic.quantize_multiplier(2**-33) == (0, 0)
    assert arithmetic.quantize_multiplier(1.0) == (1 << 30, 1)
    assert arithmetic.quantize_multiplier(math.nextafter(1.0, 0)) == (1 << 30, 1)  # rounds up


@given(st.integers(-(1 << 24), 1 << 24), st.floats(2**-20, 16))
def test_requantize_is_within_one_of_the_product(value: int, real: float) -> None:
    multiplier, shift = arithmetic.quantize_multiplier(real)
    assert abs(arithmetic.requantize(value, multiplier, shift) - value * real) <= 1.001


@given(int32, st.integers(0, 31))
def test_rounding_shift_is_half_away_from_zero(value: int, exponent: int) -> None:
    expected = (abs(value) + (1 << exponent >> 1)) >> exponent
    assert arithmetic.rounding_shift(value, exponent) == int(math.copysign(expected, value))


@pytest.fixture(scope="module")
def c_requantize(tmp_path_factory: pytest.TempPathFactory) -> "ctypes._NamedFuncPointer":
    source = tmp_path_factory.mktemp("c") / "requantize.c"
    source.write_text(
        '#include "eb_kernels.h"\n'
        "int32_t requantize(int32_t v, int32_t m, int32_t s);\n"
        "int32_t requantize(int32_t v, int32_t m, int32_t s) { return eb_requantize(v, m, s); }\n"
    )
    kernels = storage.assets("firmware_assets") / "kernels"
    return host_compiler.load_library("requantize", [source], [kernels]).requantize


def test_c_requantizes_like_python(c_requantize: "ctypes._NamedFuncPointer") -> None:
    rng = np.random.default_rng(0)
    edges = [0, 1, -1, 2, -2, (1 << 30) - 1, 1 << 30, -(1 << 30), (1 << 31) - 1, -(1 << 31)]
    values = [
        *edges,
        *(
            int(v) >> int(s)
            for v, s in zip(
                rng.integers(-(1 << 31), 1 << 31, 4000), rng.integers(0, 31, 4000), strict=True
            )
        ),
    ]
    multipliers = [0, 1 << 30, (1 << 31) - 1, *map(int, rng.integers(1 << 30, 1 << 31, 40))]
    for value in values:
        for shift in (-31, -30, -9, -1, 0, 1, 5, 30):
            multiplier = multipliers[(value ^ shift) % len(multipliers)]
            expected = arithmetic.requantize(value, multiplier, shift)
            assert c_requantize(value, multiplier, shift) == expected, (value, multiplier, shift)


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 5), st.integers(1, 4))
def test_same_padding_covers_the_image(size: int, window: int, stride: int, dilation: int) -> None:
    output, before, after = arithmetic.same_padding(size, window, stride, dilation)
    assert output == math.ceil(size / stride)
    assert 0 <= after - before <= 1
    reach = (output - 1) * stride + (window - 1) * dilation + 1
    assert before + size + after >= reach  # no window leaves the padded image
    assert before + after == 0 or before + size + after == reach


@pytest.mark.parametrize("scale", [0.001, 0.02, 0.1, 1.5])
def test_exponentials_are_close_to_exp(scale: float) -> None:
    values = exponentials(np.float32(scale), 1.0)
    expected = np.exp(-np.arange(len(values)) * float(np.float32(scale)))
    np.testing.assert_allclose(np.array(values) / 2**31, expected, atol=2e-7)
    assert values[0] == (1 << 31) - 1
    assert all(a >= b >= 0 for a, b in itertools.pairwise(values))
    assert len(values) >= min(256, 16 / scale)  # exp(-16) is below the last bit of a sum


def test_runs() -> None:
    assert merge_axes((1, 4, 5, 3), {1, 2}) == [1, 20, 3]
    assert merge_axes((1, 4, 5, 3), {1, 3}) == [1, 4, 5, 3]
    assert merge_axes((1, 4, 1, 3), {1, 3}) == [1, 12]
    assert merge_axes((1, 4, 5, 3), {3}) == [20, 3]
    assert merge_axes((1, 1, 1, 3), {1, 2}) == [3]
    assert merge_axes((1, 4), {0}) == [4]


def test_activation_ranges() -> None:
    scale = np.float32(0.05)
    assert arithmetic.activation_range("NONE", scale, 3) == (-128, 127)
    assert arithmetic.activation_range("RELU", scale, 3) == (3, 127)
    assert arithmetic.activation_range("RELU6", scale, -50) == (-50, 70)
    assert arithmetic.activation_range("RELU6", scale, 3) == (3, 123)
    assert arithmetic.activation_range("RELU_N1_TO_1", scale, 3) == (-17, 23)
