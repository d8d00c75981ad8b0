"""R peaks are detected where no beats are annotated."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import recipes
from edgebio.errors import EdgebioError
from edgebio.recordings.preprocessing import detect_beats
from edgebio.recordings.preprocessing.beats import label_around_beats

from .signals import recording


def test_annotated_beats_are_kept():
    original = recording(beats=np.array([5, 900]))
    assert detect_beats([original]) == [original]


def test_beats_are_detected_where_none_are_annotated(data_folder):
    """XQRS finds nearly all annotated beats of record 118 within 75 ms."""
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    from edgebio.datasets import ecg_mitbih

    (whole,) = ecg_mitbih.read_subject(data_folder / "ecg-mitbih", "118")
    n = 60 * 360
    cut = dataclasses.replace(whole, samples=whole.samples[:n], labels=whole.labels[:n], beats=None)
    (result,) = detect_beats([cut])
    assert result.beats is not None
    assert whole.beats is not None
    annotated = whole.beats[(whole.beats > 360) & (whole.beats < n - 360)]
    missed = [b for b in annotated if np.abs(result.beats - b).min() > 27]
    assert len(annotated) > 60
    assert len(missed) <= 2


def ecg(rate=360.0, seconds=12, **changes):
    """A narrow peak per second on a little noise, without annotations."""
    n = int(rate * seconds)
    t = np.arange(n) / rate
    wave = 900 * np.exp(-(((t - 0.5) % 1 - 0.5) ** 2) / 2 / 0.012**2)
    wave += np.random.default_rng(0).normal(0, 5, n)
    samples = np.rint(np.stack([wave] * 3, axis=1)).astype(np.int16)
    return recording(n, rate, samples=samples, **changes)


def flat(name, **changes):
    """As `ecg`, but its first lead is off."""
    original = ecg(source=name, **changes)
    samples = original.samples.copy()
    samples[:, 0] = 7
    return dataclasses.replace(original, samples=samples)


def test_flat_and_short_records_are_left_out_and_named(caplog):
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    short = recording(300, source="e")
    remaining = detect_beats([ecg(source="a"), flat("b"), flat("c"), ecg(source="d"), short])
    assert [r.source for r in remaining] == ["a", "d"]
    for original in remaining:
        assert original.beats is not None
        assert len(original.beats) >= 10
        assert np.abs((original.beats / 360 + 0.5) % 1 - 0.5).max() < 0.08
    assert [r.message for r in caplog.records] == [
        "no R peak in the first channel, left out: b, c; shorter than 2 s, left out: e"
    ]


def test_a_recipe_skips_a_flat_record():
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    job = recipes.load("ecg-normal-abnormal")
    assert job.data.segments == "beats"
    original = job._prepare([flat("x"), ecg(source="y")], job.data.rate)
    assert [r.source for r in original] == ["y"]


def test_unlabeled_recordings_are_not_searched(monkeypatch):
    processing = pytest.importorskip("wfdb.processing", reason="wfdb is not installed")
    blank = ecg(labels=np.full(12 * 360, -1, np.int16))
    calls = []
    real = processing.xqrs_detect

    def counted(*arguments, **options):
        calls.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(processing, "xqrs_detect", counted)
    slow = ecg(20.0, labels=np.full(12 * 20, -1, np.int16))
    first, second, third = detect_beats([blank, ecg(), slow])
    assert len(calls) == 1
    assert first.beats is not None
    assert second.beats is not None
    assert third.beats is not None
    assert len(first.beats) == len(third.beats) == 0
    assert len(second.beats) >= 10


@pytest.mark.parametrize(
    ("recordings", "message"),
    [
        ([recording(300)], "here: shorter than 2 s, and no other recording has a beat"),
        (
            [flat("x"), flat("y")],
            "x: no R peak in the first channel, and no other",
        ),
        (
            [flat("x"), ecg(labels=np.full(12 * 360, -1, np.int16))],
            "x: no R peak in the first channel, and",
        ),
        (
            [ecg(), ecg(20.0)],
            "here: 20 Hz and no annotated beats; R peaks are detected ab",
        ),
        ([ecg(40.0)], "here: 40 Hz and no annotated beats; R peaks are detected above 40 Hz"),
    ],
)
def test_recordings_without_any_beat_are_refused(recordings, message):
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    with pytest.raises(EdgebioError, match=message) as caught:
        detect_beats(recordings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rate", [40.5, 50.0, 125.0])
def test_beats_are_detected_at_every_rate_that_is_not_refused(rate):
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    (result,) = detect_beats([ecg(rate)])
    assert result.beats is not None
    assert len(result.beats) >= 8


@given(st.lists(st.integers(0, 999), min_size=2, max_size=20, unique=True), st.data())
def test_a_sample_belongs_to_its_nearest_beat(beats: list[int], data: st.DataObject) -> None:
    beats = sorted(beats)
    classes = data.draw(st.lists(st.integers(0, 4), min_size=len(beats), max_size=len(beats)))
    labels = label_around_beats(np.array(beats), np.array(classes, np.int16), 1000)
    for sample in range(beats[0], beats[-1] + 1):
        distance = [abs(sample - beat) for beat in beats]
        nearest = {classes[k] for k, d in enumerate(distance) if d == min(distance)}
        assert labels[sample] in nearest
