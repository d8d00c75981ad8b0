"""Recordings are split where repetitions begin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgebio.recordings.preprocessing.repetitions import count_occurrences, split_at_repetitions

RUNS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 9)), max_size=12)


@given(RUNS)
def test_every_sample_of_a_file_with_movement_is_in_one_part(runs) -> None:
    movements = np.repeat([m for m, _, _ in runs], [n for _, _, n in runs]).astype(np.int64)
    repetitions = np.repeat([r for _, r, _ in runs], [n for _, _, n in runs]).astype(np.int64)
    parts = split_at_repetitions(movements, repetitions)
    assert bool(parts) == bool((movements > 0).any())
    edges = [0, *(end for _, end, _ in parts)]
    assert [begin for begin, _, _ in parts] == edges[: len(parts)]
    if parts:
        assert edges[-1] == len(movements)
    for begin, end, start in parts:
        assert begin <= start < end
        assert set(movements[begin:end]) - {0} == {movements[start]}


@given(RUNS)
def test_occurrences_are_counted_for_each_movement(runs) -> None:
    movements = np.repeat([m for m, _, _ in runs], [n for _, _, n in runs]).astype(np.int64)
    counts: dict[int, int] = {}
    expected = []
    for k, movement in enumerate(movements.tolist()):
        if k == 0 or movements[k - 1] != movement:
            counts[movement] = counts.get(movement, -1) + 1
        expected.append(counts[movement])
    assert count_occurrences(movements).tolist() == expected
