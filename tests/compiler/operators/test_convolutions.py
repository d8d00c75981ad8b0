"""Convolutions and matrices: every byte that their kernels write equals tflite-micro's."""

import numpy as np
import pytest

from edgebio import compiler, tflite
from edgebio.compiler import arithmetic
from edgebio.compiler.host_model import HostModel
from tests.compiler.batch_of_networks import run_sanitized
from tests.compiler.networks import Net
from tests.compiler.reference import (
    assert_equal,
    assert_layers_equal,
    builds,
    random_inputs,
    reference_outputs,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")


WINDOWS = (
    # size, stride, dilation, SAME; the image of 13 x 12 shrinks only in the last ones
    ((3, 3), (1, 1), (1, 2), True),
    ((3, 3), (1, 1), (2, 1), True),
    ((2, 4), (1, 1), (3, 2), True),
    ((1, 1), (1, 1), (1, 1), True),
    ((4, 1), (1, 1), (1, 1), True),
    ((1, 5), (2, 1), (1, 1), True),
    ((3, 2), (1, 1), (1, 3), False),
    ((2, 2), (1, 2), (2, 2), False),
    ((1, 1), (2, 2), (1, 1), False),
)


@pytest.mark.parametrize("layer", ["conv", "depthwise"])
def test_windows(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net(np.random.default_rng(3), (1, 13, 12, 6))
    for size, stride, dilation, same in WINDOWS:
        window = {"size": size, "stride": stride, "dilation": dilation, "same": same}
        monkeypatch.setattr(net, "window", lambda *_, window=window: window)
        monkeypatch.setattr(net, "fused", lambda: 0)
        multiplier = 1 if net.shape_of(net.at)[3] > 10 else 2
        net.depthwise(multiplier) if layer == "depthwise" else net.conv()
    data = net.finish()
    assert_layers_equal(builds(data), data, random_inputs((13, 12, 6), 3))


@pytest.mark.parametrize(("channels", "groups"), [(6, 2), (6, 3), (6, 6), (8, 4)])
def test_groups_of_channels(channels: int, groups: int) -> None:
    def build(net: Net) -> None:
        net.conv(net.window(7, 5, 3), 2 * groups, groups)

    model = assert_equal(build, (1, 7, 5, channels))
    is_depthwise = "depthwise" in model.program.calls[0].function
    assert is_depthwise == (groups == channels)


@pytest.mark.parametrize("kind", ["FULLY_CONNECTED", "FULLY_CONNECTED each", "CONV_2D"])
def test_last_bit_of_a_multiplier(kind: str) -> None:
    """Sums that differ if scales are multiplied in float32 instead of float64."""
    source, weight, output = np.float32(0.0123), np.float32(2.1e-6), np.float32(0.0456)
    wide = float(source) * float(weight) / float(output)
    exact = arithmetic.quantize_multiplier(wide)
    narrow = arithmetic.quantize_multiplier(float(source * weight) / float(output))
    around = (round((k + 0.5) / wide) + step for k in range(1, 120) for step in range(-40, 40))
    sums = [
        value
        for value in around
        if arithmetic.requantize(value, *exact) != arithmetic.requantize(value, *narrow)
    ][:40]
    assert len(sums) == 40

    net = Net(np.random.default_rng(0), (1, 1, 1, 2))
    net.graph.tensors[0].quantization.scale = [float(source)]
    scales = [float(weight)] * (1 if kind == "FULLY_CONNECTED" else 40)
    shape = (40, 1, 1, 2) if kind == "CONV_2D" else (40, 2)
    weights = net.tensor(shape, "INT8", scales, 0, 0, np.zeros(shape, np.int8))
    bias = net.tensor((40,), "INT32", source * weight, data=np.array(sums, np.int32))
    net.at = net.activation((1, 1, 1, 40) if kind == "CONV_2D" else (1, 40), output, 0)
    options = {"strideH": 1, "strideW": 1} if kind == "CONV_2D" else {}
    name = "Conv2DOptions" if kind == "CONV_2D" else "FullyConnectedOptions"
    net.operator(kind.split()[0], [0, weights, bias], [net.at], name, **options)
    data = net.finish()
    x = np.zeros((1, 1, 1, 2), np.int8)
    y, _ = reference_outputs(data, x)
    assert y.ravel().tolist() == [arithmetic.requantize(value, *exact) for value in sums]
    assert y.tobytes() == HostModel(data).run(x).tobytes()


@pytest.mark.parametrize("layer", ["conv", "depthwise", "dense"])
def test_sums_that_may_overflow_use_the_kernel_that_wraps(layer: str) -> None:
    """Converters give a channel with tiny weights a bias at the end of int32."""
    for seed in range(4):
        net = Net(np.random.default_rng(seed), (1, 5, 5, 3))
        getattr(net, layer)()
        operator = tflite.read(net.finish()).operators[0]
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            continue
        bias = net.graph.tensors[operator.inputs[2]]
        values = np.frombuffer(bytes(net.model.buffers[bias.buffer].data), np.int32).copy()
        values[-1] = -(1 << 31) + 1
        net.model.buffers[bias.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
        data = net.build()
        x = random_inputs((5, 5, 3), seed)
        expected, _ = reference_outputs(data, x)
        for isa in ("portable", "dsp"):
            (call,) = compiler.compile_model(data, isa).calls
            assert call.function.endswith("_wrapping")
            assert "32 bits" in call.notes[0]
            (output,) = run_sanitized([data], [x], isa)
            assert output.tobytes() == expected.tobytes()
        return
    pytest.fail("none of these networks has a bias")


@pytest.mark.parametrize("layer", ["conv", "depthwise", "dense"])
def test_the_axis_of_a_bias_is_ignored(layer: str) -> None:
    def build(net: Net) -> None:
        getattr(net, layer)()
        for operator in net.graph.operators:
            for index in operator.inputs[2:]:
                net.graph.tensors[index].quantization.quantizedDimension = 3

    assert_equal(build, (1, 5, 4, 3), seeds=4)
