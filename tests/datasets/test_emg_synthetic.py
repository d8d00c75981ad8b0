"""Synthetic EMG is reproducible, looks like EMG, and is neither trivial nor hopeless."""

import numpy as np
import pytest

from edgebio import datasets
from edgebio.datasets import emg_synthetic
from edgebio.recordings import Recording


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    return emg_synthetic.generate(["1", "2"])


def test_one_seed_gives_one_signal(recordings: list[Recording]) -> None:
    """And a subject does not depend on the others."""
    again = datasets.load("emg-synthetic", None, ["2"])
    expected = [r for r in recordings if r.subject == "2"]
    assert len(again) == len(expected) == 2 * 4 * 7
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(again, expected, strict=True))
    other = emg_synthetic.generate(["2"], repetitions=1, seed=2)
    assert not np.array_equal(other[1].samples, expected[1].samples)


def test_name_title_and_units_state_that_it_is_synthetic(recordings: list[Recording]) -> None:
    dataset = datasets.get("emg-synthetic")
    assert "synthetic" in dataset.name
    assert "synthetic" in dataset.title
    assert all("synthetic" in r.source and "synthetic" in r.units for r in recordings)


def test_amplitudes_are_those_of_an_armband(recordings: list[Recording]) -> None:
    level = {
        name: np.median([r.samples.std(axis=0).max() for r in recordings if r.labels[0] == index])
        for index, name in enumerate(recordings[0].classes)
    }
    assert 5 < level["neutral"] < 60
    for name in ("wrist flexion", "wrist extension", "power grip", "open hand"):
        assert 60 < level[name] < 1000
    assert level["pinch grip"] < level["power grip"]
    assert max(np.abs(r.samples).max() for r in recordings) < 32767  # nothing clips


def test_the_spectrum_is_that_of_surface_emg(recordings: list[Recording]) -> None:
    """Median frequency of a contraction at 40 to 180 Hz, nearly nothing near Nyquist."""
    flexion = np.concatenate([r.samples[500:2500] for r in recordings if r.labels[0] == 1], axis=1)
    power = (np.abs(np.fft.rfft(flexion, axis=0)) ** 2).sum(axis=1)
    power[:5] = 0
    frequency = np.fft.rfftfreq(2000, 1e-3)
    cumulative = np.cumsum(power) / power.sum()
    assert 40 < frequency[np.searchsorted(cumulative, 0.5)] < 180
    assert power[frequency > 450].sum() < 0.02 * power.sum()


def test_flexors_and_extensors_are_on_opposite_sides(recordings: list[Recording]) -> None:
    def center(label: int, subject: str) -> float:
        picked = [r for r in recordings if r.labels[0] == label and r.subject == subject]
        rms = np.mean([r.samples.std(axis=0) for r in picked], axis=0)
        angles = 2 * np.pi * np.arange(10) / 10
        return float(np.angle(np.sum(rms * np.exp(1j * angles))))

    for subject in ("1", "2"):
        angle = np.rad2deg(abs(center(1, subject) - center(2, subject))) % 360
        assert 100 < min(angle, 360 - angle) <= 180


def test_a_linear_classifier_is_good_but_not_perfect(recordings: list[Recording]) -> None:
    """Session 1 to session 2 of one subject, by log-RMS of 200 ms: well above 1/7, below 1."""
    lda = pytest.importorskip("sklearn.discriminant_analysis").LinearDiscriminantAnalysis()

    def features(session: str) -> tuple[np.ndarray, np.ndarray]:
        picked = [r for r in recordings if r.subject == "1" and r.session == session]
        segments = [r.samples[:3000].reshape(15, 200, 10).std(axis=1) for r in picked]
        return np.log(np.concatenate(segments)), np.repeat([r.labels[0] for r in picked], 15)

    lda.fit(*features("1"))
    assert 0.6 < lda.score(*features("2")) < 0.99
