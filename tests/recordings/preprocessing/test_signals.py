"""Channels are selected, signals filtered and resampled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings import preprocessing

from .signals import recording


def sine(hertz, rate=360.0, n=7200):
    t = np.arange(n) / rate
    wave = np.rint(3000 * np.sin(2 * np.pi * hertz * t) + 400).astype(np.int16)
    return recording(n, rate, samples=np.stack([wave] * 3, axis=1))


def test_channels_are_kept_in_the_order_given():
    original = recording()
    (selected,) = preprocessing.select_channels([original], (3, 1))
    np.testing.assert_array_equal(selected.samples, original.samples[:, [2, 0]])
    with pytest.raises(EdgebioError, match="here: no channel 4; its 3 are numbered from 1"):
        preprocessing.select_channels([original], (4,))
    with pytest.raises(EdgebioError, match="here: no channel 0; its 3 are numbered from 1"):
        preprocessing.select_channels([original], (0, 1))


@pytest.mark.parametrize(("hertz", "passes"), [(0.05, 0.0), (5, 1.0), (20, 1.0), (120, 0.0)])
def test_the_band_keeps_what_is_in_it_without_delay(hertz, passes):
    original = sine(hertz)
    band = preprocessing.band_pass(original, 0.5, 40.0).samples[1000:-1000].astype(float)
    wave = original.samples[1000:-1000] - 400.0
    # Zero phase: the wave itself, not a later one.
    assert np.abs(band - passes * wave).max() < 0.02 * 3000
    with pytest.raises(EdgebioError, match="200 Hz is not below half of 360 Hz"):
        preprocessing.band_pass(original, 0.5, 200.0)


@given(
    st.sampled_from([(360.0, 125.0), (1000.0, 125.0), (125.0, 360.0), (360.0, 180.0)]), st.data()
)
def test_resampled_beats_keep_their_time_and_class(rates, data):
    before, after = rates
    # Beats far enough apart to stay apart.
    steps = data.draw(st.lists(st.integers(40, 300), min_size=1, max_size=12))
    beats = np.cumsum(steps).astype(np.int64)
    beats = beats[beats < 4000]
    original = recording(rate=before, beats=beats)
    moved = preprocessing.resample(original, after)
    assert moved.rate == after
    assert len(moved.samples) == len(moved.labels) == -(-4000 * after // before)
    assert moved.beats is not None
    assert np.abs(moved.beats / after - beats / before).max() <= 0.5 / min(after, before) + 1e-9
    assert moved.labels[moved.beats].tolist() == original.labels[beats].tolist()


def test_a_lower_rate_keeps_slow_waves_and_removes_fast_ones():
    slow, fast = (
        preprocessing.resample(sine(hertz), 125.0).samples[200:-200] for hertz in (5, 100)
    )
    t = (200 + np.arange(len(slow))) / 125.0
    expected = 3000 * np.sin(2 * np.pi * 5 * t) + 400
    assert np.abs(slow[:, 0] - expected).max() < 20
    assert np.abs(fast - 400.0).max() < 60
    with pytest.raises(EdgebioError, match="here: 360 Hz cannot be resampled to 0"):
        preprocessing.resample(recording(), 0.1)
