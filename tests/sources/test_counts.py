"""Numbers to counts, and where they are cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgebio.sources.counts import CountScale, RunSplitter
from edgebio.sources.url import SourceUrl

RATE = 1000.0


@given(st.lists(st.booleans(), max_size=60), st.lists(st.integers(0, 59), max_size=3),
       st.integers(1, 60))  # fmt: skip
def test_every_sample_has_its_number(damaged: list[bool], lost_at: list[int], cut: int) -> None:
    """However they arrive, a finite row gets the number that it would have without a loss."""
    values = np.zeros((len(damaged), 2))
    values[np.array(damaged, bool), 1] = np.nan
    gaps = {row: (5, "lost") for row in lost_at if row < len(values)}
    splitter, numbers, next_number = RunSplitter(), {}, 0
    for start in range(0, len(values), cut):
        part = values[start : start + cut]
        own = {row - start: gap for row, gap in gaps.items() if start <= row < start + cut}
        for run in splitter.split(part, own):
            assert bool(run.lost) <= bool(run.gap)
            next_number += run.lost
            for row in range(run.start, run.end):
                numbers[start + row] = next_number
                next_number += 1
    expected = {
        row: row + sum(5 for each in gaps if each <= row)
        for row in range(len(values))
        if not damaged[row]
    }
    assert numbers == expected


def test_a_highpass_takes_away_an_offset_and_leaves_the_signal() -> None:
    scale = CountScale(0.5, 5.0, "uV")
    assert scale.count_units == "0.5 uV"
    time = np.arange(4000) / RATE
    values = (1e5 + 100 * np.sin(2 * np.pi * 80 * time))[:, None]
    scaler = scale.stream(RATE)
    pieces = [scaler.counts(values[i : i + 37]) for i in range(0, len(values), 37)]
    counts = np.concatenate(pieces)[1000:, 0].astype(float)
    assert abs(counts.mean()) < 2
    assert np.abs(counts).max() == np.clip(np.abs(counts).max(), 195, 203)


def test_what_does_not_fit_is_at_full_scale() -> None:
    scaler = CountScale(1.0, 0.0, "uV").stream(RATE)
    counts = scaler.counts(np.array([[1e9, 0.0], [-1e9, 1.4], [5.0, 6.6]]))
    assert counts.tolist() == [[32767, 0], [-32768, 1], [5, 7]]


def test_options_of_a_url() -> None:
    url = SourceUrl.parse("x://a%20b?lsb=0.25&highpass=0", {"x": None})
    assert url.place == "a b"
    scale = CountScale.from_url(url, "mV")
    assert (scale.lsb, scale.highpass, scale.count_units) == (0.25, 0.0, "0.25 mV")
