"""Schemes that train further, from a run to the generated C."""

import functools
import json
import shutil

import numpy as np
import pytest

from edgebio import recipes, tasks, tflite
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.quantization import layer_report
from edgebio.recipes import ClusterSettings, PruneSettings, QatSettings
from edgebio.tasks.run_folder import NETWORK, RECIPE
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.tflite.metadata import read_metadata
from tests import tiny

CLUSTERS, SPARSITY = 6, 0.6
SETTINGS = tiny.RECIPE.quantize.model_copy(
    update={
        "qat": QatSettings(epochs=1),
        "prune": PruneSettings(epochs=1, sparsity=SPARSITY),
        "cluster": ClusterSettings(epochs=1, clusters=CLUSTERS),
    }
)


@functools.cache
def quantized_by(scheme):
    """Folder of a copy of the tiny run, quantized by a scheme, and what was reported."""
    folder = tiny.folder() / scheme
    shutil.copytree(tiny.run(), folder)
    recipe = tiny.RECIPE.model_copy(update={"quantize": SETTINGS})
    (folder / RECIPE).write_text(recipes.dump(recipe))
    (folder / "model.tflite").write_bytes(b"of another scheme")
    with tiny.calls_in_this_process():
        result = tasks.quantize(folder, scheme=scheme, recordings=tiny.recordings())
    return folder, result.document()


@pytest.mark.parametrize("scheme", ["qat", "prune", "cluster"])
def test_generated_c_computes_the_model_bit_for_bit(scheme):
    folder, report = quantized_by(scheme)
    assert json.loads((folder / "quantize.json").read_text()) == report
    assert report["scheme"] == scheme
    assert report["tuning"]["epochs"] == len(report["tuning"]["history"]["loss"]) == 1
    content = (folder / "model.tflite").read_bytes()
    graph = tflite.read(content)
    image, output = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert (image.dtype, image.scale.tolist(), image.zero_point.tolist()) == ("int8", [1 / 32], [0])
    assert output.dtype == "int8"
    kinds = [operator.kind for operator in graph.operators]
    assert kinds == ["CONV_2D", "MAX_POOL_2D", "CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"]
    metadata = read_metadata(graph)
    assert metadata
    assert metadata.classes == ImageRun.load(folder).frontend.classes
    assert metadata.standardization == ImageRun.load(folder).frontend.standardization
    assert report["kernels"] == "tflite-micro"
    outputs = np.load(folder / "outputs.npy")
    test = ImageRun.load(folder).test_images()
    np.testing.assert_array_equal(HostModel(content).run(test.all()), outputs)
    assert report["accuracy_int8"] == np.mean(outputs.argmax(axis=1) == test.labels)
    for layer in report["layers"]:
        assert layer["snr_db"] > 20, layer["name"]
    assert abs(report["accuracy_int8"] - report["accuracy_float"]) < 0.03
    assert (folder / NETWORK).read_bytes() == (tiny.run() / NETWORK).read_bytes()


def test_zeros_survive_int8_and_the_report_counts_them():
    folder, report = quantized_by("prune")
    weights = layer_report.weight_statistics(tflite.read((folder / "model.tflite").read_bytes()))
    assert report["weights"] == weights
    assert weights["zeros"] >= SPARSITY - 0.02
    plain = tiny.quantized()["weights"]
    assert plain["zeros"] < 0.1
    assert weights["bytes"] == plain["bytes"]
    assert weights["deflated"] < 0.75 * plain["deflated"]


def test_filter_has_at_most_as_many_values_as_clusters():
    report = quantized_by("cluster")[1]["weights"]
    assert 2 < report["distinct"] <= CLUSTERS < tiny.quantized()["weights"]["distinct"]
    assert report["deflated"] < 0.75 * tiny.quantized()["weights"]["deflated"]


@pytest.mark.usefixtures("in_this_process")
def test_recipe_names_the_scheme_and_the_next_model_replaces_it(tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(quantized_by("prune")[0], folder)
    read = recipes.load(folder / RECIPE)
    settings = read.quantize.model_copy(update={"scheme": "prune"})
    changed = read.model_copy(update={"quantize": settings})
    (folder / RECIPE).write_text(recipes.dump(changed))

    def zeros(model, images):
        return np.zeros((len(images), 7), np.int8), "none"

    with pytest.raises(EdgebioError, match=r"14 of the 14 recordings that it was trained on"):
        tasks.quantize(folder, engine=zeros, recordings=())
    assert json.loads((folder / "quantize.json").read_text())["scheme"] == "prune"
    report = tasks.quantize(folder, engine=zeros, scheme="ptq").document()
    assert report["scheme"] == "ptq"
    assert report["tuning"] is None
    tiny.quantized()
    assert (folder / "model.tflite").read_bytes() == (tiny.run() / "model.tflite").read_bytes()
    assert report["weights"] == tiny.quantized()["weights"]


def test_weights_are_counted_by_filter():
    graph = tflite.read((quantized_by("prune")[0] / "model.tflite").read_bytes())
    by_hand = [
        np.asarray(graph.tensors[operator.inputs[1]].data)
        for operator in graph.operators
        if operator.kind in ("CONV_2D", "FULLY_CONNECTED")
    ]
    report = layer_report.weight_statistics(graph)
    assert report["bytes"] == sum(data.size for data in by_hand) == 10 * 9 * 8 + 8 * 9 * 12 + 12 * 7
    zeros = sum(int((data == 0).sum()) for data in by_hand)
    assert report["zeros"] == pytest.approx(zeros / report["bytes"])
    assert report["distinct"] == max(len(np.unique(row)) for data in by_hand for row in data)
