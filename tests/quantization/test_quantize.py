import json
import shutil
import stat
import sys

import flatbuffers
import numpy as np
import pytest

from edgebio import tasks, tflite
from edgebio.compiler.host_model import HostModel
from edgebio.errors import CheckFailedError, EdgebioError
from edgebio.models.keras import schema
from edgebio.quantization import flatbuffer, layer_report
from edgebio.quantization.converter_process import run_converter
from edgebio.tasks.stft_classifier import quantize
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.tflite.metadata import read_metadata
from tests import tiny


@pytest.fixture(scope="module")
def model():
    tiny.quantized()
    return (tiny.run() / "model.tflite").read_bytes()


def copy(tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny.run(), folder)
    for name in ("model.tflite", "quantize.json"):
        (folder / name).unlink(missing_ok=True)
    return folder


def test_input_takes_pixels_as_they_are(model):
    graph = tflite.read(model)
    image, output = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert image.dtype == output.dtype == "int8"
    assert image.scale.tolist() == [1 / 32]
    assert image.zero_point.tolist() == [0]
    assert image.shape == (1, 9, 32, 10)


def test_everything_in_between_is_int8(model):
    graph = tflite.read(model)
    for operator in graph.operators:
        assert graph.tensors[operator.outputs[0]].dtype == "int8"
    kinds = [operator.kind for operator in graph.operators]
    assert kinds == ["CONV_2D", "MAX_POOL_2D", "CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"]


def test_metadata_describes_the_model(model):
    run = ImageRun.load(tiny.run())
    report = read_metadata(tflite.read(model))
    assert report is not None
    assert report.name == "tiny"
    assert report.classes == run.frontend.classes
    assert report.frontend == run.frontend.frontend
    assert report.standardization == run.frontend.standardization
    assert report.decision == run.recipe.decision


def test_report_agrees_with_the_model(model):
    report = tiny.quantized()
    assert json.loads((tiny.run() / "quantize.json").read_text()) == report
    run = ImageRun.load(tiny.run())
    test = run.test_images()
    outputs = HostModel(model).run(test.all())  # the report's metric is by tflite-micro
    assert report["kernels"] == "tflite-micro"
    assert report["accuracy_int8"] == np.mean(outputs.argmax(axis=1) == test.labels)
    assert report["accuracy_float"] == run.metrics["accuracy"]
    assert report["windows"] == len(test)
    assert report["bytes"]["int8"] == len(model)


def test_int8_is_close_to_float_in_every_layer():
    report = tiny.quantized()
    assert [layer["name"] for layer in report["layers"]] == [
        "conv0", "pool0", "conv1", "average", "classes", "softmax",
    ]  # fmt: skip
    for layer in report["layers"]:
        assert layer["snr_db"] > 25, layer["name"]
        assert layer["saturated"] < 0.02, layer["name"]
    assert abs(report["accuracy_int8"] - report["accuracy_float"]) < 0.02
    assert report["decisions_differing"] < 0.05 * report["windows"]


def test_model_is_the_same_byte_for_byte_with_any_engine(tmp_path, model):
    folder = copy(tmp_path)
    report = tasks.quantize(
        folder, engine=lambda model, images: (np.eye(7, dtype=np.int8)[[0] * len(images)], "x")
    ).document()
    assert (folder / "model.tflite").read_bytes() == model
    assert report["kernels"] == "x"
    assert report["accuracy_int8"] == pytest.approx(1 / 7, abs=0.01)


def test_constants_are_aligned_for_kernels(model):
    unpacked = schema.Model.GetRootAs(model, 0)
    for k in range(unpacked.BuffersLength()):
        buffer = unpacked.Buffers(k)
        if buffer.DataLength():
            first = buffer._tab.Vector(buffer._tab.Offset(4))
            assert first % 16 == 0


def test_metadata_replaces_an_entry_of_its_name_only(model):
    changed = flatbuffer.with_metadata(model, "edgebio", b"{}")
    before, after = tflite.read(model), tflite.read(changed)
    assert after.metadata["edgebio"] == b"{}"
    assert set(after.metadata) == set(before.metadata)
    for one, other in zip(before.tensors, after.tensors, strict=True):
        assert one.name == other.name
        if one.data is not None:
            np.testing.assert_array_equal(one.data, other.data)


def fails(folder, path):
    raise ValueError("two lines\nno such operator")


def test_error_of_a_conversion_is_its_last_line(tmp_path):
    with pytest.raises(CheckFailedError, match=r"not converted: .*no such operator$") as error:
        run_converter(fails, tmp_path, 1)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("kill -SEGV $$", r"converter crashed on this network \(.*-11"),
        ("echo noise; exit 1", "converter crashed on this network"),
    ],
)
def test_crash_of_the_converter_is_one_line_and_changes_nothing(
    tmp_path, monkeypatch, script, message
):
    folder = copy(tmp_path)
    (folder / "model.tflite").write_bytes(b"earlier")
    converter = tmp_path / "python"
    converter.write_text(f"#!/bin/sh\n{script}\n")
    converter.chmod(converter.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(converter))
    with pytest.raises(CheckFailedError, match=message) as error:
        tasks.quantize(folder)
    assert "\n" not in str(error.value)
    assert (folder / "model.tflite").read_bytes() == b"earlier"


def test_model_with_another_input_scale_is_refused(tmp_path, monkeypatch, model):
    folder = copy(tmp_path)
    unpacked = flatbuffer.unpack(model)
    graph = unpacked.subgraphs[0]
    graph.tensors[graph.inputs[0]].quantization.scale = np.array([0.05], np.float32)
    wrong = flatbuffer.pack(unpacked)

    def run_converter(convert, folder, count):
        return [wrong] * count

    monkeypatch.setattr(quantize, "run_converter", run_converter)
    with pytest.raises(CheckFailedError, match=r"input scale \[0\.05.*pixels have \[0\.03125\]"):
        tasks.quantize(folder)
    assert not (folder / "model.tflite").exists()


def test_networks_with_other_operators_are_not_compared(model):
    images = np.zeros((1, 9, 32, 10), np.int8)
    unpacked = flatbuffer.unpack(model)
    unpacked.subgraphs[0].operators.pop()
    with pytest.raises(EdgebioError, match="changed the operators"):
        layer_report.compare_layers(flatbuffer.pack(unpacked), model, images)


def test_same_objects_give_the_same_bytes(model):
    assert flatbuffer.pack(flatbuffer.unpack(model)) == flatbuffer.pack(flatbuffer.unpack(model))
    assert flatbuffers.util.BufferHasIdentifier(model, 0, b"TFL3")


def test_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(EdgebioError, match=r"not a finished run .*edgebio train"):
        tasks.quantize(tmp_path)
