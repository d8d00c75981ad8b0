"""What a job changes of recordings: classes, channels, band, rate, beats."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import recipes
from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, preparing
from edgebio.recordings.beats import with_beats


def recording(n=4000, rate=360.0, **changes):
    rng = np.random.default_rng(n)
    made = Recording(
        samples=rng.integers(-500, 500, (n, 3), np.int16),
        rate=rate,
        units="counts",
        labels=(np.arange(n) // 10 % 5 - 1).astype(np.int16),
        classes=("n", "s", "v", "q"),
        subject="1",
        session="1",
        repetition=0,
        source="here",
    )
    return dataclasses.replace(made, **changes)


def sine(hertz, rate=360.0, n=7200):
    t = np.arange(n) / rate
    wave = np.rint(3000 * np.sin(2 * np.pi * hertz * t) + 400).astype(np.int16)
    return recording(n, rate, samples=np.stack([wave] * 3, axis=1))


def test_classes_are_merged_and_others_left_out():
    made = recording()
    (merged,) = preparing.with_classes([made], {"ill": ("v", "s", "elsewhere"), "well": ("n",)})
    assert merged.classes == ("ill", "well")
    table = {-1: -1, 0: 1, 1: 0, 2: 0, 3: -1}
    assert merged.labels.tolist() == [table[label] for label in made.labels.tolist()]


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (
            {"a": ("n",), "b": ("x", "y")},
            "here: none of 'x', 'y', which make class 'b'; it",
        ),
        ({"a": ("n", "s"), "b": ("s",)}, "class 'b' takes 's', one of which is taken"),
    ],
)
def test_classes_that_cannot_be_made_are_said(classes, said):
    with pytest.raises(EdgebioError, match=said):
        preparing.with_classes([recording()], classes)


def test_channels_are_kept_in_the_order_given():
    made = recording()
    (kept,) = preparing.with_channels([made], (2, 0))
    np.testing.assert_array_equal(kept.samples, made.samples[:, [2, 0]])
    with pytest.raises(EdgebioError, match="here: no channel 3; its 3 are numbered from 0"):
        preparing.with_channels([made], (3,))


@pytest.mark.parametrize(("hertz", "passes"), [(0.05, 0.0), (5, 1.0), (20, 1.0), (120, 0.0)])
def test_the_band_keeps_what_is_in_it_where_it_is(hertz, passes):
    made = sine(hertz)
    band = preparing.band_passed(made, 0.5, 40.0).samples[1000:-1000].astype(float)
    wave = made.samples[1000:-1000] - 400.0
    # Zero phase: the wave itself, not a later one.
    assert np.abs(band - passes * wave).max() < 0.02 * 3000
    with pytest.raises(EdgebioError, match="200 Hz is not below half of 360 Hz"):
        preparing.band_passed(made, 0.5, 200.0)


@given(
    st.sampled_from([(360.0, 125.0), (1000.0, 125.0), (125.0, 360.0), (360.0, 180.0)]), st.data()
)
def test_at_another_rate_beats_keep_their_time_and_class(rates, data):
    before, after = rates
    # Beats far enough apart to stay apart.
    steps = data.draw(st.lists(st.integers(40, 300), min_size=1, max_size=12))
    beats = np.cumsum(steps).astype(np.int64)
    beats = beats[beats < 4000]
    made = recording(rate=before, beats=beats)
    moved = preparing.at_rate(made, after)
    assert moved.rate == after
    assert len(moved.samples) == len(moved.labels) == -(-4000 * after // before)
    assert moved.beats is not None
    assert np.abs(moved.beats / after - beats / before).max() <= 0.5 / min(after, before) + 1e-9
    assert moved.labels[moved.beats].tolist() == made.labels[beats].tolist()


def test_a_slow_wave_survives_a_lower_rate_and_a_fast_one_does_not():
    slow, fast = (preparing.at_rate(sine(hertz), 125.0).samples[200:-200] for hertz in (5, 100))
    t = (200 + np.arange(len(slow))) / 125.0
    expected = 3000 * np.sin(2 * np.pi * 5 * t) + 400
    assert np.abs(slow[:, 0] - expected).max() < 20
    assert np.abs(fast - 400.0).max() < 60
    with pytest.raises(EdgebioError, match="here: 360 Hz does not become 0"):
        preparing.at_rate(recording(), 0.1)


def test_annotated_beats_are_kept():
    made = recording(beats=np.array([5, 900]))
    assert with_beats([made]) == [made]


def test_beats_are_found_where_nobody_told_them(data_folder):
    """XQRS finds nearly all of record 116's annotated beats within 75 ms."""
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    from edgebio.datasets import ecg_mitbih

    (whole,) = ecg_mitbih.load(data_folder / "ecg-mitbih", "118")
    n = 60 * 360
    cut = dataclasses.replace(whole, samples=whole.samples[:n], labels=whole.labels[:n], beats=None)
    (read,) = with_beats([cut])
    assert read.beats is not None
    assert whole.beats is not None
    annotated = whole.beats[(whole.beats > 360) & (whole.beats < n - 360)]
    missed = [b for b in annotated if np.abs(read.beats - b).min() > 27]
    assert len(annotated) > 60
    assert len(missed) <= 2


