"""Helium's kernels on networks of layers that they take: in plain C and on an emulated CPU."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from edgebio.compiler.ir.window import Window
from edgebio.compiler.kernels.mve_conv_2d import in_lines
from tests.compiler.networks import STYLES, Net
from tests.compiler.reference import (
    Run,
    assert_layers_equal,
    assert_outputs_equal,
    emulated,
    random_inputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

KERNELS = {
    "eb_run_add_mve",
    "eb_run_average_pool_mve",
    "eb_run_conv2d_many_mve",
    "eb_run_conv2d_many_relu_mve",
    "eb_run_conv2d_mve",
    "eb_run_conv2d_pooled_2x2_mve",
    "eb_run_conv2d_pooled_2x2_relu_mve",
    "eb_run_conv2d_pooled_2x2_step_mve",
    "eb_run_conv2d_pooled_mve",
    "eb_run_conv2d_relu_mve",
    "eb_run_depthwise_mve",
    "eb_run_max_pool_mve",
    "eb_run_mean_mve",
}


class Wide(Net):
    """Numbers of channels that are multiples of 16, multiples of 4, and others."""

    def wide_conv(self) -> None:
        image = self.shape_of(self.at)
        window = self.window(image[1], image[2], int(self.rng.choice([1, 3, 5])))
        outputs = [3, 4, 8, 12, 16, 17, 20, 32, 48, int(self.rng.integers(1, 34))]
        self.conv(window, int(self.rng.choice(outputs)))

    def conv_and_pool(self) -> None:
        """A convolution and a pool that is fused into it."""
        self.wide_conv()
        image = self.shape_of(self.at)
        some = [2, 2] if self.rng.random() < 0.5 else self.rng.integers(1, 4, 2).tolist()
        size = [min(n, side) for n, side in zip(some, image[1:3], strict=True)]
        window = {"size": size, "stride": size, "dilation": [1, 1], "same": False}
        self.pool(window, "MAX_POOL_2D")

    def plain_depthwise(self) -> None:
        self.depthwise(multiplier=1)

    def window(self, height: int, width: int, most: int) -> dict[str, Any]:
        window = super().window(height, width, min(most, 4))
        if self.rng.random() < 0.5:
            window["dilation"] = [1, 1]
        return window


def network(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    channels = int(rng.choice([1, 1, 2, 3, 4, 8, 12, 16, 20, 32, int(rng.integers(1, 34))]))
    height, width = (int(n) for n in rng.integers(1, 20, 2))
    net = Wide(rng, (1, height, width, channels), str(rng.choice(STYLES)))
    for _ in range(rng.integers(2, 5)):
        layers = ["wide_conv", "conv_and_pool", "plain_depthwise", "pool", "residual"]
        getattr(net, rng.choice(layers, p=[0.15, 0.3, 0.3, 0.1, 0.15]))()
    if rng.random() < 0.5:
        net.mean([1, 2], keep=False)
    net.dense()
    return net.finish()


@pytest.fixture(scope="module")
def seeds() -> list[int]:
    """A few networks that use all kernels."""
    unused, chosen = set(KERNELS), []
    for seed in range(400):
        program = compiler.compile_model(network(seed), "mve")
        if used := unused.intersection(call.function for call in program.calls):
            chosen.append(seed)
            unused -= used
        if not unused:
            return chosen
    raise AssertionError(f"no network uses {unused}")


def test_every_layer_equals_tflite_micro(seeds: list[int]) -> None:
    for seed in seeds:
        data = network(seed)
        model = HostModel(data, "mve")
        assert_layers_equal([model], data, random_inputs(model.input_shape, seed, 6))


def check_outputs(seeds: Sequence[int], run: Run) -> None:
    assert_outputs_equal([network(seed) for seed in seeds], seeds, run)


def test_sanitizers_report_nothing(seeds: list[int]) -> None:
    check_outputs(seeds, sanitized("mve"))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(2000, 2160, 40))
def test_sanitizers_report_nothing_in_more_networks(start: int) -> None:
    check_outputs(range(start, start + 40), sanitized("mve"))


def test_emulated_cpu_equals_tflite_micro(seeds: list[int]) -> None:
    check_outputs(seeds, emulated("mps3-an547"))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(2000, 2160, 40))
def test_emulated_cpu_equals_tflite_micro_in_more_networks(start: int) -> None:
    check_outputs(range(start, start + 40), emulated("mps3-an547"))


def test_pixels_of_1x1_convolutions_are_paired() -> None:
    one = (1, 1)
    window = Window((25, 5), (25, 5), 64, one, one, one, before=(0, 0), after=(0, 0))
    lines = in_lines(window)
    assert lines.input == lines.output == (8, 16)  # the last one has 13: one is left alone
