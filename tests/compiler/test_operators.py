"""Each operator by itself: every byte that its kernel writes equals tflite-micro's."""

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import tflite
from edgebio.compiler import activations, compile_model
from edgebio.compiler.host import HostModel
from tests.compiler import many, networks, oracle
from tests.compiler.conftest import SANITIZE, STRICT

pytestmark = pytest.mark.usefixtures("tflite_micro")

Build = Callable[[networks.Net], None]


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Networks that nobody runs again do not belong into the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBIO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def made(build: Build, shape: tuple[int, ...], seed: int = 0) -> bytes:
    net = networks.Net(np.random.default_rng(seed), shape)
    build(net)
    return net.finish()


def inputs(shape: tuple[int, ...], seed: int = 0, count: int = 6) -> NDArray[np.int8]:
    x = np.random.default_rng(seed).integers(-128, 128, (count, *shape)).astype(np.int8)
    x[0], x[1] = -128, 127
    return x


def equal(build: Build, shape: tuple[int, ...], seeds: int = 2) -> HostModel:
    """Compare what every layer writes; give the last model."""
    varied = False
    for seed in range(seeds):
        data = made(build, shape, seed)
        model = HostModel(data)
        x = inputs(model.input_shape, seed)
        steps = [step.layer.output for step in model.program.steps]
        y, layers = oracle.outputs(data, x, steps)
        for what, wanted, found in zip(model.describe(), layers, model.layers(x), strict=True):
            assert wanted.tobytes() == found.tobytes(), f"seed {seed}: {what}"
        assert y.tobytes() == model.run(x).tobytes(), f"seed {seed}"
        varied |= all(len(np.unique(layer)) > 1 for layer in layers)
    assert varied  # a network that always answers the same proves little
    return model


def kinds(model: HostModel) -> list[str]:
    return [step.layer.kind for step in model.program.steps]


@pytest.mark.parametrize("kind", ["SUB", "MUL"])
@pytest.mark.parametrize(
    ("shape", "first"),
    [
        (None, True),
        (None, False),
        ((5, 1, 3), True),
        ((3,), False),
        ((1, 1, 4, 1), True),
        ((1,), False),
    ],
)
def test_sub_and_mul_with_a_constant(kind: str, shape: tuple[int, ...] | None, first: bool) -> None:
    def build(net: networks.Net) -> None:
        size = shape or net.shape_of(net.at)
        data = net.rng.integers(-128, 128, size).astype(np.int8)
        other = net.tensor(size, "INT8", net.near(net.at), net.zero_point(), data=data)
        net.binary(kind, other, first=first)

    equal(build, (1, 5, 4, 3))


@pytest.mark.parametrize("kind", ["SUB", "MUL"])
def test_sub_and_mul_of_two_ways(kind: str) -> None:
    def build(net: networks.Net) -> None:
        trunk = net.at
        net.unary()
        net.binary(kind, trunk)
        net.unary()

    model = equal(build, (1, 5, 4, 3))
    assert kind in kinds(model)


@pytest.mark.parametrize("kind", ["SUB", "MUL"])
def test_a_clamp_goes_into_them(kind: str) -> None:
    def build(net: networks.Net) -> None:
        net.binary(kind)
        output = net.activation(net.shape_of(net.at), net.scale_of(net.at), net.zero_of(net.at))
        net.operator("RELU", [net.at], [output])
        net.at = output

    assert len(equal(build, (1, 5, 4, 3)).program.steps) == 1


@pytest.mark.parametrize(("channels", "groups"), [(6, 2), (6, 3), (6, 6), (8, 4)])
def test_groups_of_channels(channels: int, groups: int) -> None:
    def build(net: networks.Net) -> None:
        net.conv(net.window(7, 5, 3), 2 * groups, groups)

    model = equal(build, (1, 7, 5, channels))
    depthwise = "depthwise" in model.program.steps[0].function
    assert depthwise == (groups == channels)


SCALES = (0.0001, 0.003, 0.02, 0.0629, 0.1, 0.7, 3.0)


