"""The fast parser is a short cut of the exact one, and bad text is named by line and field."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings import files, plain, text
from edgebio.recordings.layout import Layout

counts = st.integers(-32768, 32767)


def rows(elements: st.SearchStrategy) -> st.SearchStrategy[list[list]]:
    return st.integers(1, 4).flatmap(
        lambda columns: st.lists(
            st.lists(elements, min_size=columns, max_size=columns), min_size=1, max_size=6
        )
    )


def written(table: list[list], end: str = "\n") -> bytes:
    return "".join(",".join(map(str, row)) + end for row in table).encode()


def outcome(parse: object, *arguments: object) -> object:
    try:
        values = parse(*arguments)  # type: ignore[operator]
    except EdgebioError as error:
        return str(error)
    return None if values is None else (values.dtype.kind, values.tolist())


@settings(deadline=None)
@given(rows(counts))
def test_whole_numbers_come_back(table: list[list[int]]) -> None:
    values = text.numbers(written(table), len(table[0]), "x", "whole")
    assert values.dtype == np.int64
    assert values.tolist() == table


@settings(deadline=None)
@given(rows(st.floats(allow_nan=False, allow_infinity=False, width=32) | counts))
def test_decimals_come_back_to_the_bit(table: list[list[float]]) -> None:
    values = text.numbers(written(table), len(table[0]), "x", "any")
    assert values.tolist() == table


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"1", b"-23", b"+4", b",", b",", b"\n", b" ", b".", b"e5", b"nan", b"x",
                         b"\0", b"\xff", b"99999999999999999999", b"1_0", b"0x1", b"", b"inf"]),
        max_size=12,
    ),
    st.integers(1, 3),
    st.sampled_from(["whole", "any"]),
)  # fmt: skip
def test_the_short_cut_never_disagrees(parts: list[bytes], columns: int, kind: str) -> None:
    body = b"".join(parts).rstrip(b"\n") + b"\n"
    whole = kind == "whole" or not any(mark in body for mark in b".eEnNiI")
    fast = text._fast(body, columns, np.int64 if whole else np.float64)
    if fast is None:
        return
    exact = text._exact(body, columns, "x", kind, 1)
    np.testing.assert_array_equal(fast, exact)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows(
        counts | st.floats(allow_nan=False, width=32) | st.sampled_from([" 7", "x", "1e3", "1,2"])
    ),
    st.sampled_from(["whole", "any"]),
    st.integers(1, 30),
)
def test_blocks_say_what_the_whole_text_says(monkeypatch, table, kind, block) -> None:
    arguments = written(table), len(table[0]), "f", kind
    whole = outcome(text.numbers, *arguments)
    with monkeypatch.context() as patched:
        patched.setattr(text, "_BLOCK", block)
        assert outcome(text.numbers, *arguments) == whole


@pytest.mark.parametrize(
    ("row", "layout"),
    [
        ("{0}, {1}, {2}", Layout(rate=9)),
        ("0.{0}; 0.{1}; 0.{2}", Layout(rate=9, lsb=1e-4)),
        ("{0},{1},word {2}", Layout(rate=9, label_column="3")),
        ("{0},{1},{2}", Layout(rate=9)),
    ],
)
def test_memory_is_a_small_multiple_of_the_file(tmp_path: Path, row: str, layout: Layout) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,2\n")
    files.read(path, Layout(rate=9))  # so that all is imported
    numbers = np.random.default_rng(0).integers(1000, 9999, (200_000, 3)).tolist()
    path.write_text("\n".join(row.format(*fields) for fields in numbers))
    tracemalloc.start()
    try:
        (read,) = files.read(path, layout)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(read.samples) == 200_000
    assert peak < 9 * path.stat().st_size


def test_lines_of_too_many_fields_and_columns_of_too_many_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_MOST_COLUMNS", 5)
    monkeypatch.setattr(plain, "_MOST_WORDS", 9)
    (tmp_path / "a.csv").write_text("1,2,3,4,5,6\n")
    with pytest.raises(EdgebioError, match=r"a\.csv: line 1: over 5 fields"):
        files.read(tmp_path / "a.csv", Layout(rate=9))
    (tmp_path / "b.csv").write_text("".join(f"1,{k}\n" for k in range(20)))
    with pytest.raises(EdgebioError, match=r"b\.csv: .*more than 9 different words"):
        files.read(tmp_path / "b.csv", Layout(rate=9, label_column="2"))


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
        text.numbers(body, 2, "f", "whole")
    assert str(caught.value) == message


def test_counts_of_more_than_16_bits_are_named() -> None:
    values = text.numbers(b"1,2\n3,32768\n-32769,1\n", 2, "f", "whole")
    with pytest.raises(EdgebioError, match=r"f: line 2, field 2: 32768 does not fit a 16-bit"):
        text.to_counts(values, text.in_text("f"))
    huge = text.numbers(
        b"1,999999999999999999999999\n".replace(b"9" * 24, b"9" * 18), 2, "f", "any"
    )
    with pytest.raises(EdgebioError, match="line 1, field 2"):
        text.to_counts(huge, text.in_text("f"))


def test_line_endings_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf1,2\r\n3,4")
    assert text.read(path) == b"1,2\n3,4\n"


def test_missing_empty_and_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EdgebioError, match=r"none\.csv: no such file"):
        text.read(tmp_path / "none.csv")
    with pytest.raises(EdgebioError, match="Is a directory"):
        text.read(tmp_path)
    (tmp_path / "empty.csv").write_bytes(b"\n\n")
    with pytest.raises(EdgebioError, match="empty; expected one line a sample"):
        text.read(tmp_path / "empty.csv")
    monkeypatch.setattr(text, "MOST_BYTES", 10)
    (tmp_path / "large.csv").write_bytes(b"1\n" * 10)
    with pytest.raises(EdgebioError, match="20 bytes; text of up to 10 is read"):
        text.read(tmp_path / "large.csv")
