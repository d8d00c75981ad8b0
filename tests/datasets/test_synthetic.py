"""The synthetic EMG is the same every time, looks like EMG, and is neither easy nor hopeless."""

import numpy as np
import pytest

from edgebio import datasets
from edgebio.datasets import synthetic
from edgebio.recordings import Recording


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    return synthetic.generate(["1", "2"])


def test_one_seed_gives_one_signal(recordings: list[Recording]) -> None:
    """And a person does not depend on who else is asked for."""
    again = datasets.load("emg-synthetic", None, ["2"])
    mine = [r for r in recordings if r.subject == "2"]
    assert len(again) == len(mine) == 2 * 4 * 7
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(again, mine, strict=True))
    other = synthetic.generate(["2"], repetitions=1, seed=2)
    assert not np.array_equal(other[1].samples, mine[1].samples)


def test_it_says_that_it_is_synthetic(recordings: list[Recording]) -> None:
    described = datasets.get("emg-synthetic")
    assert "synthetic" in described.name
    assert "synthetic" in described.title
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
    cumulated = np.cumsum(power) / power.sum()
    assert 40 < frequency[np.searchsorted(cumulated, 0.5)] < 180
    assert power[frequency > 450].sum() < 0.02 * power.sum()


def test_flexors_and_extensors_stand_on_opposite_sides(recordings: list[Recording]) -> None:
    def centre(label: int, subject: str) -> float:
        picked = [r for r in recordings if r.labels[0] == label and r.subject == subject]
        rms = np.mean([r.samples.std(axis=0) for r in picked], axis=0)
        angles = 2 * np.pi * np.arange(10) / 10
        return float(np.angle(np.sum(rms * np.exp(1j * angles))))

    for subject in ("1", "2"):
        apart = np.rad2deg(abs(centre(1, subject) - centre(2, subject))) % 360
        assert 100 < min(apart, 360 - apart) <= 180


def test_a_linear_classifier_is_good_and_not_perfect(recordings: list[Recording]) -> None:
    """Session 1 to session 2 of one person, by log-RMS of 200 ms: well above 1/7, below 1."""
    lda = pytest.importorskip("sklearn.discriminant_analysis").LinearDiscriminantAnalysis()

    def features(session: str) -> tuple[np.ndarray, np.ndarray]:
        picked = [r for r in recordings if r.subject == "1" and r.session == session]
        windows = [r.samples[:3000].reshape(15, 200, 10).std(axis=1) for r in picked]
        return np.log(np.concatenate(windows)), np.repeat([r.labels[0] for r in picked], 15)

    lda.fit(*features("1"))
    assert 0.6 < lda.score(*features("2")) < 0.99
