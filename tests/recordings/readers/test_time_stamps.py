"""Time stamps as text are what Python's datetime reads, whatever their zone."""

from datetime import datetime, timedelta, timezone

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgebio.recordings.readers.time_stamps import TimeStamps, are_time_stamps

STARTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1))
STEPS = st.lists(st.integers(1, 10**9), min_size=1, max_size=20)  # microseconds


@given(STARTS, STEPS, st.integers(-720, 720), st.sampled_from("T "))
def test_iso_8601_with_a_zone(start: datetime, steps: list[int], minutes: int, gap: str) -> None:
    zone = timezone(timedelta(minutes=minutes))
    times = [start.replace(tzinfo=zone) + timedelta(microseconds=int(t)) for t in np.cumsum(steps)]
    seconds = TimeStamps().parse_all([t.isoformat(sep=gap) for t in times])
    expected = [(t - times[0]).total_seconds() for t in times]
    np.testing.assert_allclose(seconds - seconds[0], expected, atol=1e-6)


@given(STARTS, STEPS, st.sampled_from(["%H:%M:%S.%f", "%d/%m/%Y %H:%M:%S.%f", "%I:%M:%S.%f %p"]))
def test_times_of_day_go_on_over_midnight(start: datetime, steps: list[int], form: str) -> None:
    times = [start + timedelta(microseconds=int(t)) for t in np.cumsum(steps)]
    seconds = TimeStamps().parse_all([t.strftime(form) for t in times])
    expected = [(t - times[0]).total_seconds() for t in times]
    np.testing.assert_allclose(seconds - seconds[0], expected, atol=1e-6)


def test_a_change_of_zone_is_no_gap() -> None:
    texts = ["2024-03-31T01:59:59.999+01:00", "2024-03-31T03:00:00.001+02:00"]
    assert np.isclose(np.diff(TimeStamps().parse_all(texts))[0], 0.002)


@given(st.text(max_size=30))
def test_other_text_is_no_time(text: str) -> None:
    seconds = TimeStamps().parse(text)
    assert np.isnan(seconds) or any(c.isdigit() for c in text)


def test_no_texts_are_no_time_stamps() -> None:
    assert not are_time_stamps([])
    assert not are_time_stamps(["10:00:00", "rest"])
    assert not are_time_stamps(["2024-13-01 10:00:00"])
