"""Requantization by one multiplication gives the reference's byte for every sum, or is refused."""

import numpy as np
import pytest

from edgebio.compiler import arithmetic
from edgebio.compiler.kernels.dsp_scales import _line


def random_channel(seed: int) -> tuple[int, int, int, int, int, int, int]:
    """Bias, multiplier, shift, magnitude, zero point, low and high of a layer with a RELU."""
    rng = np.random.default_rng(seed)
    shift = -int(rng.integers(0, 14))
    multiplier = int(rng.integers(1 << 30, 1 << 31))
    reach = int(2.0 ** (-shift + rng.uniform(3, 11)))
    bias = int(rng.integers(-reach, reach + 1))
    magnitude = 0 if seed % 13 == 0 else int(rng.integers(1, reach + 2))
    zero_point = int(rng.choice([-128, -128, int(rng.integers(-128, 100))]))
    high = int(rng.choice([127, 127, int(rng.integers(zero_point, 128))]))
    return bias, multiplier, shift, magnitude, zero_point, zero_point, high


def compared_sums(bias: int, magnitude: int, near: list[int]) -> list[int]:
    """Both ends, sums around those of the steps, and some between."""
    lowest, highest = bias - magnitude, bias + magnitude
    between = np.linspace(lowest, highest, 50).astype(int).tolist()
    sums = {lowest, highest, *between, *(s + d for s in near for d in (-2, -1, 0, 1, 2))}
    return sorted(s for s in sums if lowest <= s <= highest)


@pytest.mark.parametrize("start", range(0, 1000, 250))
def test_every_byte_is_the_references(start: int) -> None:
    accepted = 0
    for seed in range(start, start + 250):
        bias, multiplier, shift, magnitude, zero_point, low, high = random_channel(seed)
        line = _line(bias, multiplier, shift, magnitude, zero_point, low, high)
        if line is None:
            continue
        accepted += 1
        factor, first, slope = line
        assert abs(first) + factor * magnitude < 1 << 31
        assert 0 <= factor <= 256
        assert 0 < slope < 1 << 31
        real = multiplier * 2.0 ** (shift - 31)
        near = [int((step - zero_point - 0.5) / real) for step in range(low, high + 1)]
        for total in compared_sums(bias, magnitude, near):
            expected = arithmetic.requantize(total, multiplier, shift) + zero_point
            scaled = first + factor * (total - bias)
            have = ((scaled * slope + (1 << 31)) >> 32) >> 12
            clipped = [min(max(value, low), high) for value in (expected, have)]
            assert clipped[0] == clipped[1], (seed, total)
    assert accepted > 150


def test_a_channel_that_never_changes_needs_no_search() -> None:
    factor, first, slope = _line(0, 1 << 30, -30, 1 << 20, -5, -128, 127) or (1, 0, 0)
    assert factor == 0
    assert ((first * slope + (1 << 31)) >> 32) >> 12 == -5
