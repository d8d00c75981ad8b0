"""Times of samples by their arrivals."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio.sources.timeline import Timeline


@settings(max_examples=20)
@given(
    rate=st.floats(100, 4000),
    drift=st.floats(-0.005, 0.005),
    seed=st.integers(0, 1000),
)
def test_times_follow_a_clock_that_drifts_behind_jitter(
    rate: float, drift: float, seed: int
) -> None:
    """Chunks of 20 ms that arrive up to 30 ms late: the error stays below 5 ms once it runs."""
    rng = np.random.default_rng(seed)
    timeline, true_rate = Timeline(rate), rate * (1 + drift)
    count = max(1, round(0.02 * rate))
    last, errors = -np.inf, []
    for number in range(600):
        first = number * count
        true = 100.0 + np.arange(first, first + count) / true_rate
        late = rng.exponential(0.004) if number % 7 else rng.uniform(0, 0.03)
        times = timeline.times(first, count, true[-1] + late)
        assert times[0] > last
        assert (np.diff(times) > 0).all()
        last = times[-1]
        errors.append(abs(times[-1] - true[-1]))
    assert max(errors[400:]) < 0.005


def test_a_restart_forgets_the_old_clock() -> None:
    timeline = Timeline(1000.0)
    timeline.times(0, 10, 5.0)
    timeline.restart()
    assert abs(timeline.times(5000, 10, 50.0)[-1] - 50.0) < 1e-9
