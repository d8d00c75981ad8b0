import json

import numpy as np
import pytest

from edgebio import tflite
from edgebio.compiler.host import HostModel
from edgebio.errors import CheckFailedError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.quantize import flatbuffer
from edgebio.quantize import layer_report
from edgebio.tasks.stft_classifier import quantize
from edgebio.tasks.feature_imitation import quantize
from edgebio.tasks.stft_classifier.quantize import MODEL, OUTPUTS, REPORT
from edgebio.tflite.constants import with_constants
from edgebio.tasks.feature_imitation import run as runs
from edgebio.training.signals import compand, expand
from tests import tiny


@pytest.fixture(scope="module")
def found():
    return json.loads((tiny.imitation() / REPORT).read_text())


def test_the_imitator_is_one_int8_lstm_that_the_compiler_takes(found):
    graph = tflite.read(tiny.imitation() / MODEL)
    kinds = [operator.kind for operator in graph.operators]
    assert kinds.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 1
    assert [layer["operator"] for layer in found["layers"]] == kinds
    taken, said = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert (taken.dtype, taken.scale.tolist(), taken.zero_point.tolist()) == ("int8", [1 / 32], [0])
    assert (tuple(taken.shape), tuple(said.shape)) == ((1, 3, 100, 1), (1, 4))
    described = runs.ImitationFrontend.model_validate_json(graph.metadata[quantize.ENTRY])
    assert described == runs.load(tiny.imitation()).frontend


def test_generated_c_and_tflite_micro_say_the_same_bytes():
    pytest.importorskip("tflite_micro")
    run = runs.load(tiny.imitation())
    inputs = run.inputs(slice(0, 10))
    expected, kernels = layer_report.decide((tiny.imitation() / MODEL).read_bytes(), inputs)
    assert kernels == "tflite-micro"
    np.testing.assert_array_equal(HostModel(tiny.imitation() / MODEL).run(inputs), expected)
    told = np.load(tiny.imitation() / quantize.TOLD)
    np.testing.assert_array_equal(told[:10].reshape(-1, 4), expected)


def test_on_average_int8_says_what_float_says():
    run = runs.load(tiny.imitation())
    graph = tflite.read(tiny.imitation() / MODEL)
    said = graph.tensors[graph.outputs[0]]
    codes = np.concatenate(
        [compand(gain * expand(run.arrays.calibration)) for gain in quantize._GAINS]
    )
    wanted = run.imitator()(codes.astype(np.float32) * np.float32(PIXEL_SCALE)).numpy()
    steps = HostModel(tiny.imitation() / MODEL).run(codes).reshape(wanted.shape)
    off = (steps - wanted / said.scale[0]).mean(axis=0) - said.zero_point[0]
    assert np.abs(off).max() < 0.25  # of a step; a rounded value alone may be off by half of one


def test_a_bias_moves_its_outputs_by_what_is_added():
    content = (tiny.imitation() / MODEL).read_bytes()
    graph = tflite.read(content)
    scale = float(graph.tensors[graph.outputs[0]].scale[0])
    changed = flatbuffer.unpack(content)
    moved = np.array([0, 3, -5, 1])
    flatbuffer.add_to_bias(changed, graph.operators[-1].inputs[2], moved * scale)
    inputs = runs.load(tiny.imitation()).inputs(slice(0, 4))
    before, after = (
        HostModel(model).run(inputs).astype(int).reshape(-1, 4)
        for model in (content, flatbuffer.pack(changed))
    )
    inside = (np.abs(before) < 120).all(axis=1)
    assert inside.sum() > 10
    assert np.abs(after - before - moved)[inside].max() <= 1  # bias and output round by themselves


def test_int8_scores_are_those_of_the_bytes_that_are_kept(found):
    run = runs.load(tiny.imitation())
    outputs = np.load(tiny.imitation() / OUTPUTS)
    assert found["accuracy_int8"] == np.mean(outputs.argmax(axis=1) == run.arrays.labels)
    assert found["accuracy_float"] == run.metrics["accuracy"]
    assert found["r2"]["float"] == pytest.approx(run.metrics["r2"])
    for name, value in found["r2"]["int8"].items():
        assert value == pytest.approx(found["r2"]["float"][name], abs=0.05)
    assert abs(found["accuracy_int8"] - found["accuracy_float"]) < 0.1
    assert min(layer["snr_db"] for layer in found["layers"]) > 15


def test_a_scale_that_differs_by_rounding_alone_is_made_the_same(found):
    """One step of a float32 apart, the networks of one person of emg-3dc were refused."""
    content = (tiny.imitation() / quantize.CLASSIFIER).read_bytes()
    graph = tflite.read(content)
    said = graph.tensors[graph.inputs[0]]
    for factor, mended in ((1 + 2**-23, True), (1 - 2**-23, True), (1.001, False)):
        off = np.float32(said.scale * factor)
        assert (off != said.scale).all()
        other = with_constants(content, {}, {said.index: off})
        assert (quantize.taking(other, said) == content) is mended
        assert (quantize.taking(other, said) == other) is not mended


def test_networks_that_do_not_fit_one_another_are_refused(tmp_path, monkeypatch):
    model = (tiny.imitation() / MODEL).read_bytes()

    def convert(module, folder, *made):
        for path in made:
            path.write_bytes(model)  # takes samples where it should take features

    monkeypatch.setattr(imitation, "convert", convert)
    before = (tiny.imitation() / REPORT).read_bytes()
    with pytest.raises(CheckFailedError, match="the one's bytes are not the other's"):
        quantize(tiny.imitation())
    assert (tiny.imitation() / REPORT).read_bytes() == before
