from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from edgebio import datasets, protocols
from edgebio.evaluation import baseline
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording
from tests import tiny

SPEC, DATA = (
    FrontendSettings(segment_length=200, hop_length=2, step_frames=25),
    DataSettings(dataset="emg-3dc"),
)
ANCHORS = {"2": 0.798, "6": 0.886, "8": 0.79, "9": 0.872, "11": 0.941, "12": 0.864}
"""Accuracy of each person, session 1 to session 2, published beside the recordings."""


def hudgins_features(part):
    """Features of one segment of one channel, by their definitions."""
    slope = np.diff(part)
    crossings = sum(part[k] * part[k + 1] < 0 and abs(slope[k]) > 10 for k in range(len(part) - 1))
    turns = sum(
        slope[k] * slope[k + 1] < 0 and max(abs(slope[k]), abs(slope[k + 1])) > 10
        for k in range(len(slope) - 1)
    )
    return np.mean(np.abs(part)), np.sum(np.abs(slope)), crossings, turns


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(2, 60), st.sampled_from([1000.0, 200.0]))
def test_features_follow_their_definitions(seed, length, rate):
    rng = np.random.default_rng(seed)
    samples = rng.normal(40, 30, (150, 2)).astype(np.int16)
    starts = np.arange(0, 150 - length + 1, 17)
    features = baseline.filtered_features(samples, rate, starts, length)
    band = signal.butter(4, (20, min(450, 0.45 * rate)), "bandpass", fs=rate, output="sos")
    filtered = signal.sosfiltfilt(band, samples - samples.mean(axis=0), axis=0)
    for row, first in enumerate(starts):
        expected = np.array(
            [hudgins_features(filtered[first : first + length, c]) for c in range(2)]
        )
        np.testing.assert_allclose(features[row], expected.T.ravel(), rtol=1e-9, atol=1e-9)


def test_published_accuracy_of_one_subject_is_reproduced(data_folder):
    recordings = datasets.load("emg-3dc", data_folder, ["11"])
    (fold,) = protocols.split("one-to-one", recordings)
    assert baseline.score(fold, SPEC, DATA)["accuracy"] == pytest.approx(ANCHORS["11"], abs=5e-4)


@pytest.mark.slow
def test_published_accuracies_are_reproduced(data_folder):
    recordings = datasets.load("emg-3dc", data_folder)
    within = {
        fold.name: baseline.score(fold, SPEC, DATA)["accuracy"]
        for fold in protocols.split("one-to-one", recordings)
    }
    assert within == pytest.approx(ANCHORS, abs=5e-4)
    across = [
        baseline.score(fold, SPEC, DATA)["accuracy"]
        for fold in protocols.split("cross-subject", recordings)
    ]
    assert np.mean(across) == pytest.approx(0.450, abs=5e-4)


def test_folds_with_a_tuning_set_are_trained_on_that_alone():
    both = [*tiny.recordings("1"), *tiny.recordings("2")]
    for own, tuned in zip(
        protocols.split("one-to-one", both), protocols.split("transfer", both), strict=True
    ):
        assert baseline.score(own, SPEC, DATA) == baseline.score(tuned, SPEC, DATA)


def test_heartbeats_are_scored_in_the_band_of_the_front_end(monkeypatch):
    rng = np.random.default_rng(1)
    beats = np.arange(100, 3900, 200)
    labels = np.full(4000, -1, np.int16)
    labels[beats] = np.arange(len(beats)) % 2
    samples = rng.integers(-50, 50, (4000, 1)).astype(np.int16)
    for beat, label in zip(beats, labels[beats], strict=True):
        samples[beat - 20 : beat + 20] += np.int16(400 * (1 + 2 * label) * np.hanning(40)[:, None])
    first = Recording(
        samples=samples, rate=360.0, units="uV", labels=labels, classes=("normal", "ventricular"),
        subject="a", session="1", repetition=0, source="a", beats=beats,
    )  # fmt: skip
    fold = protocols.Fold(
        "heart", (first,), (replace(first, subject="b", samples=samples + np.int16(1)),), "subject"
    )
    bands = []
    filtered_features = baseline.filtered_features

    def traced(samples, rate, starts, length, band):
        bands.append((band, len(starts)))
        return filtered_features(samples, rate, starts, length, band)

    monkeypatch.setattr(baseline, "filtered_features", traced)
    spec = FrontendSettings(
        segment_length=128, hop_length=8, n_fft=64, highpass=0.5, lowpass=40.0, bins=(0, 8)
    )
    data = DataSettings(dataset="ecg-mitbih", segments="beats")
    assert baseline.score(fold, spec, data)["accuracy"] == 1
    assert bands == [((0.5, 40.0), len(beats))] * 2


def test_features_go_into_cross_val_score_with_a_protocol():
    recordings = [*tiny.recordings("1"), *tiny.recordings("2")]
    X, y, groups = baseline.segment_features(recordings, SPEC, DATA)
    model = make_pipeline(
        StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3)
    )
    splitter = protocols.ProtocolSplitter("one-to-one", recordings)
    scores = cross_val_score(model, X, y, groups=groups, cv=splitter)
    assert scores.tolist() == [
        baseline.score(fold, SPEC, DATA)["accuracy"] for fold in splitter.folds
    ]
