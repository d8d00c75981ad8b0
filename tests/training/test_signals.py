import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgebio.errors import EdgebioError
from edgebio.frontend import float64
from edgebio.frontend.spec import FrontendSpec
from edgebio.recipes import DataSettings
from edgebio.training.signals import (
    LARGEST,
    Signals,
    SignalScale,
    compand,
    expand,
    filter_recordings,
)
from tests import tiny

SPEC = FrontendSpec(
    segment_length=300, hop_length=2, step_frames=25, rate=1000.0, channels=10, highpass=20.0
)


def signals(horizon):
    recordings = tiny.recordings()
    filtered = filter_recordings(SPEC, recordings)
    scale = SignalScale.learn(filtered)
    return (
        recordings,
        filtered,
        scale,
        Signals.cut(SPEC, recordings, filtered, scale, DataSettings(), horizon),
    )


@given(
    arrays.arrays(np.float32, st.integers(1, 50), elements=st.floats(-LARGEST, LARGEST, width=32))
)
def test_companding_is_fine_for_small_samples(x):
    codes = compand(x)
    assert codes.dtype == np.int8
    np.testing.assert_array_equal(codes, -compand(-x))
    back = expand(codes)
    assert (np.abs(back - x) <= 0.004 + 0.026 * np.abs(x)).all()
    np.testing.assert_array_equal(compand(back), codes)
    order = np.argsort(x)
    assert (np.diff(codes[order].astype(int)) >= 0).all()


def test_codes_saturate():
    assert compand(np.array([1e9, 64.0, 0.0, -64.0, -1e9])).tolist() == [127, 127, 0, -127, -127]


def test_filter_is_that_of_the_front_end():
    recording = tiny.recordings()[0]
    for length in (1, 31, 32, 700):
        part = recording.samples[:length]
        cut = type(recording)(**{**vars(recording), "samples": part,
                                 "labels": recording.labels[:length]})  # fmt: skip
        (cut_signals,) = filter_recordings(SPEC, [cut])
        assert cut_signals.shape == part.shape
        assert cut_signals.dtype == np.float32
    expected = float64.compute_stages(SPEC, part).filter.T
    np.testing.assert_allclose(cut_signals, expected, atol=0.01)


def test_scale_standardizes_the_training_set():
    _, filtered, scale, cut_signals = signals(0)
    np.testing.assert_allclose(cut_signals.values.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(cut_signals.values.std(axis=0), 1, atol=1e-3)
    again = np.concatenate(filtered) * scale.deviation[0]
    assert SignalScale.learn([again[:100], again[100:]]).deviation[0] == pytest.approx(
        scale.deviation[0] ** 2, rel=1e-4
    )
    assert SignalScale.learn([np.zeros((5, 2), np.float32)]).deviation == (1.0, 1.0)
    with pytest.raises(EdgebioError, match="no recording has a sample"):
        SignalScale.learn([])


@pytest.mark.parametrize("horizon", [0, 150])
def test_segments_start_where_they_should(horizon):
    recordings, filtered, scale, cut_signals = signals(horizon)
    assert len(cut_signals) == sum(
        (len(r.samples) - SPEC.segment_length - horizon) // SPEC.step + 1 for r in recordings
    )
    for k in (0, len(cut_signals) // 2, len(cut_signals) - 1):
        number = cut_signals.recordings[k]
        first = cut_signals.starts[k] - sum(len(r.samples) for r in recordings[:number])
        assert 0 <= first <= len(recordings[number].samples) - SPEC.segment_length - horizon
        own = scale.standardize(filtered[number])
        segment, target = (
            own[begin : begin + SPEC.segment_length].T for begin in (first, first + horizon)
        )  # fmt: skip
        np.testing.assert_array_equal(cut_signals.segments(np.array([k]))[0], segment)
        np.testing.assert_array_equal(cut_signals.target_segments(np.array([k]))[0], target)
        assert cut_signals.labels[k] == recordings[number].labels[0]
