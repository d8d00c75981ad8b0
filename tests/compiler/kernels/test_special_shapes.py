"""Shapes that fast kernels treat specially, which random networks seldom have."""

from typing import Any

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from tests.compiler.networks import Net
from tests.compiler.reference import assert_layers_equal, builds, random_inputs

pytestmark = pytest.mark.usefixtures("tflite_micro")

NONE, RELU = 0, 1


class OneActivation(Net):
    """A network whose layers all have the same fused activation."""

    fused_activation = RELU

    def fused(self) -> int:
        return self.fused_activation

    def zero_point(self) -> int:
        return -128 if self.fused_activation == RELU else -3  # as converters give


def window(
    size: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    same: bool = True,
) -> dict[str, Any]:
    return {"size": size, "stride": stride, "dilation": dilation, "same": same}


def max_pool(net: Net, size: tuple[int, int]) -> None:
    net.pool(window(size, stride=size, same=False), "MAX_POOL_2D")


def check(net: Net) -> None:
    data = net.finish()
    models = builds(data)
    assert_layers_equal(models, data, random_inputs(models[0].input_shape, 7))


@pytest.fixture(params=[RELU, NONE], ids=["relu", "none"])
def activation(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def make_net(shape: tuple[int, ...], activation: int) -> Net:
    net = OneActivation(np.random.default_rng(3), (1, *shape))
    net.fused_activation = activation
    return net


@pytest.mark.parametrize(
    ("shape", "outputs", "size", "pool"),
    [
        ((9, 7, 3), 5, (3, 3), (2, 2)),  # copied with its padding; remaining rows and columns
        ((9, 9, 8), 6, (3, 3), (3, 3)),  # an odd number of pixels under the pool
        ((12, 5, 1), 4, (5, 3), (1, 2)),  # one channel
        ((8, 8, 4), 8, (3, 3), (4, 2)),
    ],
)
def test_convolutions_with_a_pool(
    shape: tuple[int, ...], outputs: int, size: Any, pool: Any, activation: int
) -> None:
    net = make_net(shape, activation)
    net.conv(window(size), outputs)
    max_pool(net, pool)
    assert len(compiler.compile_model(net.finish()).calls) == 1
    check(net)


@pytest.mark.parametrize("outputs", [4, 7, 16, 33])
@pytest.mark.parametrize("pooled", [False, True])
def test_pointwise_convolutions_in_place(outputs: int, pooled: bool, activation: int) -> None:
    """Fewer, more, and equally many outputs; input and output may share memory."""
    net = make_net((5, 6, 3), activation)
    net.conv(window((3, 3)), 16)
    net.conv(window((1, 1)), outputs)
    if pooled:
        max_pool(net, (2, 2))
    net.conv(window((1, 1)), 4)
    check(net)


def test_pool_with_too_many_patches_is_not_fused() -> None:
    net = make_net((16, 16, 8), RELU)
    net.conv(window((3, 3)), 2)
    max_pool(net, (16, 16))
    program = compiler.compile_model(net.finish(), "dsp")
    assert len(program.calls) == 2
    assert any("take far more memory than they save" in note for note in program.network.notes)
    check(net)


@pytest.mark.parametrize(("size", "kernel"), [(63, "wide"), (64, "conv2d")])
def test_window_above_16_bits_uses_another_kernel(size: int, kernel: str) -> None:
    net = make_net((1, 64, 1024), NONE)
    net.conv(window((1, size), same=False), 1)
    assert compiler.compile_model(net.finish(), "dsp").calls[0].function.endswith(kernel)


@pytest.mark.parametrize(
    ("shape", "stride", "same"),
    [
        ((5, 33, 4), (1, 1), True),  # lines along one axis
        ((33, 5, 4), (1, 1), True),  # along the other axis
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
    net = make_net(shape, activation)
    net.conv(window((1, 1)), shape[2])
    net.depthwise(1, window((3, 3), stride=stride, same=same))
    net.conv(window((1, 1)), 2)
    calls = compiler.compile_model(net.finish(), "dsp").calls
    assert "planar" in calls[1].function
    check(net)


@pytest.mark.parametrize(
    ("shape", "size", "stride", "dilation", "same"),
    [
        ((30, 1, 8), (3, 1), (1, 1), (1, 1), False),  # along time, an even number of taps and odd
        ((24, 1, 8), (10, 1), (1, 1), (1, 1), False),
        ((29, 1, 4), (15, 1), (1, 1), (1, 1), True),
        ((1, 33, 8), (1, 7), (1, 2), (1, 1), True),
        ((1, 40, 4), (1, 4), (1, 1), (1, 3), True),  # gaps along the lines
        ((12, 9, 4), (5, 5), (1, 1), (1, 1), True),
        ((13, 11, 8), (5, 3), (2, 1), (1, 1), True),
        ((12, 10, 4), (3, 3), (1, 1), (2, 2), True),  # gaps along and across
        ((9, 24, 4), (2, 6), (3, 2), (1, 1), False),  # only one axis has lines
        ((14, 13, 8), (3, 4), (2, 2), (1, 1), False),
        ((60, 50, 4), (5, 5), (1, 1), (1, 1), True),  # in bands
    ],
)
def test_depthwise_convolutions_in_lines(
    shape: tuple[int, ...], size: Any, stride: Any, dilation: Any, same: bool, activation: int
) -> None:
    net = make_net(shape, activation)
    net.conv(window((1, 1)), shape[2])
    net.depthwise(1, window(size, stride, dilation, same))
    net.conv(window((1, 1)), 2)
    calls = compiler.compile_model(net.finish(), "dsp", compiler.Goal("fastest")).calls
    assert "lines" in calls[1].function, calls[1].notes
    check(net)


@pytest.mark.parametrize("isa", ["portable", "dsp", "mve"])
def test_depthwise_convolution_of_one_channel_is_a_convolution(isa: compiler.KernelSet) -> None:
    net = make_net((12, 10, 1), RELU)
    net.depthwise(8, window((5, 4), stride=(2, 2)))
    (call,) = compiler.compile_model(net.finish(), isa).calls
    assert "conv2d" in call.function
    assert call.isa == isa
    check(net)


@pytest.mark.parametrize(("rows", "kernel"), [(30, "conv2d"), (7, "conv2d"), (1, "connected")])
def test_fully_connected_on_many_rows_is_a_convolution(
    rows: int, kernel: str, activation: int
) -> None:
    net = make_net((rows, 13), activation)
    weights, bias, scale = net.weighted((10, 13), 0, 10)
    output = net.activation((1, rows, 10), scale)
    net.operator(
        "FULLY_CONNECTED", [net.at, weights, bias], [output], "FullyConnectedOptions",
        fusedActivationFunction=activation, keepNumDims=True,
    )  # fmt: skip
    net.at = output
    (call,) = compiler.compile_model(net.finish(), "dsp").calls
    assert kernel in call.function
    check(net)


def test_goal_changes_no_byte() -> None:
    net = make_net((9, 8, 6), NONE)
    net.conv(window((3, 3)), 7)
    max_pool(net, (2, 2))
    net.conv(window((2, 2), dilation=(2, 1), same=False), 5)
    data = net.finish()
    x = np.random.default_rng(0).integers(-128, 128, (6, 9, 8, 6)).astype(np.int8)
    fast, small = (
        HostModel(data, "dsp", compiler.Goal(optimize)) for optimize in ("fastest", "size")
    )
    assert {call.function for call in fast.program.calls}.isdisjoint(
        call.function for call in small.program.calls
    )
    assert fast.run(x).tobytes() == small.run(x).tobytes()
