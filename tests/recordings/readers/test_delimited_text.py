"""The fast parser agrees with the exact one, and bad text is named by line and field."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import to_counts
from edgebio.recordings.readers import delimited_text as text

counts = st.integers(-32768, 32767)


def rows(elements: st.SearchStrategy) -> st.SearchStrategy[list[list]]:
    return st.integers(1, 4).flatmap(
        lambda columns: st.lists(
            st.lists(elements, min_size=columns, max_size=columns), min_size=1, max_size=6
        )
    )


def written(table: list[list], end: str = "\n") -> bytes:
    return "".join(",".join(map(str, row)) + end for row in table).encode()


def result_or_message(parse: object, *arguments: object) -> object:
    try:
        values = parse(*arguments)  # type: ignore[operator]
    except EdgebioError as error:
        return str(error)
    return None if values is None else (values.dtype.kind, values.tolist())


@settings(deadline=None)
@given(rows(counts))
def test_whole_numbers_come_back_exactly(table: list[list[int]]) -> None:
    values = text.parse_numbers(written(table), len(table[0]), "x", "whole")
    assert values.dtype == np.int64
    assert values.tolist() == table


@settings(deadline=None)
@given(rows(st.floats(allow_nan=False, allow_infinity=False, width=32) | counts))
def test_decimals_come_back_bit_for_bit(table: list[list[float]]) -> None:
    values = text.parse_numbers(written(table), len(table[0]), "x", "any")
    assert values.tolist() == table


@given(
    st.lists(
        st.sampled_from([b"1", b"-23", b"+4", b",", b",", b"\n", b" ", b".", b"e5", b"nan", b"x",
                         b"\0", b"\xff", b"99999999999999999999", b"1_0", b"0x1", b"", b"inf"]),
        max_size=12,
    ),
    st.integers(1, 3),
    st.sampled_from(["whole", "any"]),
)  # fmt: skip
def test_the_fast_parser_never_disagrees_with_the_exact_one(
    parts: list[bytes], columns: int, kind: str
) -> None:
    body = b"".join(parts).rstrip(b"\n") + b"\n"
    whole = kind == "whole" or not any(mark in body for mark in b".eEnNiI")
    fast = text._parse_clean(body, columns, np.int64 if whole else np.float64)
    if fast is None:
        return
    exact = text._parse_fields(body, columns, "x", kind, 1)
    np.testing.assert_array_equal(fast, exact)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows(
        counts | st.floats(allow_nan=False, width=32) | st.sampled_from([" 7", "x", "1e3", "1,2"])
    ),
    st.sampled_from(["whole", "any"]),
    st.integers(1, 30),
)
def test_blocks_give_what_the_whole_text_gives(monkeypatch, table, kind, block) -> None:
    arguments = written(table), len(table[0]), "f", kind
    whole = result_or_message(text.parse_numbers, *arguments)
    with monkeypatch.context() as patched:
        patched.setattr(text, "_BLOCK", block)
        assert result_or_message(text.parse_numbers, *arguments) == whole


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1,2\n3\n", "f: line 2: 1 fields, expected 2"),
        (b"1,2\n3,4,5\n", "f: line 2: 3 fields, expected 2"),
        (b"1,2\n\n3,4\n", "f: line 2: 1 fields, expected 2"),
        (b"1,2\n3,\n", "f: line 2, field 2: '' is not a whole number"),
        (b"1,2\n3,nan\n", "f: line 2, field 2: 'nan' is not a whole number"),
        (b"1,2.5\n", "f: line 1, field 2: '2.5' is not a whole number"),
        (b"1,\xff\xfe\n", "f: line 1, field 2: '\ufffd\ufffd' is not a whole number"),
    ],
)
def test_bad_rows_are_named(body: bytes, message: str) -> None:
    with pytest.raises(EdgebioError) as caught:
        text.parse_numbers(body, 2, "f", "whole")
    assert str(caught.value) == message


def test_counts_of_more_than_16_bits_are_named() -> None:
    values = text.parse_numbers(b"1,2\n3,32768\n-32769,1\n", 2, "f", "whole")
    with pytest.raises(EdgebioError, match=r"f: line 2, field 2: 32768 does not fit a 16-bit"):
        to_counts(values, text.line_locator("f"))
    huge = text.parse_numbers(
        b"1,999999999999999999999999\n".replace(b"9" * 24, b"9" * 18), 2, "f", "any"
    )
    with pytest.raises(EdgebioError, match="line 1, field 2"):
        to_counts(huge, text.line_locator("f"))


def test_line_endings_and_byte_order_mark_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf1,2\r\n3,4")
    assert text.read_text(path) == b"1,2\n3,4\n"


def test_missing_empty_and_large_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EdgebioError, match=r"none\.csv: no such file"):
        text.read_text(tmp_path / "none.csv")
    with pytest.raises(EdgebioError, match="Is a directory"):
        text.read_text(tmp_path)
    (tmp_path / "empty.csv").write_bytes(b"\n\n")
    with pytest.raises(EdgebioError, match="empty; expected one line per sample"):
        text.read_text(tmp_path / "empty.csv")
    monkeypatch.setattr(text, "MAX_BYTES", 10)
    (tmp_path / "large.csv").write_bytes(b"1\n" * 10)
    with pytest.raises(EdgebioError, match="20 bytes; a text file may have up to 10"):
        text.read_text(tmp_path / "large.csv")
