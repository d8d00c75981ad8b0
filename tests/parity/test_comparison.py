import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgebio.parity.comparison import Part, Rung, compare_exactly, exact_rung, merge_parts

CUBE = arrays.arrays(np.int8, (3, 4, 5))


@given(CUBE, CUBE)
def test_counts_and_the_largest_difference_match_numpy(expected, measured):
    part = compare_exactly("log", expected, measured, ("frame", "channel", "bin"))
    assert part.compared == 60
    assert part.differing == (expected != measured).sum()
    assert part.worst == np.abs(expected.astype(int) - measured.astype(int)).max()
    assert bool(part.first) == bool(part.differing)


@given(st.integers(0, 2), st.integers(0, 3), st.integers(0, 4))
def test_first_difference_is_located_by_stage_and_index(frame, channel, bin_):
    expected = np.zeros((3, 4, 5), np.int16)
    measured = expected.copy()
    measured[frame, channel, bin_] = -7
    part = compare_exactly("log", expected, measured, ("frame", "channel", "bin"), "file.txt, ")
    assert part.first == (
        f"log: file.txt, frame {frame}, channel {channel + 1}, bin {bin_}: -7 instead of 0"
    )


def test_other_shape_is_a_difference():
    part = compare_exactly("log", np.zeros((2, 3), int), np.zeros((2, 2), int), ("frame", "bin"))
    assert part.differing == 6
    assert "(2, 2) values where (2, 3) were expected" in part.first


def test_rung_without_values_fails():
    assert exact_rung(2, "x", []).ok is False
    assert exact_rung(2, "x", [Part("log", 5)]).ok is True
    assert exact_rung(2, "x", [Part("log", 5), Part("image", 5, 1, 1, "here")]).ok is False


def test_parts_of_one_name_add_up_with_the_lowest_snr():
    total = merge_parts([Part("a", 1, snr_db=50.0), Part("b", 2), Part("a", 3, 1, 9, "x", 40.0)])
    assert total == [Part("a", 4, 1, 9, "x", 40.0), Part("b", 2)]


@pytest.mark.parametrize("ratio", [float("inf"), 41.234])
def test_rung_is_valid_json(ratio):
    rung = Rung(1, "x", (Part("a", 1, snr_db=ratio),), True)
    document = json.loads(json.dumps(rung.document(), allow_nan=False))
    assert document["snr_db"] == (None if ratio == float("inf") else 41.23)