def heart(rate=360.0, seconds=12, **changes):
    """A narrow peak a second on a little noise; nobody has told where."""
    n = int(rate * seconds)
    t = np.arange(n) / rate
    wave = 900 * np.exp(-(((t - 0.5) % 1 - 0.5) ** 2) / 2 / 0.012**2)
    wave += np.random.default_rng(0).normal(0, 5, n)
    samples = np.rint(np.stack([wave] * 3, axis=1)).astype(np.int16)
    return recording(n, rate, samples=samples, **changes)


def flat(name, **changes):
    """As `heart`, but its first lead is off."""
    made = heart(source=name, **changes)
    samples = made.samples.copy()
    samples[:, 0] = 7
    return dataclasses.replace(made, samples=samples)


def test_a_flat_lead_or_a_short_record_among_many_is_left_out_and_named(caplog):
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    short = recording(300, source="e")
    left = with_beats([heart(source="a"), flat("b"), flat("c"), heart(source="d"), short])
    assert [r.source for r in left] == ["a", "d"]
    for made in left:
        assert made.beats is not None
        assert len(made.beats) >= 10
        assert np.abs((made.beats / 360 + 0.5) % 1 - 0.5).max() < 0.08
    assert [r.message for r in caplog.records] == [
        "no R peak in the first channel, left out: b, c; shorter than 2 s, left out: e"
    ]


def test_a_job_goes_on_without_a_flat_record():
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    job = recipes.load("ecg-normal-abnormal")
    assert job.data.windows == "beats"
    made = job._prepared([flat("x"), heart(source="y")], job.data.rate)
    assert [r.source for r in made] == ["y"]


def test_what_has_no_label_is_not_searched(monkeypatch):
    processing = pytest.importorskip("wfdb.processing", reason="wfdb is not installed")
    blank = heart(labels=np.full(12 * 360, -1, np.int16))
    searched = []
    real = processing.xqrs_detect
    monkeypatch.setattr(
        processing, "xqrs_detect", lambda *a, **k: searched.append(1) or real(*a, **k)
    )
    slow = heart(20.0, labels=np.full(12 * 20, -1, np.int16))
    first, second, third = with_beats([blank, heart(), slow])
    assert len(searched) == 1
    assert [r.beats.tolist() for r in (first, third)] == [[], []]
    assert len(second.beats) >= 10


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([recording(300)], "here: shorter than 2 s, and no beat is found in another recording"),
        (
            [flat("x"), flat("y")],
            "x: no R peak in the first channel, and no beat",
        ),
        (
            [flat("x"), heart(labels=np.full(12 * 360, -1, np.int16))],
            "x: no R peak in the first channel, and",
        ),
        ([heart(), heart(20.0)], "here: 20 Hz; R peaks are looked for at more than 40 Hz"),
        ([heart(40.0)], "here: 40 Hz; R peaks are looked for at more than 40 Hz"),
    ],
)
def test_where_no_beat_can_be_found_it_is_said(made, said):
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    with pytest.raises(EdgebioError, match=said) as caught:
        with_beats(made)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rate", [40.5, 50.0, 125.0])
def test_beats_are_found_at_every_rate_that_is_not_refused(rate):
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    (read,) = with_beats([heart(rate)])
    assert read.beats is not None
    assert len(read.beats) >= 8
