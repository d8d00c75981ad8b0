"""QUANTIZE between int8 and uint8, and functions in float32 between its kinds."""

import numpy as np
import pytest

from edgebio import tflite
from edgebio.compiler.host_model import HostModel
from edgebio.compiler.host_stream import HostStream
from edgebio.compiler.passes.float_tables import tabulate
from edgebio.compiler.passes.lower import lower
from edgebio.errors import EdgebioError
from tests.compiler import layers_without_weights as layers
from tests.compiler.changes import Change, assert_refused, set_quantization, set_tensor
from tests.compiler.networks import Net
from tests.compiler.operators.test_refused_operators import check
from tests.compiler.reference import (
    assert_equal,
    assert_layers_equal,
    assert_outputs_equal,
    build_network,
    emulated,
    kinds,
    reference_outputs,
    sanitized,
)

pytestmark = pytest.mark.usefixtures("tflite_micro")


def uint8_network(seed: int) -> bytes:
    """As `inference_input_type=tf.uint8` makes it: a QUANTIZE at each end."""
    net = Net(np.random.default_rng(seed), (1, 6, 5, 3))
    net.graph.tensors[0].type = 3
    net.graph.tensors[0].quantization.zeroPoint = [net.zero_of(0) + 128]
    scale = net.scale_of(0) if seed % 2 else net.near(0)
    zero_point = net.zero_of(0) - 128 if seed % 2 else None
    source = net.activation((1, 6, 5, 3), scale, zero_point)
    net.operator("QUANTIZE", [0], [source])
    net.at = source
    net.conv()
    net.dense()
    layers.to_uint8(net)
    return net.finish()


def bytes_of(shape: tuple[int, ...]) -> np.ndarray:
    x = np.random.default_rng(0).integers(0, 256, (8, *shape)).astype(np.uint8)
    x[0], x[1] = 0, 255
    return x


def test_uint8_edges() -> None:
    for seed in range(8):
        data = uint8_network(seed)
        model = HostModel(data)
        assert [model.input_dtype.name, model.output_dtype.name] == ["uint8", "uint8"]
        x = bytes_of(model.input_shape)
        assert_layers_equal([model], data, x)


def test_every_byte_in_both_directions() -> None:
    """Every byte to every kind of scale: int8 to uint8, and back."""
    for seed in range(10):
        net = Net(np.random.default_rng(seed), (1, 256))
        layers.to_uint8(net)
        output = net.activation((1, 256), net.near(net.at))
        net.operator("QUANTIZE", [net.at], [output])
        net.at = output
        data = net.finish()
        x = np.arange(-128, 128).astype(np.int8)[None]
        assert_layers_equal([HostModel(data)], data, x)


def test_uint8_edges_under_sanitizers_and_on_an_emulated_m4() -> None:
    models = [uint8_network(seed) for seed in range(4)]
    x = [bytes_of((6, 5, 3))] * 4
    for run in (sanitized("dsp"), emulated("mps2-an386")):
        for data, images, y in zip(models, x, run(models, x), strict=True):  # type: ignore[arg-type]
            assert reference_outputs(data, images)[0].tobytes() == y.tobytes()


def test_stream_of_uint8() -> None:
    net = Net(np.random.default_rng(0), (1, 16, 4, 3))
    net.graph.tensors[0].type = 3
    net.graph.tensors[0].quantization.zeroPoint = [net.zero_of(0) + 128]
    net.at = net.activation((1, 16, 4, 3), net.scale_of(0))
    net.operator("QUANTIZE", [0], [net.at])
    net.conv({"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": False})
    net.mean([1, 2])
    net.dense()
    layers.to_uint8(net)
    data = net.finish()
    frames = np.random.default_rng(0).integers(0, 256, (40, 4, 3)).astype(np.uint8)
    windows = np.stack([frames[start : start + 16] for start in range(0, 25, 2)])
    streamed = HostStream(data, 2).push(frames)
    assert len(np.unique(streamed)) > 2
    np.testing.assert_array_equal(streamed, HostModel(data).run(windows))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_quantization(1, zeroPoint=[-1]), "tensor 1 has zero point -1; uint8 holds 0 to 255"),
        (set_quantization(1, scale=[1e-20]), "its scales require a factor of"),
        (set_tensor(0, type=3), "uint8 to uint8 is not supported"),
        (set_tensor(1, shape=[1, 3]), "output has shape [1, 3], [1, 4, 4, 2] is computed"),
    ],
)
def test_refused_quantize(change: Change, reason: str) -> None:
    check("QUANTIZE", layers.to_uint8, change, reason)


def test_edges_of_other_types_are_refused() -> None:
    net = Net(np.random.default_rng(0), (1, 4))
    layers.to_uint8(net)
    net.graph.tensors[0].type = 2
    assert_refused(net, "tensor 0: the model's input is int32; int8, uint8, float32 are supported")


def test_elu_in_float32_is_a_table() -> None:
    def build(net: Net) -> None:
        net.conv()
        layers.float_elu(net)
        net.pool()
        layers.float_elu(net)

    model = assert_equal(build, (1, 8, 6, 3), seeds=6)
    assert [kind for kind in kinds(model) if kind != "AVERAGE_POOL_2D"].count("ELU") == 2
    assert {call.function for call in model.program.calls} & {"eb_run_quantize"} == set()


def test_every_result_of_elu_in_float32() -> None:
    for seed in range(12):
        net = Net(np.random.default_rng(seed), (1, 256))
        layers.float_elu(net)
        data = net.finish()
        x = np.arange(-128, 128).astype(np.int8)[None]
        assert_layers_equal([HostModel(data)], data, x)


def test_requantization_by_way_of_float32() -> None:
    def build(net: Net) -> None:
        shape = net.shape_of(net.at)
        real = net.tensor(shape, "FLOAT32")
        net.operator("DEQUANTIZE", [net.at], [real])
        net.at = net.activation(shape, net.near(net.at))
        net.operator("QUANTIZE", [real], [net.at])

    assert_equal(build, (1, 300), seeds=8)


def test_functions_in_float32_elsewhere_are_refused() -> None:
    net = Net(np.random.default_rng(0), (1, 4))
    layers.float_elu(net)
    net.at = int(net.graph.operators[1].outputs[0])
    assert_refused(net, "float32")
    reason = (
        r"operator 1 \(ELU\): float32 is supported only between DEQUANTIZE of int8 and QUANTIZE"
    )
    with pytest.raises(EdgebioError, match=reason):
        tabulate(lower(tflite.read(net.finish())))


def test_the_emulated_m4_equals_tflite_micro() -> None:
    def build(net: Net) -> None:
        net.depthwise()
        layers.float_elu(net)

    models = [build_network(build, (1, 7, 5, 3), seed) for seed in range(4)]
    assert_outputs_equal(models, range(4), emulated("mps2-an386"))
