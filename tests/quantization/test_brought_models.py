"""Models of other tools: every kind of file becomes int8, or is refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import edgebio
from edgebio import tflite
from edgebio.cli import main
from edgebio.errors import EdgebioError
from edgebio.models.keras import keras as keras2
from edgebio.models.keras import tf
from edgebio.parity.reference_check import check_against_reference
from tests import tiny

keras3 = pytest.importorskip("keras")


@pytest.fixture(autouse=True)
def _one_process():
    with tiny.calls_in_this_process():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small network, in every kind of file, and inputs for it."""
    path = tmp_path_factory.mktemp("models")
    samples(path / "x.npy", 10, 6, 2)
    model = network(keras3)
    model.save(path / "three.keras")
    model.save(path / "three.h5")
    model.export(str(path / "saved"), verbose=False)
    older = network(keras2)
    older.save(path / "two.keras")
    older.save(path / "two.h5")
    dynamic = tf.lite.TFLiteConverter.from_saved_model(str(path / "saved")).convert()
    (path / "float.tflite").write_bytes(dynamic)
    return path


def network(keras: Any) -> Any:
    image = keras.Input((10, 6, 2))
    x = keras.layers.Conv2D(3, 3, activation="relu")(image)
    x = keras.layers.Flatten()(x)
    return keras.Model(image, keras.layers.Dense(4)(x))


def samples(path: Path, *shape: int, count: int = 12) -> Path:
    random = np.random.default_rng(3)
    np.save(path, random.normal(0.3, 1, (count, *shape)).astype(np.float32))
    return path


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["quantize", *map(str, arguments)])


def refused(*arguments: object) -> str:
    result = invoke(*arguments)
    assert result.exit_code in (1, 2), result.output
    (line,) = result.output.strip().splitlines()
    return str(line)


@pytest.mark.parametrize(
    "name", ["three.keras", "three.h5", "saved", "two.keras", "two.h5", "float.tflite"]
)
def test_every_kind_of_file_becomes_int8(folder: Path, tmp_path: Path, name: str) -> None:
    output = tmp_path / "out.tflite"
    result = edgebio.quantize_model(folder / name, folder / "x.npy", output)
    graph = tflite.read(output)
    assert graph.tensors[graph.inputs[0]].shape == (1, 10, 6, 2)
    for operator in graph.operators:
        assert graph.tensors[operator.outputs[0]].dtype in ("int8", "int32")
    weights = graph.tensors[graph.operators[0].inputs[1]]
    assert len(weights.scale) == 3  # per channel
    (report,) = result.report.outputs
    assert report.snr_db is not None
    assert report.snr_db > 30
    assert result.report.inputs[0].shape == (10, 6, 2)
    checked = check_against_reference(output)
    assert (checked.inputs, checked.differing) == (8, 0)


def test_report_is_that_of_the_written_model(folder: Path, tmp_path: Path) -> None:
    """The SNR of the report is computed again, with tflite-micro and the Keras model itself."""
    output = tmp_path / "out.tflite"
    report = edgebio.quantize_model(folder / "three.keras", folder / "x.npy", output).report
    x = np.load(folder / "x.npy")
    assert report.samples == report.compared == len(x)
    (entry,) = report.inputs
    assert (entry.lowest, entry.highest) == (float(x.min()), float(x.max()))
    real = keras3.saving.load_model(folder / "three.keras").predict(x, verbose=0)
    codes = np.clip(np.rint(x / entry.scale) + entry.zero_point, -128, 127).astype(np.int8)
    (exit_,) = report.outputs
    values = (edgebio.HostModel(output).run(codes) - float(exit_.zero_point)) * exit_.scale
    snr = 10 * np.log10(np.square(real).sum() / np.square(values - real).sum())
    assert exit_.snr_db == pytest.approx(snr, abs=0.3)
    same = (values.argmax(axis=1) == real.argmax(axis=1)).mean()
    assert exit_.same_largest == pytest.approx(same, abs=0.1)
    assert [layer["operator"] for layer in report.layers] == [
        "CONV_2D", "RESHAPE", "FULLY_CONNECTED",
    ]  # fmt: skip


