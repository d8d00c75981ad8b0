import json
import shutil

import numpy as np
import pytest

from edgebio import protocols, recipes, tasks
from edgebio.errors import EdgebioError
from edgebio.recipes import AugmentSettings, NewSubjectsSettings, PretrainingSettings
from edgebio.tasks.feature_imitation.run import CLASSIFIER, SEGMENTS, TUNED, ImitationRun
from edgebio.tasks.feature_imitation.train import first_segments
from edgebio.tasks.run_folder import FRONTEND, METRICS, NETWORK, RECIPE
from edgebio.training.features import IMITATED_FEATURES, imitated_features
from edgebio.training.metrics import decision_metrics
from edgebio.training.optimizer_loop import optimize
from edgebio.training.signals import Signals, expand
from tests import tiny


def changed(training=None, **imitation):
    assert tiny.IMITATION.feature_imitation
    settings = tiny.IMITATION.feature_imitation.model_copy(update=imitation)
    quick = {"epochs": 1, "epoch_images": 640, **(training or {})}
    return tiny.IMITATION.model_copy(
        update={
            "feature_imitation": settings,
            "training": tiny.IMITATION.training.model_copy(update=quick),
        }
    )


def train(recipe, folder, recordings=None):
    return tasks.train(recipe, recordings or tiny.recordings(), folder).document()


def train_fold(recipe, protocol, folder):
    recordings = [*tiny.recordings("1"), *tiny.recordings("2")]
    fold = protocols.split(protocol, recordings)[0]
    return tasks.task_of(recipe).train(recipe, fold, folder).document(), fold


def test_metrics_are_those_of_the_stored_networks():
    run = ImitationRun.load(tiny.imitation())
    arrays, metrics, scale = run.arrays, run.metrics, run.frontend.feature_scale
    segments = run.inputs(slice(None)).astype(np.float32) / 32
    predicted = run.imitator()(segments, training=False).numpy().reshape(arrays.predicted.shape)
    np.testing.assert_allclose(predicted, arrays.predicted, atol=1e-4)
    probability = run.classifier()(arrays.predicted[:, :, None], training=False).numpy()
    np.testing.assert_allclose(probability, arrays.probability, atol=1e-4)
    decisions = arrays.probability.argmax(axis=1)
    assert metrics["accuracy"] == decision_metrics(arrays.labels, decisions)["accuracy"]
    assert metrics["accuracy"] > 0.35  # of seven classes; one that learned nothing has 0.14
    assert metrics["percentages"][-1]["imitated"] == metrics["accuracy"]
    assert metrics["test"]["windows"] == len(arrays.labels)
    true = arrays.features.reshape(-1, 4)
    error = scale.decode(arrays.predicted).reshape(-1, 4) - true
    r2 = 1 - np.square(error).mean(axis=0) / true.var(axis=0)
    np.testing.assert_allclose([metrics["r2"][name] for name in IMITATED_FEATURES], r2, rtol=1e-6)
    assert min(metrics["r2"].values()) > 0.2


def test_true_features_are_those_of_the_stored_signal():
    """Codes represent samples within a few percent, and so do features of them."""
    run = ImitationRun.load(tiny.imitation())
    segments = expand(run.inputs(slice(None, None, 20))[..., 0])
    true = run.arrays.features[::20].reshape(-1, 4)
    again = imitated_features(segments.reshape(len(true), -1))
    np.testing.assert_allclose(again[:, 1], true[:, 1], rtol=0.02)
    scale = run.frontend.feature_scale
    np.testing.assert_allclose(scale.decode(scale.encode(true)), true)


@pytest.mark.slow
def test_two_runs_are_the_same_bit_for_bit(tmp_path):
    train(tiny.IMITATION, tmp_path / "run")
    for name in (NETWORK, CLASSIFIER, TUNED, FRONTEND, SEGMENTS):
        assert (tmp_path / "run" / name).read_bytes() == (tiny.imitation() / name).read_bytes()