@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU"])
def test_every_answer_of_a_table(kind: str) -> None:
    for seed, scale in enumerate(np.repeat(SCALES, 6)):
        answers(kind, np.float32(scale * np.random.default_rng(seed).uniform(1, 2)), seed)


@pytest.mark.parametrize("scale", [2.0**-28, 2.0**-20, 15.99])
@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
def test_sigmoids_at_the_ends_of_what_is_accepted(kind: str, scale: float) -> None:
    answers(kind, np.float32(scale), 1)


def answers(kind: str, scale: np.float32, seed: int) -> None:
    net = networks.Net(np.random.default_rng(seed), (1, 256))
    net.graph.tensors[0].quantization.scale = [float(scale)]
    net.table(kind)
    data = net.finish()
    table = compile_model(data).steps[0].layer.table  # type: ignore[attr-defined]
    x = np.arange(-128, 128).astype(np.int8)[None]
    np.testing.assert_array_equal(table, oracle.outputs(data, x)[0][0, 0])


def test_sigmoids_are_near_the_real_ones() -> None:
    scale = np.float32(0.05)
    x = np.arange(-128, 128)
    logistic = activations.logistic(scale, 3)
    tanh = activations.tanh(scale, 3)
    real = 1 / (1 + np.exp(-(x - 3) * 0.05))
    assert np.abs((np.array([logistic(int(v)) for v in x]) + 128) / 256 - real).max() <= 1 / 256
    assert (
        np.abs(np.array([tanh(int(v)) for v in x]) / 128 - np.tanh((x - 3) * 0.05)).max() <= 1 / 128
    )


@pytest.mark.parametrize("slopes", [(1, 1, 3), (3,), (4, 3), (5, 4, 3), (1, 5, 1, 1)])
def test_prelu(slopes: tuple[int, ...]) -> None:
    model = equal(lambda net: net.prelu(slopes), (1, 5, 4, 3), seeds=1)
    assert kinds(model) == ["PRELU"]
    assert model.program.steps[0].function == "eb_run_prelu"


def test_prelu_of_one_slope_is_a_table() -> None:
    model = equal(lambda net: net.prelu((1, 1, 1)), (1, 5, 4, 3), seeds=2)
    assert model.program.steps[0].function == "eb_run_table"


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_concatenation(axis: int) -> None:
    def build(net: networks.Net) -> None:
        shape = list(net.shape_of(net.at))
        shape[axis] = 5
        data = net.rng.integers(-128, 128, shape).astype(np.int8)
        scale, zero = net.scale_of(net.at), net.zero_of(net.at)
        constant = net.tensor(tuple(shape), "INT8", scale, zero, data=data)
        net.concatenation([constant, net.at], axis)
        net.unary()

    equal(build, (1, 3, 4, 2))


@pytest.mark.parametrize("order", [[0, 3, 1, 2], [0, 2, 3, 1], [3, 2, 1, 0], [0, 1, 3, 2]])
def test_transpose(order: list[int]) -> None:
    def build(net: networks.Net) -> None:
        net.transpose(order)
        net.reshape((1, 60))

    assert kinds(equal(build, (1, 3, 4, 5))) == ["TRANSPOSE"]


def test_a_transpose_that_moves_nothing_is_a_name() -> None:
    def build(net: networks.Net) -> None:
        net.transpose([0, 2, 1, 3])
        net.unary()

    assert "TRANSPOSE" not in kinds(equal(build, (1, 1, 4, 5)))


def test_transpose_of_five_axes_in_four_runs() -> None:
    def build(net: networks.Net) -> None:
        net.reshape((2, 3, 1, 2, 5))
        net.transpose([3, 4, 0, 2, 1])
        net.reshape((1, 60))

    equal(build, (1, 3, 4, 5))


def test_strided_slices() -> None:
    def build(net: networks.Net) -> None:
        net.thinned()
        net.thinned()
        net.unary()

    equal(build, (1, 12, 13, 9), seeds=4)


