"""Channels that are constant or have no effect are removed, and no byte changes."""

from typing import Any

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler.ir import layers
from edgebio.compiler.passes.value_ranges import value_ranges
from tests.compiler.dead_channels import DeadChannelNet, dead_network
from tests.compiler.networks import Net
from tests.compiler.random_networks import random_network
from tests.compiler.reference import (
    KERNEL_SETS,
    Run,
    assert_layers_equal,
    assert_outputs_equal,
    builds,
    emulated,
    input_shape,
    random_inputs,
    reference_outputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")

SAME = {"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": True}
POINT = {**SAME, "size": [1, 1]}


def check_layers(data: bytes, seed: int = 0) -> None:
    models = builds(data)
    assert_layers_equal(models, data, random_inputs(models[0].input_shape, seed))


@pytest.mark.parametrize("seed", range(12))
def test_every_layer_of_random_networks_equals_tflite_micro(seed: int) -> None:
    check_layers(dead_network(seed), seed)


def check_outputs(seeds: range, run: Run) -> None:
    assert_outputs_equal([dead_network(seed) for seed in seeds], seeds, run)


@pytest.mark.parametrize("isa", KERNEL_SETS)
def test_sanitizers_report_nothing(isa: compiler.KernelSet) -> None:
    check_outputs(range(100, 106), sanitized(isa))


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_emulated_boards_equal_tflite_micro(board: str) -> None:
    check_outputs(range(200, 212), emulated(board))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1300, 20))
def test_every_layer_of_three_hundred_more(start: int) -> None:
    for seed in range(start, start + 20):
        check_layers(dead_network(seed), seed)
        check_layers(random_network(seed, DeadChannelNet), seed)


@pytest.mark.slow
@pytest.mark.parametrize("isa", KERNEL_SETS)
@pytest.mark.parametrize("start", range(2000, 2200, 50))
def test_sanitizers_report_nothing_in_two_hundred_more(start: int, isa: compiler.KernelSet) -> None:
    check_outputs(range(start, start + 50), sanitized(isa))


@pytest.mark.slow
@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an505", "mps3-an547"])
@pytest.mark.parametrize("start", range(2000, 2200, 50))
def test_emulated_boards_equal_tflite_micro_on_fifty_networks(board: str, start: int) -> None:
    check_outputs(range(start, start + 50), emulated(board))


@pytest.mark.parametrize("seed", range(15))
def test_every_value_lies_in_its_range(seed: int) -> None:
    data = dead_network(seed) if seed % 3 else random_network(seed, DeadChannelNet)
    network = compiler.compile_model(data).network
    ranges = value_ranges(network)
    outputs = [layer.output for layer in network.layers if layer.output not in network.channels]
    x = random_inputs(input_shape(data), seed)
    for index, values in zip(outputs, reference_outputs(data, x, outputs)[1], strict=True):
        if network.tensors[index].dtype == "int8":
            pixels = values.reshape(-1, len(ranges[index].low))
            assert (ranges[index].low <= pixels).all()
            assert (pixels <= ranges[index].high).all()


class PickedChannels(Net):
    """A network whose next layer has dead outputs: weights of zeros, and a sum of the bias alone.

    Attributes
    ----------
    dead : mapping
        Bias of each dead output, in units of the output's scale.
    unread : list of int
        Channels of the input with weights of zeros.
    """

    dead: dict[int, int]
    unread: list[int]

    def weighted(self, shape: tuple[int, ...], axis: int, outputs: int) -> Any:
        weights, bias, scale = super().weighted(shape, axis, outputs)
        rng, tensors = self.rng, self.graph.tensors
        bias = bias if bias >= 0 else self.tensor((outputs,), "INT32", data=np.zeros(outputs, "i4"))
        values = rng.integers(-127, 128, shape).astype(np.int8)
        sums = rng.integers(-900, 900, outputs).astype(np.int32)
        rows = np.moveaxis(values, axis, 0)
        rows[list(self.dead)] = 0
        if axis == 0:
            values[..., self.unread] = 0
        factor = np.float64(self.scale_of(self.at)) * tensors[weights].quantization.scale[0]
        for output, units in self.dead.items():
            sums[output] = round(units * float(scale) / factor)
        tensors[weights].quantization.scale[:] = [tensors[weights].quantization.scale[0]] * len(
            tensors[weights].quantization.scale
        )
        for index, data in ((weights, values), (bias, sums)):
            self.model.buffers[tensors[index].buffer].data = np.frombuffer(data.tobytes(), np.uint8)
        self.dead, self.unread = {}, []
        return weights, bias, scale

    def zero_point(self) -> int:
        return -128

    def fused(self) -> int:
        return 1  # RELU

    def pick(self, dead: dict[int, int], unread: list[int] | None = None) -> "PickedChannels":
        self.dead, self.unread = dead, unread or []
        return self