def test_horizon_is_predicted_and_the_subjects_own_labels_are_learned(tmp_path):
    recipe = changed(percentages=(50.0,), classifier_epochs=1).with_horizon(3)
    metrics, fold = train_fold(recipe, "transfer", tmp_path / "run")
    assert metrics["prediction"] == ImitationRun.load(tmp_path / "run").frontend.horizon == 3
    assert (metrics["train"]["subjects"], metrics["tune"]["subjects"]) == (["2"], ["1"])
    tuning, tested = (
        sum((len(r.samples) - 600) // 100 + 1 for r in group) for group in (fold.tune, fold.test)
    )
    assert metrics["percentages"][0]["windows"] == pytest.approx(tuning / 2, rel=0.1)
    assert metrics["test"]["windows"] == tested


def test_share_of_the_labels_is_what_was_recorded_first():
    labels = np.array([0, 0, 1, 1, 0, 0, 1, 1, 0, 0], np.int16)
    recordings = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2], np.int32)
    values = np.zeros((400, 1), np.float32)
    signals = Signals(values, np.arange(10), 0, labels, recordings, 300)
    assert first_segments(signals, ["a", "a", "b"], 50).tolist() == [0, 1, 2, 3, 8]
    assert first_segments(signals, ["a", "a", "b"], 1).tolist() == [0, 2, 8]
    assert first_segments(signals, ["a", "b", "b"], 100).tolist() == list(range(10))


@pytest.mark.parametrize(
    "power", [0.5, *(pytest.param(p, marks=pytest.mark.slow) for p in (0.0, 1.0))]
)
def test_class_weights_are_a_power(tmp_path, monkeypatch, power):
    weights = []

    def recorded(network, batches, *arguments, **options):
        weights.append((batches.labels[batches.index], batches.classes.weights))
        return optimize(network, batches, *arguments, **options)

    module = "edgebio.tasks.feature_imitation.classifier_training"
    monkeypatch.setattr(f"{module}.optimize", recorded)
    recordings = [r for r in tiny.recordings() if r.labels[0] != 1 or r.repetition == 0]
    training = {"class_weights": power, "tune_epochs": 1}
    train(changed(training, classifier_epochs=1), tmp_path / "run", recordings)
    assert len(weights) == 3  # on true features, on predicted ones, and both networks together
    for labels, batch_weights in weights:
        counts = np.bincount(labels)
        expected = (len(labels) / (len(counts) * counts)) ** power
        np.testing.assert_allclose(batch_weights, expected, rtol=1e-6)
        assert len(set(batch_weights.round(6))) == (1 if power == 0 else 2)


def test_settings_for_new_subjects_hold_for_subjects_that_were_not_trained_on(tmp_path):
    recipe = changed({"new_subjects": NewSubjectsSettings(epochs=2)}, classifier_epochs=1)
    metrics, _ = train_fold(recipe, "all-to-one", tmp_path / "new")
    assert (metrics["new_people"], metrics["epochs"]) == (True, 2)
    metrics = train(recipe, tmp_path / "trained")
    assert (metrics["new_people"], metrics["epochs"]) == (False, 1)


def test_held_out_validation_set_stops_training_and_the_best_epoch_is_kept(tmp_path):
    training = {"epochs": 8, "learning_rate": 0.3, "patience": 1, "validation_repetitions": 1}
    metrics = train(changed(training, classifier_epochs=4), tmp_path / "run")
    assert metrics["train"]["repetitions"] == [0, 1]
    assert metrics["validation"]["repetitions"] == [2]
    losses = metrics["history"]["val_loss"]
    assert metrics["best_epoch"] == 1 + int(np.argmin(losses))
    assert len(losses) == metrics["epochs"] == min(8, metrics["best_epoch"] + 1)
    assert "val_accuracy" in metrics["history_classifier"]


