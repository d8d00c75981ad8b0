import json
import shutil

import numpy as np
import pytest

from edgebio import protocols, recipes
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.tasks.feature_imitation import networks
from edgebio.recipes.feature_imitation import FeatureImitationSettings
from edgebio.tasks.feature_imitation import run as runs
from edgebio.tasks.stft_classifier import run
from edgebio.training.features import IMITATED_FEATURES, imitated_features
from edgebio.tasks.feature_imitation.train import first_windows
from edgebio.training.metrics import decision_metrics
from edgebio.training.signals import Signals, expand
from edgebio.tasks.stft_classifier.train import train, train_fold
from tests import tiny


def changed(recipe=tiny.IMITATION, **imitation):
    settings = recipe.feature_imitation.model_copy(update=imitation)
    quick = recipe.training.model_copy(update={"epochs": 1, "epoch_images": 640})
    return recipe.model_copy(update={"feature_imitation": settings, "training": quick})


def test_metrics_are_those_of_what_is_kept():
    found = runs.load(tiny.imitation())
    kept, metrics = found.arrays, found.metrics
    windows = found.inputs(slice(None)).astype(np.float32) / 32
    said = found.imitator()(windows, training=False).numpy().reshape(kept.told.shape)
    np.testing.assert_allclose(said, kept.told, atol=1e-4)
    probability = found.classifier()(kept.told[:, :, None], training=False).numpy()
    np.testing.assert_allclose(probability, kept.probability, atol=1e-4)
    decided = kept.probability.argmax(axis=1)
    assert metrics["accuracy"] == decision_metrics(kept.labels, decided)["accuracy"]
    assert metrics["accuracy"] > 0.35  # of seven classes; one that learned nothing has 0.14
    assert metrics["percentages"][-1]["imitated"] == metrics["accuracy"]
    assert metrics["test"]["windows"] == len(kept.labels)
    told = found.frontend.told
    residual = told.decode(kept.told).reshape(-1, 4) - kept.features.reshape(-1, 4)
    r2 = 1 - np.square(residual).mean(axis=0) / kept.features.reshape(-1, 4).var(axis=0)
    np.testing.assert_allclose([metrics["r2"][name] for name in IMITATED_FEATURES], r2, rtol=1e-6)
    assert min(metrics["r2"].values()) > 0.2


def test_features_are_those_of_the_signal_that_is_kept():
    """Codes stand for the samples within a few per cent, and so do features made of them."""
    found = runs.load(tiny.imitation())
    windows = expand(found.inputs(slice(None, None, 20))[..., 0])
    kept = found.arrays.features[::20].reshape(-1, 4)
    again = imitated_features(windows.reshape(len(kept), -1))
    np.testing.assert_allclose(again[:, 1], kept[:, 1], rtol=0.02)
    np.testing.assert_allclose(found.frontend.told.decode(found.frontend.told.encode(kept)), kept)


@pytest.mark.slow
def test_two_runs_are_the_same_bit_for_bit(tmp_path):
    train(tiny.IMITATION, tiny.recordings(), tmp_path / "run")
    for name in (run.MODEL, runs.CLASSIFIER, runs.TUNED, run.FRONTEND, runs.WINDOWS):
        assert (tmp_path / "run" / name).read_bytes() == (tiny.imitation() / name).read_bytes()


