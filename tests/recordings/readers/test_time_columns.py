"""Columns that time or count samples are found, give the rate, and show what is lost."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings.readers.time_columns import (
    TimeColumn,
    check_rate,
    find_time_columns,
    measure_timing,
)

PATH = Path("x.csv")


def test_columns_are_found_by_name_and_by_content() -> None:
    signal = np.random.default_rng(0).normal(size=(100, 1))
    time, counter = np.arange(100)[:, None] / 200, np.arange(100.0)[:, None] % 16
    values = np.hstack([time, counter, signal])
    named = find_time_columns(("Time (s)", "Sample Index", "emg"), ("s", "", ""), values)
    assert named == [TimeColumn(0, "time", 1.0), TimeColumn(1, "counter")]
    assert find_time_columns((), (), values)[0] == TimeColumn(0, "time", 1.0)
    assert find_time_columns(("a", "b", "c"), ("", "", ""), values) == []  # names of signals


@given(st.sampled_from([200.0, 250.0, 1000.0, 1925.926, 2048.0]), st.integers(3, 6),
       st.sets(st.integers(20, 480), max_size=3), st.integers(1, 40))  # fmt: skip
def test_the_rate_and_the_gaps_come_from_the_times(
    rate: float, digits: int, places: set[int], size: int
) -> None:
    sent = np.arange(600)
    lost = np.zeros(600, bool)
    for place in places:
        lost[place : place + size] = True
    received = sent[~lost]
    times = np.round(received / rate, max(digits, 4)).astype(np.float64)
    timing = measure_timing(PATH, [TimeColumn(0, "time", 1.0)], [times])
    assert timing.rate == pytest.approx(rate, rel=2e-3)
    assert int(timing.lost.sum()) == int(lost.sum())
    assert (received[timing.gaps] - received[timing.gaps - 1] > 1).all()


@given(st.sampled_from([16, 256, 65536]), st.integers(100, 400), st.integers(1, 10))
def test_a_counter_that_wraps_shows_what_is_lost(wrap: int, place: int, size: int) -> None:
    numbers = np.delete(np.arange(600), np.arange(place, place + size)) % wrap
    timing = measure_timing(PATH, [TimeColumn(0, "counter")], [numbers.astype(float)])
    assert timing.rate is None
    assert int(timing.lost.sum()) == size
    assert timing.gaps.tolist() == [place]


def test_a_rate_that_the_times_contradict_is_refused() -> None:
    timing = measure_timing(PATH, [TimeColumn(0, "time", 1e-3)], [np.arange(0.0, 100, 2)])
    check_rate(PATH, 500.0, timing)
    with pytest.raises(EdgebioError, match="those of 500 Hz, not 1000 Hz"):
        check_rate(PATH, 1000.0, timing)


def test_times_that_go_back_are_refused() -> None:
    times = np.array([0, 0.1, 0.2, 0.05, 0.15, 0.25])
    with pytest.raises(EdgebioError, match="sample 3: its time is before"):
        measure_timing(PATH, [TimeColumn(0, "time", 1.0)], [times])


@pytest.mark.parametrize(
    ("step", "rate"),
    [(0.001, 1000), (0.05, 20), (0.5, 2000), (2, 500), (50, 20), (1000, 1000), (500, 2000),
     (1_000_000, 1000)],
)  # fmt: skip
@pytest.mark.parametrize("start", [0.0, 2e9])
def test_times_without_a_unit_are_those_of_a_signal(start: float, step: float, rate: float) -> None:
    noise = np.random.default_rng(0).normal(size=100)
    values = np.stack([start + np.arange(100) * step, noise], axis=1)
    columns = find_time_columns(("time", "emg"), ("", ""), values)
    timing = measure_timing(PATH, columns, [values[:, 0]])
    assert timing.rate == pytest.approx(rate)


def test_times_that_begin_again_are_no_gap() -> None:
    times = np.tile(np.arange(100) / 500, 3)
    timing = measure_timing(PATH, [TimeColumn(0, "time", 1.0)], [times])
    assert timing.rate == 500
    assert timing.restarts.tolist() == [100, 200]
    assert not len(timing.gaps)