@pytest.mark.parametrize(
    ("begin", "end", "strides", "masks", "shape"),
    [
        ([0, -1, 0], [0, 0, 0], [1, 1, 1], (5, 5, 2), (1, 5)),  # the last step of an LSTM
        ([0, -3, 1], [1, -1, 4], [1, 1, 2], (0, 0, 0), (1, 2, 2)),
        ([0, -100, 0], [1, 100, 100], [1, 3, 1], (0, 0, 0), (1, 3, 5)),
        ([0, 5, 4], [1, -100, 0], [1, -2, -1], (1, 2, 0), (1, 3, 4)),
        ([0, 0, 0], [0, 0, 0], [1, -1, 1], (7, 7, 0), (1, 7, 5)),
        ([0, 2, 3], [1, 3, 4], [1, 1, 1], (0, 0, 6), (1,)),
    ],
)
def test_strided_slice_by_its_indices(
    begin: list[int],
    end: list[int],
    strides: list[int],
    masks: tuple[int, int, int],
    shape: tuple[int, ...],
) -> None:
    def build(net: networks.Net) -> None:
        given = dict(zip(("beginMask", "endMask", "shrinkAxisMask"), masks, strict=True))
        net.strided_slice(begin, end, strides, shape, **given)

    equal(build, (1, 7, 5))


def test_an_output_under_another_scale_keeps_its_own() -> None:
    """So near the scale before it that no value changes, and no layer is left of it."""

    def build(net: networks.Net) -> None:
        net.conv()
        output = net.activation(
            net.shape_of(net.at), net.scale_of(net.at) * np.float32(1.001), net.zero_of(net.at)
        )
        net.operator("QUANTIZE", [net.at], [output])
        net.at = output
        net.reshape((1, math.prod(net.shape_of(net.at))))

    model = equal(build, (1, 5, 4, 3))
    assert kinds(model) == ["CONV_2D"]
    declared = tflite.read(made(build, (1, 5, 4, 3), 1))
    (output,) = declared.outputs
    assert model.output_scale == declared.tensors[output].scale[0]
    assert f"{model.output_scale:.9g}" in model.program.texts()["model.h"]


def test_a_slice_of_the_first_element_alone_is_no_name_of_all() -> None:
    def build(net: networks.Net) -> None:
        net.unary()
        net.strided_slice([0, 0, 0], [1, 1, 1], [1, 1, 1], (1, 1, 1))

    assert equal(build, (1, 7, 5)).output_shape == (1, 1)


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize(
    ("units", "clip", "power"), [(7, 0.0, -11), (4, 0.8, -12), (1, 10.0, -15), (9, 0.0, -6)]
)
def test_lstm(time_major: bool, units: int, clip: float, power: int) -> None:
    def build(net: networks.Net) -> None:
        if time_major:
            net.transpose([1, 0, 2])
        net.lstm(units, time_major=time_major, clip=clip, power=power)
        if time_major:
            net.transpose([1, 0, 2])

    model = equal(build, (1, 9, 5), seeds=1)
    assert model.program.macs == 9 * 4 * units * (5 + units)


def test_lstms_on_one_another_and_the_last_step_of_them() -> None:
    def build(net: networks.Net) -> None:
        net.lstm(6)
        net.lstm(3)
        net.strided_slice(
            [0, -1, 0], [0, 0, 0], [1, 1, 1], (1, 3), beginMask=5, endMask=5, shrinkAxisMask=2
        )
        net.dense()

    equal(build, (1, 12, 4), seeds=1)


def test_an_lstm_starts_anew_with_every_input() -> None:
    data = made(lambda net: net.lstm(5), (1, 6, 3))
    model = HostModel(data)
    x = inputs((6, 3))
    np.testing.assert_array_equal(model.run(x[::-1])[::-1], model.run(x))


KERAS_LSTM = """
import sys
import numpy as np, tensorflow as tf, tf_keras as keras

time_major = bool(int(sys.argv[2]))
tf.keras.utils.set_random_seed(1)
shape = (30, 1, 12) if time_major else (30, 12)
image = keras.layers.Input(shape, batch_size=1)
lstm = keras.layers.LSTM(32, time_major=time_major, return_sequences=time_major)
hidden = lstm(image[0] if time_major else image)
hidden = hidden[-1] if time_major else hidden
model = keras.Model(image, keras.layers.Dense(6, activation="softmax")(hidden))
x = np.random.default_rng(0).normal(size=(32, 1, *shape)).astype(np.float32)
function = tf.function(lambda a: model(a)).get_concrete_function(
    tf.TensorSpec((1, *shape), tf.float32)
)
converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([row] for row in x)
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
open(sys.argv[1], "wb").write(converter.convert())
"""


