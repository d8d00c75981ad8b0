"""The layers of an int8 network on a new wearer's signal, against the float network's."""

import dataclasses
import functools
import json

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason='needs pip install "edgebio[train]"')

from edgebio import calibration, tasks, tflite
from edgebio.calibration import layers
from edgebio.calibration.int8_network import Int8Network
from edgebio.cli import main
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.protocols import split
from edgebio.recipes import NewSubjectsSettings
from edgebio.recordings import save_recordings
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.tflite.metadata import require_metadata
from tests import tiny

RECIPE = tiny.RECIPE.model_copy(
    update={
        "training": tiny.RECIPE.training.model_copy(
            update={
                "patience": 0,
                "validation_repetitions": 0,
                "new_subjects": NewSubjectsSettings(epochs=4, normalization="layers"),
            }
        )
    }
)


@functools.cache
def layers_run():
    """A network of two subjects, tested on both sessions of a louder third; quantized."""
    other = [
        dataclasses.replace(
            r, samples=(r.samples * (2.5 if r.session == "1" else 0.4)).astype("i2")
        )
        for r in tiny.recordings("3")
    ]
    fold = next(
        f
        for f in split("cross-subject", [*tiny.recordings("1"), *tiny.recordings("2"), *other])
        if f.name == "3"
    )

    def make(folder):
        tasks.task_of(RECIPE).train(RECIPE, fold, folder)
        with tiny.calls_in_this_process():
            tasks.quantize(folder, engine=tasks.generated_c)

    return tiny.shared("layers", make), other


@pytest.fixture(scope="module")
def run():
    folder, other = layers_run()
    return folder, json.loads((folder / "quantize.json").read_text()), other


def test_int8_follows_float_in_each_session(run):
    folder, report, _ = run
    assert report["decisions_differing"] <= 0.03 * report["windows"]
    assert abs(report["accuracy_int8"] - report["accuracy_float"]) <= 0.02
    test_images = ImageRun.load(folder).test_images()
    assert len(set(test_images.sessions)) == 2
    for chosen, starts in test_images.by_session():
        assert len(np.unique(test_images.recordings[chosen])) == len(test_images.ends) // 2
        assert set(test_images.starts[chosen]) <= set(starts)


def test_each_convolution_gets_the_statistics_of_training(run):
    folder, _, other = run
    content = (folder / "model.tflite").read_bytes()
    metadata = require_metadata(tflite.read(content), "x")
    session = [r for r in other if r.session == "2"]
    calibrated = calibration.calibrate(content, session, labels=False)
    assert (calibrated.layers, calibrated.segments) == (True, 0)
    after = require_metadata(tflite.read(calibrated.content), "x")
    assert after.layers == metadata.layers
    assert after.standardization != metadata.standardization

    from edgebio.frontend.twin import Twin
    from edgebio.recipes import DataSettings
    from edgebio.training.images import Images, pixels_to_float

    twin = Twin(after.frontend, after.standardization)
    seen = pixels_to_float(Images.cut(twin, session, 1, DataSettings()).spread(layers.IMAGES))
    for aim, measured in zip(
        metadata.layers, layers.measure_layers(Int8Network(calibrated.content), seen), strict=True
    ):
        np.testing.assert_allclose(measured.mean, aim.mean, atol=0.05)
        np.testing.assert_allclose(measured.deviation, aim.deviation, rtol=0.1, atol=0.02)
    # The same signal again changes nothing more.
    again = calibration.calibrate(calibrated.content, session, labels=False).content
    x = (seen[:50] * 32).astype(np.int8)
    one, other_ = (HostModel(c).run(x).astype(int) for c in (calibrated.content, again))
    assert np.abs(one - other_).max() <= 6


def test_one_repetition_of_each_class_tunes_to_the_wearer(run, tmp_path):
    """From a file of the wearer's own, which lists the classes in an order of its own."""
    folder, report, other = run
    content = (folder / "model.tflite").read_bytes()
    last = len(other[0].classes) - 1
    backwards = [
        dataclasses.replace(r, classes=r.classes[::-1], labels=(last - r.labels).astype(np.int16))
        for r in other
        if r.session == "2" and r.repetition == 0
    ]
    save_recordings(tmp_path / "wearer.npz", backwards)
    model = tmp_path / "wearer.tflite"
    arguments = ["calibrate", str(folder), str(tmp_path / "wearer.npz"), "-o", str(model), "--json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["labelled_windows"] > 100
    before, after = tflite.read(content), tflite.read(model.read_bytes())
    assert [o.kind for o in before.operators] == [o.kind for o in after.operators]
    test_images = ImageRun.load(folder).test_images()
    spec = require_metadata(after, "x")
    from edgebio.frontend.twin import Twin
    from edgebio.recipes import DataSettings
    from edgebio.training.images import Images

    rest = [r for r in other if r.session == "2" and r.repetition > 0]
    images = Images.cut(Twin(spec.frontend, spec.standardization), rest, 3, DataSettings())
    decisions = HostModel(model.read_bytes()).run(images.all()).argmax(axis=1)
    assert (decisions == images.labels).mean() > max(0.8, report["accuracy_int8"] - 0.02)
    assert test_images.frames == images.frames


def test_unsuitable_recordings_and_models_are_refused(run):
    folder, _, other = run
    content = (folder / "model.tflite").read_bytes()
    some = [r for r in other if r.repetition == 0 and r.labels[0] != 1]
    missing = some[0].classes[1]
    with pytest.raises(EdgebioError, match=f"no segment of class '{missing}'; to learn"):
        calibration.calibrate(content, some, labels=True)
    named = [dataclasses.replace(r, classes=tuple("abcdefg")) for r in some]
    with pytest.raises(EdgebioError, match=r"has class 'a'; the model has .*--no-labels"):
        calibration.calibrate(content, named, labels=True)
    plain = require_metadata(tflite.read(content), "x").model_copy(update={"layers": ()})
    from edgebio.tflite.metadata import replace_metadata

    with pytest.raises(EdgebioError, match="has no layer statistics"):
        layers.calibrate_layers(replace_metadata(content, plain), np.zeros((3, 9, 32, 3), np.int8))
    wrong = require_metadata(tflite.read(content), "x")
    cut = wrong.model_copy(update={"layers": wrong.layers[:1]})
    with pytest.raises(EdgebioError, match="layers: the statistics do not fit"):
        require_metadata(tflite.read(replace_metadata(content, cut)), "x")
