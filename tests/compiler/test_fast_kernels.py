"""Shapes that fast kernels treat specially, which random networks seldom have."""

from typing import Any

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler.host import HostModel
from tests.compiler import networks
from tests.compiler.test_random_networks import compare_layers, own_cache

__all__ = ["own_cache"]

pytestmark = pytest.mark.usefixtures("tflite_micro", "own_cache")

NONE, RELU = 0, 1


class Net(networks.Net):
    """Layers with windows of one's choice."""

    activation_of_next = RELU

    def fused(self) -> int:
        return self.activation_of_next

    def zero_point(self) -> int:
        return -128  # as a converter gives after a RELU

    def conv_of(self, outputs: int, size: tuple[int, int], **more: Any) -> None:
        shape = (outputs, *size, self.shape_of(self.at)[3])
        weights, bias, scale = self.weighted(shape, 0, outputs)
        window = self.window_of(size, **more)
        self.windowed("CONV_2D", "Conv2DOptions", window, [weights, bias], outputs, scale)

    def depthwise_of(self, size: tuple[int, int], **more: Any) -> None:
        channels = self.shape_of(self.at)[3]
        weights, bias, scale = self.weighted((1, *size, channels), 3, channels)
        self.windowed(
            "DEPTHWISE_CONV_2D",
            "DepthwiseConv2DOptions",
            self.window_of(size, **more),
            [weights, bias],
            channels,
            scale,
            depthMultiplier=1,
        )

    def pool_of(self, height: int, width: int) -> None:
        image = self.shape_of(self.at)
        output = (1, image[1] // height, image[2] // width, image[3])
        made = self.activation(output, self.scale_of(self.at), self.zero_of(self.at))
        self.operator(
            "MAX_POOL_2D",
            [self.at],
            [made],
            "Pool2DOptions",
            padding=1,
            filterHeight=height,
            filterWidth=width,
            strideH=height,
            strideW=width,
            fusedActivationFunction=NONE,
        )
        self.at = made

    @staticmethod
    def window_of(
        size: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        same: bool = True,
    ) -> dict[str, Any]:
        return {"size": size, "stride": stride, "dilation": dilation, "same": same}


def check(net: Net) -> None:
    compare_layers(net.finish(), 7)


@pytest.fixture(params=[RELU, NONE], ids=["relu", "none"])
def activation(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def net_of(shape: tuple[int, ...], activation: int, seed: int = 3) -> Net:
    net = Net(np.random.default_rng(seed), (1, *shape))
    net.activation_of_next = activation
    return net


@pytest.mark.parametrize(
    ("shape", "outputs", "size", "pool"),
    [
        ((9, 7, 3), 5, (3, 3), (2, 2)),  # copied with its padding; rows and columns left over
        ((9, 9, 8), 6, (3, 3), (3, 3)),  # an odd number of pixels under the pool
        ((12, 5, 1), 4, (5, 3), (1, 2)),  # one channel
        ((8, 8, 4), 8, (3, 3), (4, 2)),
    ],
)
def test_convolutions_with_a_pool(
    shape: tuple[int, ...], outputs: int, size: Any, pool: Any, activation: int
) -> None:
    net = net_of(shape, activation)
    net.conv_of(outputs, size)
    net.pool_of(*pool)
    assert len(HostModel(net.finish()).program.steps) == 1
    check(net)


@pytest.mark.parametrize("outputs", [4, 7, 16, 33])
@pytest.mark.parametrize("pooled", [False, True])
def test_pointwise_convolutions_in_place(outputs: int, pooled: bool, activation: int) -> None:
    """Narrower, wider, and as wide; the input is another layer's, so that they may share memory."""
    net = net_of((5, 6, 3), activation)
    net.conv_of(16, (3, 3))
    net.conv_of(outputs, (1, 1))
    if pooled:
        net.pool_of(2, 2)
    net.conv_of(4, (1, 1))
    check(net)


def test_a_pool_stays_by_itself_where_its_patches_are_too_many() -> None:
    net = net_of((16, 16, 8), RELU)
    net.conv_of(2, (3, 3))
    net.pool_of(16, 16)
    program = HostModel(net.finish(), "dsp").program
    assert len(program.steps) == 2
    assert any("take far more memory than they save" in note for note in program.network.notes)
    check(net)


@pytest.mark.parametrize(("size", "kernel"), [(63, "wide"), (64, "conv2d")])
def test_a_window_too_large_for_16_bits_takes_another_kernel(size: int, kernel: str) -> None:
    net = net_of((1, 64, 1024), NONE)
    net.conv_of(1, (1, size), same=False)
    assert compiler.compile_model(net.finish(), "dsp").steps[0].function.endswith(kernel)


@pytest.mark.parametrize(
    ("shape", "stride", "same"),
    [
        ((5, 33, 4), (1, 1), True),  # lines along the one side,
        ((33, 5, 4), (1, 1), True),  # along the other
        ((9, 7, 8), (2, 2), True),
        ((10, 8, 8), (2, 1), True),
        ((6, 6, 12), (1, 1), False),
        ((3, 3, 4), (1, 1), False),  # a single output
        ((40, 40, 4), (1, 1), True),  # too large for the planes at once
        ((41, 39, 4), (2, 2), True),
    ],
)
def test_depthwise_convolutions_in_planes(
    shape: tuple[int, ...], stride: Any, same: bool, activation: int
) -> None:
    net = net_of(shape, activation)
    net.conv_of(shape[2], (1, 1))
    net.depthwise_of((3, 3), stride=stride, same=same)
    net.conv_of(2, (1, 1))
    steps = HostModel(net.finish(), "dsp").program.steps
    assert "planar" in steps[1].function
    check(net)


def test_a_goal_changes_no_byte() -> None:
    net = net_of((9, 8, 6), NONE)
    net.conv_of(7, (3, 3))
    net.pool_of(2, 2)
    net.conv_of(5, (2, 2), dilation=(2, 1), same=False)
    data = net.finish()
    x = np.random.default_rng(0).integers(-128, 128, (6, 9, 8, 6)).astype(np.int8)
    fast, small = (
        HostModel(data, "dsp", compiler.Goal(optimize)) for optimize in ("speed", "size")
    )
    assert {step.function for step in fast.program.steps}.isdisjoint(
        step.function for step in small.program.steps
    )
    assert fast.run(x).tobytes() == small.run(x).tobytes()