def test_command_prints_range_agreement_and_document(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.tflite"
    command = folder / "three.keras", "--calibration", folder / "x.npy", "-o", output
    shown = invoke(*command)
    assert shown.exit_code == 0, shown.output
    x = np.load(folder / "x.npy")
    assert f"has 12, from {x.min():.4g} to {x.max():.4g}; real = " in shown.output
    assert "float against int8 on 12 inputs: " in shown.output
    assert f"next, edgebio build {output}" in shown.output
    before = output.read_bytes()
    assert f"{output}: exists already" in refused(*command)
    document = json.loads(invoke(*command, "--force", "--json").stdout)
    assert output.read_bytes() == before
    assert document["model"] == str(output)
    assert document["samples"] == 12
    assert document["not_compiled"] is None
    assert document["outputs"][0]["same_largest"] >= 0.8


@pytest.mark.slow
def test_recurrent_network_of_tf_keras_becomes_one_operator(tmp_path: Path) -> None:
    signal = keras2.Input((6, 3))
    x = keras2.layers.LSTM(5)(signal)
    keras2.Model(signal, keras2.layers.Dense(2)(x)).save(tmp_path / "lstm.h5")
    samples(tmp_path / "x.npy", 6, 3)
    output = tmp_path / "out.tflite"
    edgebio.quantize_model(tmp_path / "lstm.h5", tmp_path / "x.npy", output)
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in [op.kind for op in tflite.read(output).operators]
    assert check_against_reference(output).differing == 0


def test_elu_is_int8_throughout(tmp_path: Path) -> None:
    """TensorFlow's quantizer leaves ELU in float32."""
    signal = keras3.Input((8, 6, 1))
    x = keras3.layers.Conv2D(3, 3)(signal)
    x = keras3.layers.Activation("elu")(x)
    keras3.Model(signal, keras3.layers.Conv2D(2, 3)(x)).save(tmp_path / "elu.keras")
    samples(tmp_path / "x.npy", 8, 6, 1)
    output = tmp_path / "out.tflite"
    report = edgebio.quantize_model(tmp_path / "elu.keras", tmp_path / "x.npy", output).report
    graph = tflite.read(output)
    assert [op.kind for op in graph.operators] == ["CONV_2D", "ELU", "CONV_2D"]
    assert {graph.tensors[op.outputs[0]].dtype for op in graph.operators} == {"int8"}
    assert [layer["snr_db"] > 25 for layer in report.layers] == [True] * 3
    checked = check_against_reference(output)
    assert (checked.inputs, checked.differing) == (8, 0)


def test_several_inputs_are_calibrated_by_name(tmp_path: Path) -> None:
    one, other = keras3.Input((4,), name="one"), keras3.Input((4,), name="other")
    total = keras3.layers.Add()([keras3.layers.Dense(4)(one), other])
    keras3.Model([one, other], total).save(tmp_path / "two.keras")
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "other": 10 * random.normal(size=(9, 4)),
        "one": random.normal(size=(9, 4)),
    }
    np.savez(tmp_path / "x.npz", **arrays)
    output = tmp_path / "out.tflite"
    report = edgebio.quantize_model(tmp_path / "two.keras", tmp_path / "x.npz", output).report
    highest = {each.name: each.highest for each in report.inputs}
    assert highest == {name: pytest.approx(array.max()) for name, array in arrays.items()}
    (sum_,) = report.outputs
    assert sum_.snr_db is not None
    assert sum_.snr_db > 30
    np.save(tmp_path / "x.npy", arrays["one"])
    line = refused(tmp_path / "two.keras", "--calibration", tmp_path / "x.npy", "-o", "y.tflite")
    assert "no array for one (n, 4), other (n, 4)" in line
    assert "numpy.savez('x', one=..., other=...)" in line


def with_nan(x: Any) -> Any:
    x[4, 2, 1, 0] = np.nan
    return x


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_nan, "holds 1 values that are NaN or infinite, first in input 4"),
        (lambda x: x / 0, "NaN or infinite"),
        (lambda x: x[:, :9], "shape [12, 9, 6, 2]; the model takes input_layer"),
        (lambda x: x[0], "the first axis counts inputs: add it with x[None]"),
        (lambda x: x[:, None], "leave out the batch axis: x[:, 0]"),
        (lambda x: x[:0], "expected inputs, (n, ...)"),
        (lambda x: np.ones_like(x), "every value is 1"),
        (lambda x: x.astype(str), "expected numbers"),
        (lambda x: x > 0, "holds bool; expected numbers"),
        (lambda x: x.astype(object), "not a .npy or .npz of numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_inputs_that_do_not_fit_are_refused(
    folder: Path, tmp_path: Path, change: Callable[[Any], Any], message: str
) -> None:
    np.save(tmp_path / "x.npy", change(np.load(folder / "x.npy")))
    output = tmp_path / "out.tflite"
    line = refused(folder / "three.h5", "--calibration", tmp_path / "x.npy", "-o", output)
    assert message in line
    assert str(tmp_path / "x.npy") in line
    assert not output.exists()


