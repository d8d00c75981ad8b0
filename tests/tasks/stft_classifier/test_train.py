import json

import numpy as np
import pytest

from edgebio import protocols, tasks
from edgebio.errors import EdgebioError
from edgebio.recipes import TeacherSettings
from edgebio.tasks.run_folder import FRONTEND, LOGS, METRICS, NETWORK, RECIPE
from edgebio.tasks.stft_classifier.run import IMAGES, ImageRun
from edgebio.training import gradcam
from edgebio.training.image_training import predict
from edgebio.training.metrics import decision_metrics
from tests import tiny


def changed(**training):
    return tiny.RECIPE.training.model_copy(update=training)


def train(recipe, recordings, folder):
    return tasks.train(recipe, recordings, folder).document()


def train_fold(recipe, fold, folder):
    return tasks.task_of(recipe).train(recipe, fold, folder).document()


def test_two_runs_of_one_recipe_are_the_same_bit_for_bit(tmp_path):
    again = tmp_path / "run"
    train(tiny.RECIPE, tiny.recordings(), again)
    for name in (NETWORK, FRONTEND, RECIPE, IMAGES):
        assert (again / name).read_bytes() == (tiny.run() / name).read_bytes(), name
    first, second = (json.loads((f / METRICS).read_text()) for f in (tiny.run(), again))
    assert first["history"] == second["history"]


def test_metrics_are_those_of_the_stored_model():
    run = ImageRun.load(tiny.run())
    test = run.test_images()
    metrics = run.metrics
    decided = predict(run.network(), test).argmax(axis=1)
    assert {
        k: metrics[k] for k in ("accuracy", "balanced_accuracy", "macro_f1")
    } == decision_metrics(test.labels, decided)
    assert np.trace(metrics["confusion"]) == (decided == test.labels).sum()
    assert np.sum(metrics["confusion"]) == len(test) == metrics["test"]["windows"]
    assert metrics["accuracy"] > 0.35  # of seven classes; a network that learned nothing has 0.14
    assert metrics["train"]["repetitions"] == [0, 1]
    assert metrics["validation"]["repetitions"] == [2]
    assert metrics["test"]["sessions"] == ["2"]
    assert metrics["parameters"] == run.network().count_params()
    assert run.recipe == tiny.RECIPE
    assert run.calibration().shape == (100, *run.frontend.frontend.image_shape)
    logged = list((tiny.run() / LOGS).rglob("events.out.tfevents.*"))
    assert logged


def test_cost_of_an_unknown_class_is_refused_before_training(tmp_path):
    recipe = tiny.RECIPE.model_copy(update={"training": changed(costs={"fist": 2.0})})
    with pytest.raises(EdgebioError, match=r"training\.costs: no class 'fist'; there are "):
        train(recipe, tiny.recordings(), tmp_path / "run")


@pytest.mark.parametrize("patience", [0, 1])
def test_validation_subjects_are_trained_on_if_nothing_stops_early(tmp_path, patience):
    everybody = [r for k in "123" for r in tiny.recordings(k) if r.session == "1"]
    recipe = tiny.RECIPE.model_copy(
        update={
            "data": tiny.RECIPE.data.model_copy(update={"protocol": "patient-wise"}),
            "training": changed(epochs=1, patience=patience),
        }
    )
    fold = protocols.split("patient-wise", everybody)[0]
    metrics = train(recipe, everybody, tmp_path / "run")
    train_set, validation, tested = (
        {r.subject for r in side} for side in (fold.train, fold.validation, fold.test)
    )
    assert set(metrics["test"]["subjects"]) == tested
    wanted = train_set if patience else train_set | validation
    assert set(metrics["train"]["subjects"]) == wanted
    assert set(metrics["validation"]["subjects"]) == (validation if patience else set())
    maps = gradcam.load(tmp_path / "run")
    assert maps is not None
    assert maps.maps.shape[1:] == ImageRun.load(tmp_path / "run").test_images().shape[:2]


def test_network_is_tuned_to_a_subject_after_the_others(tmp_path):
    """Transfer: the front end is that of the other subjects, the weights are the subject's own."""
    quick = changed(epochs=1, tune_epochs=2)
    recipe = tiny.RECIPE.model_copy(update={"training": quick})
    everybody = [*tiny.recordings("1"), *tiny.recordings("2")]
    others, tuned = (
        protocols.split(name, everybody)[0] for name in ("all-to-one", "transfer")
    )  # fmt: skip
    before = train_fold(recipe, others, tmp_path / "others")
    after = train_fold(recipe, tuned, tmp_path / "tuned")
    assert (before["epochs"], after["epochs"]) == (1, 3)
    assert after["history"]["loss"][0] == before["history"]["loss"][0]
    assert (after["tune"]["subjects"], after["tune"]["sessions"]) == (["1"], ["1"])
    assert (after["test"]["subjects"], after["test"]["sessions"]) == (["1"], ["2"])
    assert after["train"]["subjects"] == ["2"]
    fronts = [(tmp_path / name / "frontend.json").read_text() for name in ("others", "tuned")]
    assert fronts[0] == fronts[1]
    assert after["accuracy"] > before["accuracy"]


def test_teacher_is_trained_first_and_described(tmp_path):
    teacher = TeacherSettings(filters=(16, 16), epochs=2)
    recipe = tiny.RECIPE.model_copy(update={"training": changed(epochs=1, teacher=teacher)})
    metrics = train(recipe, tiny.recordings(), tmp_path / "run")
    assert ImageRun.load(tmp_path / "run").recipe == recipe
    assert metrics["teacher"]["epochs"] == 2
    assert metrics["teacher"]["parameters"] > 2 * metrics["parameters"]
    assert 0 < metrics["teacher"]["accuracy"] < 1
    plain = recipe.model_copy(update={"training": changed(epochs=1)})
    without = train(plain, tiny.recordings(), tmp_path / "plain")
    assert without["teacher"] is None
    assert without["parameters"] == metrics["parameters"]
    assert without["history"]["loss"] != metrics["history"]["loss"]
