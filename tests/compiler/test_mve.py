"""Helium's kernels on networks of layers that they take: in plain C and on the emulated core."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import boards
from edgebio.boards import qemu
from edgebio.compiler import mve
from edgebio.compiler.host import HostModel
from edgebio.compiler.network import Window
from edgebio.errors import MissingToolError
from edgebio.firmware import toolchain
from tests.compiler import many, networks, oracle
from tests.compiler.conftest import SANITIZE, STRICT

pytestmark = pytest.mark.usefixtures("tflite_micro")

KERNELS = {
    "eb_run_add_mve",
    "eb_run_average_pool_mve",
    "eb_run_conv2d_mve",
    "eb_run_conv2d_pooled_mve",
    "eb_run_depthwise_mve",
    "eb_run_max_pool_mve",
    "eb_run_mean_mve",
}


class Wide(networks.Net):
    """Layers as vectors like them, and others: whole sixteens of channels, fours, odd ones."""

    def conv(self) -> None:
        image = self.shape_of(self.at)
        window = self.window(image[1], image[2], int(self.rng.choice([1, 3, 5])))
        outputs = int(self.rng.choice([3, 4, 8, 12, 16, 17, 20, 32, 48]))
        weights, bias, scale = self.weighted((outputs, *window["size"], image[3]), 0, outputs)
        self.windowed("CONV_2D", "Conv2DOptions", window, [weights, bias], outputs, scale)

    def conv_and_pool(self) -> None:
        """A pool that the convolution takes: its windows neither overlap nor leave the image."""
        self.conv()
        image = self.shape_of(self.at)
        size = [int(self.rng.integers(1, min(n, 3) + 1)) for n in image[1:3]]
        window = {"size": size, "stride": size, "dilation": [1, 1], "same": False}
        output = self.activation(
            (1, *self.sizes(image, window), image[3]), self.scale_of(self.at), self.zero_of(self.at)
        )
        self.operator(
            "MAX_POOL_2D",
            [self.at],
            [output],
            "Pool2DOptions",
            padding=1,
            strideH=size[0],
            strideW=size[1],
            filterHeight=size[0],
            filterWidth=size[1],
        )
        self.at = output

    def depthwise(self, multiplier: int | None = 1) -> None:
        super().depthwise(multiplier)

    def window(self, height: int, width: int, most: int) -> dict[str, Any]:
        window = super().window(height, width, min(most, 4))
        if self.rng.random() < 0.5:
            window["dilation"] = [1, 1]
        return window

    def mean(self) -> None:
        shape = self.shape_of(self.at)
        axis = self.tensor((2,), "INT32", data=np.array([1, 2], np.int32))
        output = self.activation((1, shape[3]), self.near(self.at))
        self.operator("MEAN", [self.at, axis], [output], "ReducerOptions", keepDims=False)
        self.at = output


def network(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    channels = int(rng.choice([1, 2, 3, 4, 8, 12, 16, 20, 32]))
    height, width = (int(n) for n in rng.integers(1, 20, 2))
    net = Wide(rng, (1, height, width, channels), str(rng.choice(networks.STYLES)))
    for _ in range(rng.integers(2, 5)):
        kind = rng.choice(["conv", "conv_and_pool", "depthwise", "depthwise", "pool", "residual"])
        getattr(net, kind)()
    if rng.random() < 0.5:
        net.mean()
    net.dense()
    return net.finish()


def inputs(model: HostModel, seed: int) -> NDArray[np.int8]:
    x = np.random.default_rng(seed).integers(-128, 128, (6, *model.input_shape)).astype(np.int8)
    x[0], x[1] = -128, 127
    return x


def test_every_layer_equals_tflite_micro() -> None:
    used = set()
    for seed in range(12):
        data = network(seed)
        model = HostModel(data, "mve")
        x = inputs(model, seed)
        y, layers = oracle.outputs(data, x, [step.layer.output for step in model.program.steps])
        for what, step, wanted, found in zip(
            model.describe(), model.program.steps, layers, model.layers(x), strict=True
        ):
            assert wanted.tobytes() == found.tobytes(), f"seed {seed}, {step.function}: {what}"
            used.add(step.function)
        assert y.tobytes() == model.run(x).tobytes()
    assert used >= KERNELS


Run = Callable[[list[bytes], list[NDArray[np.int8]]], list[NDArray[np.uint8]]]


def right(seeds: Sequence[int], run: Run) -> None:
    """Hold what `run` makes of networks against tflite-micro."""
    models = [network(seed) for seed in seeds]
    x = [inputs(HostModel(m, "mve"), seed) for seed, m in zip(seeds, models, strict=True)]
    for seed, model, given, found in zip(seeds, models, x, run(models, x), strict=True):
        wanted, _ = oracle.outputs(model, given)
        assert wanted.tobytes() == found.tobytes(), f"seed {seed}"


def test_sanitizers_find_nothing() -> None:
    right(range(100, 104), partial(many.sanitized, core="mve", flags=(*STRICT, *SANITIZE)))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(2000, 2160, 40))
def test_sanitizers_find_nothing_in_more(start: int) -> None:
    seeds = range(start, start + 40)
    right(seeds, partial(many.sanitized, core="mve", flags=(*STRICT, *SANITIZE)))


@pytest.mark.parametrize(
    "seeds",
    [
        range(200, 206),
        *(
            pytest.param(range(start, start + 40), marks=pytest.mark.slow)
            for start in range(2000, 2160, 40)
        ),
    ],
)
def test_the_emulated_core_is_right(seeds: range) -> None:
    board = boards.load("mps3-an547")
    try:
        qemu.command(board, Path())
        toolchain.tool("gcc")
    except MissingToolError as error:
        pytest.skip(str(error))
    right(seeds, partial(many.emulated, board))


def test_pixels_of_1x1_come_in_pairs() -> None:
    one = (1, 1)
    window = Window((25, 5), (25, 5), 64, one, one, one, before=(0, 0), after=(0, 0))
    joined = mve.pixels_in_lines(window)
    assert joined.input == joined.output == (5, 25)  # 13 pairs of 25, not 3 of 5
    assert mve.pixels_in_lines(joined).input == (5, 25)