def test_costs_move_the_decisions_of_all_networks(tmp_path):
    costly = tiny.recordings()[0].classes[2]
    training = {"costs": {costly: 1000.0}}
    metrics = train(changed(training, classifier_epochs=1), tmp_path / "run")
    shares = np.sum(metrics["confusion"], axis=0) / metrics["test"]["windows"]
    assert shares[2] > 0.9
    only = metrics["by_class"][2]["windows"] / metrics["test"]["windows"]
    for name in ("true", "imitated", "tuned"):
        assert metrics["percentages"][0][name] == pytest.approx(only, abs=0.1)


@pytest.mark.parametrize(
    ("training", "key"),
    [
        ({"augment": AugmentSettings(noise=0.1)}, r"training\.augment\.noise"),
        ({"normalization": "session"}, r"training\.normalization"),
        ({"pretraining": PretrainingSettings(datasets=("a",))}, r"training\.pretraining"),
        (
            {"new_subjects": NewSubjectsSettings(normalization="session")},
            r"training\.new_subjects\.normalization",
        ),
    ],
)
def test_setting_that_the_task_does_not_use_is_refused_before_training(tmp_path, training, key):
    with pytest.raises(EdgebioError, match=rf"tiny-fin: .*'feature_imitation' does not use {key}"):
        train(changed(training), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_recordings_and_settings_that_do_not_fit_are_named(tmp_path):
    with pytest.raises(EdgebioError, match="samples_per_step 7 does not divide the segment of 300"):
        train(changed(samples_per_step=7), tmp_path / "run")
    with pytest.raises(EdgebioError, match="no labeled segment of 300 samples, with 5000 samples"):
        train(changed(horizon=50), tmp_path / "run")
    incomplete = [r for r in tiny.recordings() if r.labels.max() != 1]
    missing = f"no segment of 300 samples of class '{incomplete[0].classes[1]}' among the"
    with pytest.raises(EdgebioError, match=missing):
        train(changed(), tmp_path / "run", incomplete)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (METRICS, None, "not a finished run"),
        (FRONTEND, "{}", r"frontend\.json: classes: Field required"),
        (NETWORK, "not hdf5", r"model\.h5: not the weights"),
        (CLASSIFIER, "not hdf5", r"classifier\.h5: not the weights"),
        (SEGMENTS, "not npz", r"segments\.npz: damaged"),
        (RECIPE, 'name = "x"', "its recipe has no"),
    ],
)
def test_damaged_run_is_refused_in_one_line(tmp_path, name, content, message):
    folder = tmp_path / "run"
    shutil.copytree(tiny.imitation(), folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)

    def use():
        run = ImitationRun.load(folder)
        run.imitator(), run.classifier(), run.arrays.codes

    with pytest.raises(EdgebioError, match=message) as error:
        use()
    assert "\n" not in str(error.value)


def test_settings_are_read_from_a_run():
    run = ImitationRun.load(tiny.imitation())
    assert run.recipe == tiny.IMITATION
    assert recipes.load("emg-fin").frontend.step == 50
    assert tasks.task_of_run(tiny.imitation()).name == "feature_imitation"
    assert json.loads((tiny.imitation() / METRICS).read_text())["features"] == list(
        IMITATED_FEATURES
    )


def test_run_with_old_files_and_keys_is_read(tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny.imitation(), folder)
    with np.load(folder / SEGMENTS) as file:
        names = {"calibration_predicted": "calibration_told", "predicted": "told"}
        np.savez(folder / "windows.npz", **{names.get(name, name): file[name] for name in file})
    (folder / SEGMENTS).unlink()
    (folder / "predicted.npy").rename(folder / "told.npy")
    frontend = json.loads((folder / FRONTEND).read_text())
    for new, old in (("horizon", "prediction"), ("signal_scale", "signal"),
                     ("feature_scale", "told")):  # fmt: skip
        frontend[old] = frontend.pop(new)
    (folder / FRONTEND).write_text(json.dumps(frontend))
    with pytest.warns(FutureWarning, match="told is now feature_scale"):
        score = tasks.task_of_run(folder).score(folder)
    assert score == tasks.task_of_run(tiny.imitation()).score(tiny.imitation())
