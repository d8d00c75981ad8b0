"""The step that a message advises always works; units convert."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import CountsBuilder
from edgebio.recordings.units import unit_factor

VALUES = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 40), st.just(2)),
    elements=st.floats(-1e9, 1e9, width=32).map(lambda v: round(v, 4)),
)  # fmt: skip


def counts_of(blocks: list[npt.NDArray[Any]], lsb: float | None, **options: Any) -> CountsBuilder:
    builder = CountsBuilder("x.csv", lsb, **options)
    for block in blocks:
        builder.add(block)
    return builder


@given(st.lists(VALUES, min_size=1, max_size=4), st.sampled_from([1.0, 1000.0, 1e-6]),
       st.booleans())  # fmt: skip
def test_the_advised_step_works_for_all_blocks(
    blocks: list[npt.NDArray[Any]], factor: float, remove_offset: bool
) -> None:
    options = {"factor": factor, "remove_offset": remove_offset}
    try:
        counts_of(blocks, None, **options).values.sum()
        return
    except EdgebioError as error:
        advised = re.search(r"--lsb ([0-9.e+-]+)", str(error))
    assert advised is not None
    lsb = float(advised[1])
    counts = counts_of(blocks, lsb, **options).values.astype(float)
    whole = np.concatenate(blocks)
    if not remove_offset:
        assert np.abs(counts * lsb / factor - whole).max() <= 0.51 * lsb / factor


@given(st.integers(0, 65535 - 600), st.integers(1, 300))
def test_an_offset_is_advised_only_where_removing_it_is_enough(low: int, size: int) -> None:
    values = np.random.default_rng(size).integers(low, low + 600, (size, 2))
    try:
        counts_of([values], None).values.sum()
        return
    except EdgebioError as error:
        message = str(error)
    assert "remove the offset of each channel (--remove-offset)" in message
    counts_of([values], None, remove_offset=True).values.sum()


def test_a_range_beyond_16_bits_is_not_advised_to_remove_the_offset() -> None:
    values = np.array([[0], [70_000], [-70_000]])
    with pytest.raises(EdgebioError, match=r"give a larger step: --lsb 2\.13") as caught:
        counts_of([values], None).values.sum()
    assert "remove" not in str(caught.value)


def test_units_convert_where_one_is_a_part_of_the_other() -> None:
    path = Path("x.csv")
    assert unit_factor(path, "mV", "uV") == pytest.approx(1000)
    assert unit_factor(path, "uV", "V") == pytest.approx(1e-6)
    assert unit_factor(path, "µV", "uV") == 1
    assert unit_factor(path, None, "V") == unit_factor(path, "g", None) == 1
    with pytest.raises(EdgebioError, match="its unit is g, which V is not a part of"):
        unit_factor(path, "g", "V")