def test_windows_ahead_are_told_and_the_wearers_are_tuned_on(tmp_path):
    everybody = [*tiny.recordings("1"), *tiny.recordings("2")]
    fold = protocols.split("transfer", everybody)[0]
    recipe = changed(percentages=(50.0,), classifier_epochs=1).with_horizon(3)
    found = train_fold(recipe, fold, tmp_path / "run")
    assert found["prediction"] == runs.load(tmp_path / "run").frontend.prediction == 3
    assert (found["train"]["subjects"], found["tune"]["subjects"]) == (["2"], ["1"])
    tuned, tested = (
        sum((len(r.samples) - 600) // 100 + 1 for r in side) for side in (fold.tune, fold.test)
    )
    assert found["percentages"][0]["windows"] == pytest.approx(tuned / 2, rel=0.1)
    assert found["test"]["windows"] == tested


def test_a_share_is_what_was_recorded_first():
    labels = np.array([0, 0, 1, 1, 0, 0, 1, 1, 0, 0], np.int16)
    recordings = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2], np.int32)
    values = np.zeros((400, 1), np.float32)
    signals = Signals(values, np.arange(10), 0, labels, recordings, 300)
    assert first_windows(signals, ["a", "a", "b"], 50).tolist() == [0, 1, 2, 3, 8]
    assert first_windows(signals, ["a", "a", "b"], 1).tolist() == [0, 2, 8]
    assert first_windows(signals, ["a", "b", "b"], 100).tolist() == list(range(10))


def test_both_networks_as_one_are_the_two_behind_one_another():
    settings = tiny.IMITATION.feature_imitation
    imitating = networks.imitator(settings, 300, 4, unroll=True)
    classifying = networks.classifier(settings, 5, 4, 3, 0.1)
    windows = np.random.default_rng(0).normal(size=(2, 5, 3, 100, 1)).astype(np.float32)
    told = imitating(windows.reshape(-1, 3, 100, 1)).numpy().reshape(2, 5, 1, 4)
    both = networks.joined(imitating, classifying)
    np.testing.assert_allclose(both(windows), classifying(told), atol=1e-6)
    rolled = networks.imitator(settings, 300, 4)
    rolled.set_weights(imitating.get_weights())
    np.testing.assert_allclose(
        rolled(windows.reshape(-1, 3, 100, 1)).numpy(), told.reshape(-1, 4), atol=1e-5
    )


def test_what_cannot_be_imitated_is_said(tmp_path):
    with pytest.raises(EdgebioError, match="samples 7 does not divide the window of 300"):
        train(changed(samples=7), tiny.recordings(), tmp_path / "run")
    with pytest.raises(EdgebioError, match="no labelled window of 300 samples, with 5000 samples"):
        train(changed(prediction=50), tiny.recordings(), tmp_path / "run")
    without = [r for r in tiny.recordings() if r.labels.max() != 1]
    empty = f"no window of 300 samples of class '{without[0].classes[1]}' among the"
    with pytest.raises(EdgebioError, match=empty):
        train(changed(), without, tmp_path / "run")
    with pytest.raises(EdgebioError, match=r"tiny has no \[imitation\]"):
        tiny.RECIPE.with_horizon(1)
    short = FrontendSettings(segment_length=200)
    assert tiny.RECIPE.with_horizon(None).frontend == short


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (run.METRICS, None, "not a finished run"),
        (run.FRONTEND, "{}", r"frontend\.json: classes: Field required"),
        (run.MODEL, "not hdf5", r"model\.h5: not the weights"),
        (runs.CLASSIFIER, "not hdf5", r"classifier\.h5: not the weights"),
        (runs.WINDOWS, "not npz", r"windows\.npz: damaged"),
        (run.RECIPE, 'name = "x"', "its recipe has no"),
    ],
)
def test_a_damaged_run_is_said_in_one_line(tmp_path, name, content, said):
    folder = tmp_path / "run"
    shutil.copytree(tiny.imitation(), folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)

    def use():
        found = runs.load(folder)
        found.imitator(), found.classifier(), found.arrays.codes

    with pytest.raises(EdgebioError, match=said) as error:
        use()
    assert "\n" not in str(error.value)


def test_settings_come_back_from_a_run():
    found = runs.load(tiny.imitation())
    assert found.recipe == tiny.IMITATION
    assert recipes.load("emg-fin").feature_imitation == FeatureImitationSettings()
    assert recipes.load("emg-fin").frontend.step == 50
    assert runs.is_one(tiny.imitation())
    assert not runs.is_one(tiny.folder())
    assert json.loads((tiny.imitation() / run.METRICS).read_text())["features"] == list(IMITATED_FEATURES)