def lambda_of(keras: Any) -> Any:
    signal = keras.Input((10, 6, 2))
    return keras.Model(signal, keras.layers.Lambda(lambda x: x * 2)(signal))


@pytest.mark.parametrize("keras", [keras3, keras2], ids=["keras3", "keras2"])
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_code_in_a_file_is_not_run(folder: Path, tmp_path: Path, keras: Any, suffix: str) -> None:
    path = tmp_path / f"code.{suffix}"
    lambda_of(keras).save(path)
    line = refused(path, "--calibration", folder / "x.npy", "-o", tmp_path / "out.tflite")
    assert "a Lambda layer holds Python code, which is not run from a file" in line


def test_networks_that_cannot_become_int8_are_refused(folder: Path, tmp_path: Path) -> None:
    def line_of(model: Any, name: str) -> str:
        model.save(tmp_path / name)
        return refused(tmp_path / name, "--calibration", folder / "x.npy", "-o", "y.tflite")

    signal = keras3.Input((10, 6, 2))
    rows = keras3.layers.Reshape((10, 12))(signal)
    loop = keras3.Model(signal, keras3.layers.GRU(3, name="memory")(rows))
    assert "layer 'memory' (GRU of Keras 3) becomes a loop" in line_of(loop, "gru.keras")
    root = keras3.Model(signal, keras3.ops.erfinv(signal))
    assert "no operator for Erfinv; replace the layer" in line_of(root, "erf.keras")
    negative = keras3.Model(signal, keras3.layers.Conv2D(2, 3)(-keras3.ops.relu(signal)))
    assert "the converter leaves NEG in float32" in line_of(negative, "negative.keras")
    whole = keras3.Input((3,), dtype="int32")
    codes = keras3.Model(whole, keras3.layers.Embedding(4, 2)(whole))
    assert "is int32; only float32 inputs become int8" in line_of(codes, "codes.keras")


def test_files_that_are_no_float_model_are_refused(folder: Path, tmp_path: Path) -> None:
    def line_of(path: Path) -> str:
        return refused(path, "--calibration", folder / "x.npy", "-o", tmp_path / "y.tflite")

    network(keras3).save_weights(tmp_path / "only.weights.h5")
    assert "holds weights only; save the whole model" in line_of(tmp_path / "only.weights.h5")
    (tmp_path / "noise.keras").write_bytes(b"noise" * 99)
    assert "not a file of Keras, or damaged" in line_of(tmp_path / "noise.keras")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "saved_model.pb").write_bytes(b"noise")
    assert "not a SavedModel that TensorFlow reads" in line_of(tmp_path / "cut")
    edgebio.quantize_model(folder / "float.tflite", folder / "x.npy", tmp_path / "int8.tflite")
    assert "int8 already" in line_of(tmp_path / "int8.tflite")
    signal = keras3.Input((40,))
    wide = keras3.Model(signal, keras3.layers.Dense(40)(signal))
    wide.export(str(tmp_path / "wide"), verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "wide"))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    (tmp_path / "range.tflite").write_bytes(converter.convert())
    assert "quantized already (dynamic range)" in line_of(tmp_path / "range.tflite")
    converter.target_spec.supported_types = [tf.float16]
    (tmp_path / "half.tflite").write_bytes(converter.convert())
    assert "quantized already (float16 weights)" in line_of(tmp_path / "half.tflite")


def test_wrong_use_of_the_command_is_refused_before_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"")
    line = refused(tmp_path / "model.keras")
    assert f"edgebio quantize {tmp_path / 'model.keras'} --calibration X.npy -o model_int8" in line
    assert "no such file or folder" in refused("no.keras", "--calibration", "x", "-o", "y.tflite")
    assert "are of a run" in refused(tmp_path / "model.keras", "--scheme", "qat")
    assert "are of a model file" in refused(tmp_path, "--calibration", "x", "-o", "y.tflite")
    assert "nowhere.npy: no such file; save inputs" in refused(
        tmp_path / "model.keras", "--calibration", "nowhere.npy", "-o", tmp_path / "y.tflite"
    )
    with pytest.raises(EdgebioError, match=r"ends with \.tflite"):
        edgebio.quantize_model(tmp_path / "model.keras", "x.npy", tmp_path / "y.bin")
