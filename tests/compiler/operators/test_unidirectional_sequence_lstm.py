"""LSTM: every byte equals tflite-micro's."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebio import tflite
from edgebio.compiler.host_model import HostModel
from edgebio.processes import host_compiler
from tests.compiler.model_builder import load_schema
from tests.compiler.networks import Net
from tests.compiler.reference import (
    assert_equal,
    build_network,
    random_inputs,
    reference_outputs,
)
from tests.compiler.sanitizers import KERNELS

pytestmark = pytest.mark.usefixtures("tflite_micro")


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize(
    ("units", "clip", "power"),
    [(7, 0.0, -11), (4, 0.8, -12), (1, 10.0, -15), (9, 0.0, -6), (5, 0.0, -16), (6, 0.1, -18)],
)
def test_lstm(time_major: bool, units: int, clip: float, power: int) -> None:
    def build(net: Net) -> None:
        if time_major:
            net.transpose([1, 0, 2])
        net.lstm(units, time_major=time_major, clip=clip, power=power)
        if time_major:
            net.transpose([1, 0, 2])

    model = assert_equal(build, (1, 9, 5), seeds=1)
    assert model.program.macs == 9 * 4 * units * (5 + units)


def test_last_step_of_stacked_lstms() -> None:
    def build(net: Net) -> None:
        net.lstm(6)
        net.lstm(3)
        net.strided_slice(
            [0, -1, 0], [0, 0, 0], [1, 1, 1], (1, 3), beginMask=5, endMask=5, shrinkAxisMask=2
        )
        net.dense()

    assert_equal(build, (1, 12, 4), seeds=1)


def test_lstm_starts_from_zero_state_with_every_input() -> None:
    data = build_network(lambda net: net.lstm(5), (1, 6, 3))
    model = HostModel(data)
    x = random_inputs((6, 3))
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
    """An LSTM as the converter writes it."""
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
    x = random_inputs(model.input_shape, count=100)
    expected, _ = reference_outputs(path.read_bytes(), x)
    assert len(np.unique(expected)) > 20
    assert expected.tobytes() == model.run(x).tobytes()


@pytest.mark.parametrize("kind", ["TANH", "LOGISTIC"])
def test_sigmoids_of_the_gates_in_16_bits(kind: str, tmp_path: Any) -> None:
    """All 65,536 values, against tflite-micro's own operators."""
    net = Net(np.random.default_rng(0), (1, 1 << 16))
    net.graph.tensors[0].type = load_schema().TensorType.INT16
    net.graph.tensors[0].quantization.scale = [2.0**-12]
    net.graph.tensors[0].quantization.zeroPoint = [0]
    output = net.tensor((1, 1 << 16), "INT16", 2.0**-15, 0)
    net.operator(kind, [net.at], [output])
    net.at = output
    x = np.arange(-(1 << 15), 1 << 15).astype(np.int16)
    expected = reference_outputs(net.finish(), x[None])[0][0, 0]
    source = tmp_path / "sigmoids.c"
    name = "hyperbolic_tangent(value, 0)" if kind == "TANH" else "sigmoid(value)"
    source.write_text(
        '#include "eb_lstm.h"\n'
        "int32_t result(int32_t value);\n"
        f"int32_t result(int32_t value) {{ return eb_lstm_{name}; }}\n"
    )
    result = host_compiler.load_library("sigmoids", [source], [KERNELS]).result
    result.argtypes, result.restype = [ctypes.c_int32], ctypes.c_int32
    np.testing.assert_array_equal([result(int(v)) for v in x], expected)