@pytest.mark.slow
@pytest.mark.parametrize("time_major", [False, True])
def test_lstm_of_keras(time_major: bool, tmp_path: Path) -> None:
    """As the converter makes it, with all that the object API above does not think of."""
    pytest.importorskip("tensorflow", reason="TensorFlow, which converts the model, is missing")
    path = tmp_path / "lstm.tflite"
    subprocess.run(
        [sys.executable, "-c", KERAS_LSTM, str(path), str(int(time_major))],
        check=True, capture_output=True, env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
    )  # fmt: skip
    graph = tflite.read(path)
    (lstm,) = (o for o in graph.operators if o.kind == "UNIDIRECTIONAL_SEQUENCE_LSTM")
    assert lstm.options["time_major"] == time_major
    model = HostModel(path)
    x = inputs(model.input_shape, count=100)
    wanted, _ = oracle.outputs(path.read_bytes(), x)
    assert len(np.unique(wanted)) > 20
    assert wanted.tobytes() == model.run(x).tobytes()


@pytest.mark.parametrize("kind", ["TANH", "LOGISTIC"])
def test_lstm_gates_know_every_sigmoid(kind: str, tmp_path: Any) -> None:
    """All 65,536 values of the 16-bit functions inside, against tflite-micro's own operators."""
    import ctypes

    from edgebio import storage
    from edgebio.processes import host_compiler

    net = networks.Net(np.random.default_rng(0), (1, 1 << 16))
    net.graph.tensors[0].type = networks.load_schema().TensorType.INT16
    net.graph.tensors[0].quantization.scale = [2.0**-12]
    net.graph.tensors[0].quantization.zeroPoint = [0]
    output = net.tensor((1, 1 << 16), "INT16", 2.0**-15, 0)
    net.operator(kind, [net.at], [output])
    net.at = output
    x = np.arange(-(1 << 15), 1 << 15).astype(np.int16)
    wanted = oracle.outputs(net.finish(), x[None])[0][0, 0]
    source = tmp_path / "sigmoids.c"
    call = "hyperbolic_tangent(value, 0)" if kind == "TANH" else "sigmoid(value)"
    source.write_text(
        '#include "eb_lstm.c"\n'
        "int32_t answer(int32_t value);\n"
        f"int32_t answer(int32_t value) {{ return {call}; }}\n"
    )
    kernels = storage.assets("firmware_assets") / "kernels"
    answer = host_compiler.load_library("sigmoids", [source], [kernels]).answer
    answer.argtypes, answer.restype = [ctypes.c_int32], ctypes.c_int32
    np.testing.assert_array_equal([answer(int(v)) for v in x], wanted)


@pytest.mark.parametrize("layer", ["conv", "depthwise", "dense"])
def test_sums_that_may_overflow_take_the_kernel_that_wraps(layer: str) -> None:
    """A channel with tiny weights has a bias at the end of int32, as converters make it."""
    for seed in range(4):
        net = networks.Net(np.random.default_rng(seed), (1, 5, 5, 3))
        getattr(net, layer)()
        before = net.finish()
        operator = tflite.read(before).operators[0]
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            continue
        bias = net.graph.tensors[operator.inputs[2]]
        values = np.frombuffer(bytes(net.model.buffers[bias.buffer].data), np.int32).copy()
        values[-1] = -(1 << 31) + 1
        net.model.buffers[bias.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
        data = net.build()
        x = inputs((5, 5, 3), seed)
        wanted, _ = oracle.outputs(data, x)
        for core in ("portable", "dsp"):
            program = compile_model(data, core)
            assert program.steps[0].function.endswith("_wrapping")
            assert "32 bits" in program.steps[0].notes[0]
            (found,) = many.sanitized([data], [x], core, (*STRICT, *SANITIZE))
            assert found.tobytes() == wanted.tobytes()
        return
    pytest.fail("no network of these has a bias")
