"""Checks of a signal, and the time of a reaction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.acquisition import check_signal
from edgebio.acquisition.reaction import reaction_seconds

RATE = 1000.0


def noise(seconds: float = 2.0, channels: int = 4, rms: float = 50.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.rint(rng.normal(0, rms, (int(seconds * RATE), channels))).astype(np.int16)


def test_a_good_signal_has_no_findings() -> None:
    check = check_signal(noise(), RATE, 1000.5, at_rest=True)
    assert check.findings == ()
    assert check.usable
    assert check.quality() == ["good"] * 4


def _clipped(samples: np.ndarray) -> None:
    samples[::100, 1] = 32767


def _dead(samples: np.ndarray) -> None:
    samples[:, 1] = 7


def _equal(samples: np.ndarray) -> None:
    samples[:, 1] = samples[:, 0]


def _swapped(samples: np.ndarray) -> None:
    samples[:, 1] = -samples[:, 0]


def _mains(samples: np.ndarray) -> None:
    samples[:, 1] += np.rint(300 * np.sin(2 * np.pi * 50 * np.arange(len(samples)) / RATE)).astype(
        np.int16
    )


def _loud(samples: np.ndarray) -> None:
    samples[:, 1] *= 20


def _coarse(samples: np.ndarray) -> None:
    samples[:, 1] = samples[:, 1] // 64


@pytest.mark.parametrize(
    ("spoil", "severity", "text"),
    [
        (_clipped, "error", "channel 2 is clipped"),
        (_dead, "error", "channel 2 is dead"),
        (_equal, "error", "channels 1 and 2 are the same signal"),
        (_swapped, "error", "channels 1 and 2 are the same signal"),
        (_mains, "warning", "channel 2 is .* mains"),
        (_loud, "warning", "channel 2 is much louder"),
        (_coarse, "warning", "channel 2 uses . levels only"),
    ],
)
def test_each_fault_is_named_with_its_channel(spoil, severity, text) -> None:
    samples = noise()
    spoil(samples)
    check = check_signal(samples, RATE, at_rest=True)
    assert len(check.findings) == 1
    finding = check.findings[0]
    assert (finding.channel, finding.severity) == (1, severity)
    assert __import__("re").match(text, finding.text)
    assert check.quality()[1] == severity
    assert check.usable == (severity == "warning")


def test_a_wrong_rate_is_told() -> None:
    check = check_signal(noise(), RATE, 900.0)
    assert check.findings[0].text == "900 samples arrive in a second, not 1000"


@given(st.floats(0.05, 1.0), st.floats(1.5, 20.0), st.integers(0, 100))
def test_a_reaction_is_found_where_the_activity_changes(
    delay: float, gain: float, seed: int
) -> None:
    samples = noise(3.0, rms=20.0, seed=seed)
    at = int(RATE * (1.0 + delay))
    samples[at:] = np.rint(samples[at:] * gain)
    times = 100 + np.arange(len(samples)) / RATE
    reaction = reaction_seconds(samples, times, 101.0)
    assert reaction is not None
    assert abs(reaction - delay) < 0.05 or (gain < 2 and reaction >= 0)


def test_no_change_is_no_reaction() -> None:
    samples = noise(3.0, rms=20.0)
    times = np.arange(len(samples)) / RATE
    assert reaction_seconds(samples, times, 1.0) is None
    assert reaction_seconds(samples, times, 0.1) is None
    assert reaction_seconds(samples[:1], times[:1], 0.0) is None
