"""Requantization by one multiplication gives the reference's byte for every sum, or is refused."""

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler import arithmetic
from edgebio.compiler.kernels.dsp_scales import _line
from tests.compiler.networks import Net
from tests.compiler.reference import Run, assert_outputs_equal, emulated, sanitized


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


class TrainedScales(Net):
    """Outputs use their range as those of trained networks do: most layers can be scaled."""

    def fused(self) -> int:
        return 1  # RELU

    def zero_point(self) -> int:
        return -128

    def weighted(
        self, shape: tuple[int, ...], axis: int, outputs: int
    ) -> tuple[int, int, np.float32]:
        weights, bias, _ = super().weighted(shape, axis, outputs)
        product = float(self.scale_of(self.at)) * float(self.scale_of(weights))
        return weights, bias, np.float32(product * 2 ** self.rng.uniform(6, 9))

    def scale(self, low: float = 0.003, high: float = 0.3) -> np.float32:
        return np.float32(self.rng.uniform(0.02, 0.04))


def scaled_network(seed: int) -> bytes:
    """A convolution of any shape, and perhaps a pool; then one of a pixel."""
    rng = np.random.default_rng(seed)
    sizes = (int(rng.integers(3, 10)), int(rng.integers(3, 10)), int(rng.choice([1, 2, 3, 4, 8])))
    net = TrainedScales(rng, (1, *sizes))
    net.conv(outputs=int(rng.integers(1, 14)))
    if seed % 3 == 0 and min(net.shape_of(net.at)[1:3]) >= 2:
        two = [2, int(rng.integers(1, 3))]
        net.pool({"size": two, "stride": two, "dilation": [1, 1], "same": False}, "MAX_POOL_2D")
    one = [1, 1]
    net.conv({"size": one, "stride": one, "dilation": one, "same": False}, int(rng.integers(1, 14)))
    return net.finish()


def check_networks(seeds: range, run: Run) -> None:
    models = [scaled_network(seed) for seed in seeds]
    functions = [
        call.function
        for model in models
        for call in compiler.compile_model(model, "dsp", compiler.Goal("fastest")).calls
    ]
    assert functions.count("eb_run_conv2d_scaled") > len(models) // 2
    assert "eb_run_conv2d_scaled_pooled" in functions
    assert_outputs_equal(models, seeds, run)


@pytest.mark.usefixtures("tflite_micro")
def test_sanitizers_report_nothing() -> None:
    check_networks(range(24), sanitized("dsp", compiler.Goal("fastest")))


@pytest.mark.usefixtures("tflite_micro")
def test_emulated_board_equals_tflite_micro() -> None:
    check_networks(range(100, 140), emulated("mps2-an386", compiler.Goal("fastest")))


@pytest.mark.slow
@pytest.mark.usefixtures("tflite_micro")
@pytest.mark.parametrize("start", range(1000, 1300, 60))
def test_three_hundred_more(start: int) -> None:
    check_networks(range(start, start + 60), sanitized("dsp", compiler.Goal("fastest")))
