"""How far the signals of a training set go, and the volts of its counts."""

from decimal import Decimal

import numpy as np

from edgebio.recordings import Recording
from edgebio.tasks.signal_scale import signal_scale


def test_peak_is_that_of_the_largest_recording_without_offset_and_outliers() -> None:
    random = np.random.default_rng(4)
    small = random.integers(-50, 51, (5000, 2)) + np.array([3000, -7000])
    large = random.integers(-400, 401, (5000, 2))
    large[17] = 30_000  # a spike is no part of the signal
    recordings = [
        Recording.from_array(values.astype(np.int16), 1000, units="0.5 uV", labels=0, classes=["a"])
        for values in (small, large)
    ]
    scale = signal_scale(recordings)
    assert scale.volts_per_count == Decimal("5e-7")
    assert scale.peak is not None
    assert 395 <= scale.peak <= 410


def test_counts_have_no_volts() -> None:
    recording = Recording.from_array(np.full((10, 1), 7, np.int16), 100)
    assert signal_scale([recording]).model_dump() == {"volts_per_count": None, "peak": 0}
