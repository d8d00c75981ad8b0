"""Segments at steps and at beats, and excluded artifacts."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.frontend.twin import Twin
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import UNLABELED, Recording
from edgebio.training.image_set import build_image_set
from edgebio.training.images import Images
from edgebio.training.segments import artifacts, cut_segments, segment_labels

SETTINGS = FrontendSettings(segment_length=128, hop_length=8, n_fft=64, step_frames=2, floor=16.0)
BEATS = DataSettings(segments="beats")


def recording(labels, beats=None, seed=0, **changes):
    rng = np.random.default_rng(seed)
    example = Recording(
        samples=rng.normal(0, 300, (len(labels), 2)).astype(np.int16),
        rate=360.0,
        units="counts",
        labels=np.asarray(labels, np.int16),
        classes=("a", "b", "c"),
        subject="1",
        session="1",
        repetition=0,
        source="here",
        beats=None if beats is None else np.asarray(beats, np.int64),
    )
    return dataclasses.replace(example, **changes)


@given(
    st.lists(st.integers(-1, 2), min_size=30, max_size=60),
    st.integers(1, 30),
    st.integers(1, 9),
)
def test_label_is_that_of_most_samples(labels, window, step):
    begin = np.arange(0, len(labels) - window + 1, step)
    expected = []
    for first in begin:
        part = labels[first : first + window]
        expected.append(max((-1, 0, 1, 2), key=part.count))
    assert segment_labels(recording(labels), begin, window).tolist() == expected


@given(
    st.lists(st.integers(0, 799), min_size=1, max_size=30, unique=True),
    st.sampled_from([4, 8, 16, 64]),
)
def test_segment_of_a_beat_is_the_nearest_that_a_frame_allows(places, hop):
    spec = SETTINGS.model_copy(update={"hop_length": hop})
    places = sorted(places)
    labels = np.arange(800) % 4 - 1
    frames, segment_labels, exclusions = cut_segments(recording(labels, places), spec, 1, BEATS)
    last = (800 - spec.n_fft) // hop + 1 - spec.frames
    middles = np.arange(0, last + 1) * hop + (spec.segment_length - 1) / 2
    expected = []
    for place in places:
        nearest = np.abs(middles - place).min()
        # A beat near an end of the recording has none.
        if labels[place] != UNLABELED and nearest < hop / 2:
            expected.append((place, nearest))
    assert len(frames) >= len(expected)
    offsets = {int(p): d for p, d in expected}
    own = [p for p in places if labels[p] != UNLABELED]
    for frame, label in zip(frames, segment_labels, strict=True):
        middle = frame * hop + (spec.segment_length - 1) / 2
        place = min(own, key=lambda p: abs(p - middle))
        assert abs(place - middle) <= hop / 2
        assert any(labels[p] == label and abs(p - middle) <= hop / 2 for p in own)
        assert offsets.get(place, hop / 2) == abs(place - middle)
    assert exclusions == {"of": len(frames)}


def test_images_of_beats_are_those_of_the_device():
    labels = np.repeat([0, 1, 2, 1], 300)
    beats = [100, 350, 640, 1000, 1190]  # the last is too near to the end
    recordings = [recording(labels, beats, 1), recording(labels, beats, 2)]
    images = build_image_set(SETTINGS, recordings[:1], [], recordings[1:], BEATS)
    assert images.test.labels.tolist() == [0, 1, 2, 1]
    every = Twin(
        images.spec.model_copy(update={"step_frames": 1}), images.standardization
    ).images(recordings[1].samples)  # fmt: skip
    for image, beat in zip(images.test.all(), beats, strict=False):
        first = round((beat - 63.5) / 8)
        np.testing.assert_array_equal(image, every[first])
    assert images.decisions == len(images.train) == 4


def test_recording_without_beats_is_refused():
    with pytest.raises(EdgebioError, match="here: has no beats"):
        cut_segments(recording(np.zeros(900)), SETTINGS, 1, BEATS)


def test_segments_start_every_step():
    frames, labels, _ = cut_segments(recording(np.zeros(900)), SETTINGS, 3, DataSettings())
    assert frames.tolist() == list(range(0, (900 - 64) // 8 + 1 - 8, 3))
    assert not labels.any()


def damaged():
    """Noise with a lead off at 500, clipping at 1200 and a blow at 2000."""
    samples = recording(np.zeros(3000)).samples.copy()
    samples[500:600, 1] = 7
    samples[1200:1204, 0] = samples[:, 0].max()
    samples[2000, 1] = 30000
    return recording(np.zeros(3000), samples=samples)


def test_artifacts_are_marked_where_they_are():
    begin = np.arange(0, 3000 - 128 + 1)
    marks = artifacts(damaged(), begin, 128, 6.0)
    # The wrong samples, and how many of them mark a segment.
    for name, first, end, needed in (
        ("flat", 500, 600, 90), ("clipped", 1200, 1204, 4), ("large", 2000, 2001, 1)
    ):  # fmt: skip
        inside = np.minimum(begin + 128, end) - np.maximum(begin, first)
        np.testing.assert_array_equal(marks[name], inside >= needed, name)


def test_artifacts_are_excluded_and_counted():
    example = damaged()
    whole, _, _ = cut_segments(example, SETTINGS, 1, DataSettings())
    frames, labels, exclusions = cut_segments(example, SETTINGS, 1, DataSettings(artifacts=6.0))
    assert exclusions["of"] == len(whole)
    assert all(exclusions[reason] > 0 for reason in ("flat", "clipped", "large"))
    assert len(frames) == len(labels) == 2 * len(whole) - sum(exclusions.values())
    begin = frames * SETTINGS.hop_length
    assert not ((begin <= 2000) & (begin + 128 > 2000)).any()
    learned = build_image_set(SETTINGS, [three_classes()], [], [])
    twin = Twin(learned.spec, learned.standardization)
    images = Images.cut(twin, [example], 1, DataSettings(artifacts=6.0))
    assert images.exclusions == (exclusions,)


def three_classes():
    return recording(np.repeat([0, 1, 2], 400), rate=360.0)
