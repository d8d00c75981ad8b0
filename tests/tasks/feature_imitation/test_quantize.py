import json

import numpy as np
import pytest

from edgebio import tasks, tflite
from edgebio.compiler.host_model import HostModel
from edgebio.errors import CheckFailedError, EdgebioError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.quantization import flatbuffer
from edgebio.tasks.feature_imitation import quantize
from edgebio.tasks.feature_imitation.run import (
    CLASSIFIER_MODEL,
    PREDICTED,
    ImitationFrontend,
    ImitationRun,
)
from edgebio.tasks.run_folder import MODEL, OUTPUTS, QUANTIZE
from edgebio.tflite.constants import with_constants
from edgebio.training.signals import compand, expand
from tests import tiny


@pytest.fixture(scope="module")
def report():
    return json.loads((tiny.imitation() / QUANTIZE).read_text())


def test_imitator_is_one_int8_lstm_that_the_compiler_takes(report):
    graph = tflite.read(tiny.imitation() / MODEL)
    kinds = [operator.kind for operator in graph.operators]
    assert kinds.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 1
    assert [layer["operator"] for layer in report["layers"]] == kinds
    taken, output = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert (taken.dtype, taken.scale.tolist(), taken.zero_point.tolist()) == ("int8", [1 / 32], [0])
    assert (tuple(taken.shape), tuple(output.shape)) == ((1, 3, 100, 1), (1, 4))
    frontend = ImitationFrontend.model_validate_json(graph.metadata[quantize.ENTRY])
    assert frontend == ImitationRun.load(tiny.imitation()).frontend


def test_generated_c_and_tflite_micro_compute_the_same_bytes():
    pytest.importorskip("tflite_micro")
    inputs = ImitationRun.load(tiny.imitation()).inputs(slice(0, 10))
    expected, kernels = tasks.interpreter((tiny.imitation() / MODEL).read_bytes(), inputs)
    assert kernels == "tflite-micro"
    np.testing.assert_array_equal(HostModel(tiny.imitation() / MODEL).run(inputs), expected)
    predicted = np.load(tiny.imitation() / PREDICTED)
    np.testing.assert_array_equal(predicted[:10].reshape(-1, 4), expected)


def test_int8_predicts_on_average_what_float_predicts():
    run = ImitationRun.load(tiny.imitation())
    graph = tflite.read(tiny.imitation() / MODEL)
    output = graph.tensors[graph.outputs[0]]
    codes = np.concatenate(
        [compand(gain * expand(run.arrays.calibration)) for gain in quantize._GAINS]
    )
    wanted = run.imitator()(codes.astype(np.float32) * np.float32(PIXEL_SCALE)).numpy()
    steps = HostModel(tiny.imitation() / MODEL).run(codes).reshape(wanted.shape)
    error = (steps - wanted / output.scale[0]).mean(axis=0) - output.zero_point[0]
    assert np.abs(error).max() < 0.25  # of a step; one rounded value may be off by half a step


def test_bias_moves_outputs_by_what_is_added():
    content = (tiny.imitation() / MODEL).read_bytes()
    graph = tflite.read(content)
    scale = float(graph.tensors[graph.outputs[0]].scale[0])
    changed = flatbuffer.unpack(content)
    moved = np.array([0, 3, -5, 1])
    flatbuffer.add_to_bias(changed, graph.operators[-1].inputs[2], moved * scale)
    inputs = ImitationRun.load(tiny.imitation()).inputs(slice(0, 4))
    before, after = (
        HostModel(model).run(inputs).astype(int).reshape(-1, 4)
        for model in (content, flatbuffer.pack(changed))
    )
    inside = (np.abs(before) < 120).all(axis=1)
    assert inside.sum() > 10
    assert np.abs(after - before - moved)[inside].max() <= 1  # bias and output are rounded apart


def test_int8_metrics_are_those_of_the_stored_outputs(report):
    run = ImitationRun.load(tiny.imitation())
    outputs = np.load(tiny.imitation() / OUTPUTS)
    assert report["accuracy_int8"] == np.mean(outputs.argmax(axis=1) == run.arrays.labels)
    assert report["accuracy_float"] == run.metrics["accuracy"]
    assert report["r2"]["float"] == pytest.approx(run.metrics["r2"])
    for name, value in report["r2"]["int8"].items():
        assert value == pytest.approx(report["r2"]["float"][name], abs=0.05)
    assert abs(report["accuracy_int8"] - report["accuracy_float"]) < 0.1
    assert min(layer["snr_db"] for layer in report["layers"]) > 15
    assert report["kernels"] == "generated C"


def test_scale_that_differs_by_rounding_is_replaced():
    """One step of a float32 apart, the networks of one subject of emg-3dc were refused."""
    content = (tiny.imitation() / CLASSIFIER_MODEL).read_bytes()
    graph = tflite.read(content)
    taken = graph.tensors[graph.inputs[0]]
    for factor, replaced in ((1 + 2**-23, True), (1 - 2**-23, True), (1.001, False)):
        off = (taken.scale * factor).astype(np.float32)
        assert (off != taken.scale).all()
        other = with_constants(content, {}, {taken.index: off})
        assert (quantize.with_input_scale(other, taken) == content) is replaced
        assert (quantize.with_input_scale(other, taken) == other) is not replaced


def test_networks_that_do_not_fit_one_another_are_refused(monkeypatch):
    model = (tiny.imitation() / MODEL).read_bytes()

    def run_converter(convert, folder, count):
        return [model] * count  # takes samples where it should take features

    monkeypatch.setattr(quantize, "run_converter", run_converter)
    before = (tiny.imitation() / QUANTIZE).read_bytes()
    with pytest.raises(CheckFailedError, match="their bytes mean different features"):
        tasks.quantize(tiny.imitation())
    assert (tiny.imitation() / QUANTIZE).read_bytes() == before


def test_other_schemes_are_refused():
    with pytest.raises(EdgebioError, match="task feature_imitation are quantized by ptq only"):
        tasks.quantize(tiny.imitation(), scheme="qat")
