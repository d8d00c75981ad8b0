"""Sizes as people write them."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.cli.budget import Size


@given(st.integers(1, 1 << 30))
def test_a_size_without_a_unit_is_in_bytes(size: int) -> None:
    assert Size().convert(str(size), None, None) == size


@pytest.mark.parametrize(
    ("text", "size"), [("64k", 65_536), ("64K", 65_536), ("24kB", 24_576), ("1M", 1 << 20)]
)
def test_units_of_a_size(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "k", "-1", "1.5k", "64g", "0", "many"])
def test_text_that_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a size; give for example 65536 or 64k"):
        Size().convert(text, None, None)