def make_net(channels: int = 3) -> PickedChannels:
    return PickedChannels(np.random.default_rng(5), (1, 6, 7, channels)).pick({})


def shapes(data: bytes) -> list[tuple[int, ...]]:
    return [call.layer.image for call in compiler.compile_model(data, "dsp").calls
            if isinstance(call.layer, layers.Windowed)]  # fmt: skip


def test_constant_channels_disappear_through_the_network() -> None:
    """Eight of sixteen, at the value of the padding and at others, through every kind of layer."""
    net = make_net()
    net.pick(dict.fromkeys(range(0, 16, 2), -5)).conv(dict(SAME), 16)
    net.pick({}).depthwise(1, dict(SAME))
    net.pool({"size": [2, 2], "stride": [2, 2], "same": False}, "AVERAGE_POOL_2D")
    net.pick({1: 20, 2: 30, 3: -9, 5: 40}).conv(dict(POINT), 8)
    net.pick({}).conv(dict(POINT), 3)
    data = net.finish()
    assert [shape[2] for shape in shapes(data)] == [8, 8, 8, 4, 3]
    check_layers(data)


@pytest.mark.parametrize(("units", "channels"), [(-5, 4), (20, 8)])
def test_only_the_value_of_the_padding_is_removed_under_a_padded_window(
    units: int, channels: int
) -> None:
    net = make_net()
    net.pick(dict.fromkeys(range(4), units)).conv(dict(SAME), 8)
    net.pick({}).conv(dict(SAME), 3)
    data = net.finish()
    assert shapes(data)[0][2] == channels
    check_layers(data)


def test_channels_that_nothing_reads_disappear() -> None:
    net = make_net()
    net.conv(dict(SAME), 12)
    net.depthwise(1, dict(SAME))
    net.pick({}, list(range(8))).conv(dict(POINT), 3)
    data = net.finish()
    assert [shape[2] for shape in shapes(data)] == [4, 4, 3]
    check_layers(data)


@pytest.mark.parametrize("isa", ["dsp", "mve"])
@pytest.mark.parametrize("scale", [1e-12, 1e-9])
def test_one_channel_never_keeps_a_layer_from_its_fast_kernel(
    scale: float, isa: compiler.KernelSet
) -> None:
    """Zero weights or a bias at the end of 32 bits, under a very small scale."""
    for output, bias in ((0, 2**31 - 1), (3, -(2**31)), (7, 2**30)):
        net = Net(np.random.default_rng(output), (1, 5, 5, 4), "ptq")
        net.conv(dict(SAME), 8)
        weights, biases = (int(i) for i in net.graph.operators[-1].inputs[1:3])
        net.graph.tensors[weights].quantization.scale[output] = scale
        for tensor, dtype, row in ((weights, np.int8, 0), (biases, np.int32, bias)):
            buffer = net.model.buffers[net.graph.tensors[tensor].buffer]
            values = np.frombuffer(bytes(buffer.data), dtype).reshape(8, -1).copy()
            values[output] = row
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        data = net.finish()
        (call,) = compiler.compile_model(data, isa).calls
        assert call.isa == isa, call.notes
        check_layers(data)


def test_a_network_of_constants_has_a_constant_output() -> None:
    net = make_net()
    net.pick(dict.fromkeys(range(5), 9)).conv(dict(POINT), 5)
    net.pick({}).conv(dict(POINT), 2)
    check_layers(net.finish())
