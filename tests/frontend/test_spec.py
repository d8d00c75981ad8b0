import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edgebio.frontend.spec import FrontendSettings, FrontendSpec


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("hop_length", 0, "greater than 0"),
        ("hop_length", 201, "longer than the segment"),
        ("hop_length", 16, "the nearest are 192 and 208"),
        ("step_frames", 10, "skips frames: an image has only 9"),
        ("n_fft", 48, "Input should be 32, 64, 128, 256 or 512"),
        ("segment_length", 63, "shorter than the FFT"),
        ("bins", (1, 34), "not within 0 to 33"),
        ("bins", (5, 5), "not within"),
        ("highpass", float("nan"), "finite"),
        ("highpass", 500.0, "not below half the rate"),
        ("highpass", 1e-3, "too low"),
        ("lowpass", 10.0, "not above highpass 20 Hz"),
        ("notch", 55, "Input should be 0, 50 or 60"),
        ("rate", 0, "greater than 0"),
        ("rate", 100, "notch 50 Hz is not below half the rate"),
        ("rate", float("inf"), "finite"),
        ("channels", 0, "greater than 0"),
        ("window_function", "kaiser", "hann"),
        ("n_ftt", 64, "no key 'n_ftt'.*did you mean 'n_fft'"),
        ("fft_numerics", "neon", "scalar"),
    ],
)
def test_impossible_spec_is_refused_with_its_reason(field, value, reason):
    with pytest.raises(ValidationError, match=reason):
        FrontendSpec(**{"rate": 1000, "channels": 4, "notch": 50, field: value})


@given(st.integers(0, 20), st.integers(1, 32), st.sampled_from([32, 64, 128, 256, 512]))
def test_sizes_follow_from_segment_hop_and_fft_length(extra, hop, n_fft):
    spec = FrontendSettings(
        segment_length=n_fft + extra * hop,
        hop_length=hop,
        n_fft=n_fft,
        bins=(0, n_fft // 2 + 1),
        step_frames=1,
    )
    assert spec.frames == extra + 1
    assert (spec.frames - 1) * spec.hop_length + spec.n_fft == spec.segment_length
    assert spec.n_bins == n_fft // 2 + 1


def test_spec_survives_json():
    spec = FrontendSpec(rate=1000, channels=10)
    assert FrontendSpec.model_validate_json(spec.model_dump_json()) == spec
