"""CSV files become counts, or the reason why not, in memory of a small multiple of their size."""

import contextlib
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, Recording, load_recording, load_recordings
from edgebio.recordings.readers import csv, text_layout


def load_csv(tmp_path: Path, content: str, **options: Any) -> Recording:
    path = tmp_path / "x.csv"
    path.write_text(content)
    return load_recording(path, options=ImportOptions(**options))


def test_whole_numbers_are_counts(tmp_path: Path) -> None:
    result = load_csv(tmp_path, "1,-2\n3,4\n", rate=200, subject="p", session="s", repetition=3)
    assert result.samples.tolist() == [[1, -2], [3, 4]]
    assert result.labels.tolist() == [-1, -1]
    assert (result.rate, result.units, result.classes) == (200, "counts", ())
    assert (result.subject, result.session, result.repetition) == ("p", "s", 3)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_names_labels_and_separators_are_recognized(tmp_path: Path, separator: str) -> None:
    content = "c,a,grip,b\n0.1,1,fist,2\n0.2,3,,4\n0.1,5,10,6\n0.4,7,9.0,8\n"
    result = load_csv(
        tmp_path,
        content.replace(",", separator),
        rate=100,
        label_column="grip",
        columns=("b", "2"),
    )
    assert result.samples.tolist() == [[2, 1], [4, 3], [6, 5], [8, 7]]
    assert result.classes == ("9", "10", "fist")
    assert result.labels.tolist() == [2, -1, 1, 0]


def test_a_label_holds_for_the_file(tmp_path: Path) -> None:
    result = load_csv(tmp_path, "1\n2\n", rate=100, label="rest")
    assert result.classes == ("rest",)
    assert result.labels.tolist() == [0, 0]


def test_decimals_need_an_lsb(tmp_path: Path) -> None:
    content = "0.5,1.0\n-0.25,0.75\n"
    with pytest.raises(EdgebioError, match=r"decimal numbers; .* --lsb 0\.25 "):
        load_csv(tmp_path, content, rate=100)
    result = load_csv(tmp_path, content, rate=100, lsb=0.25, units="mV")
    assert result.samples.tolist() == [[2, 4], [-1, 3]]
    assert result.units == "0.25 mV"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("1,2\n", {}, "does not state its rate; add --rate HZ"),
        ("1,2\n3,nan\n", {"rate": 1, "lsb": 1}, "line 2, field 2: nan; expected a finite number"),
        ("1,2\n3,inf\n", {"rate": 1}, "line 2, field 2: inf; expected a finite number"),
        ("a,b\n1,2\n3,x\n", {"rate": 1}, "line 3, field 2: 'x' is not a number"),
        ("a,b\n1,2\n3\n", {"rate": 1}, "line 3: 1 fields, expected 2"),
        ("a,b\n1,2\n3\n", {"rate": 1, "label_column": "b"}, "line 3: 1 fields, expected 2"),
        ("a,b\n", {"rate": 1}, "no line of numbers"),
        ("1,40000\n", {"rate": 1}, "line 1, field 2: 40000 does not fit a 16-bit sample"),
        ("1.5,9e9\n", {"rate": 1, "lsb": 0.5}, "line 1, field 2: 1.8e+10 does not fit a 16-bit"),
        ("a,b\n1,2\n", {"rate": 1, "label_column": "c"}, "no column 'c'; it has a, b"),
        ("1,2\n", {"rate": 1, "columns": ("3",)}, "no column '3'; it has 2 without names"),
        ("1\n2\n", {"rate": 1, "label_column": "1"}, "no column besides the labels"),
        ("1,a\n2,NaN\n", {"rate": 1, "label_column": "2"}, "line 2, field 2: NaN; expected labels"),
        ("1,2\n", {"rate": -5}, "rate -5; expected Hz above 0"),
        ("1,2\n", {"rate": float("nan")}, "rate nan; expected Hz above 0"),
    ],
)
def test_bad_files_are_refused_in_one_line(
    tmp_path: Path, content: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(EdgebioError) as caught:
        load_csv(tmp_path, content, **options)
    assert message in str(caught.value)
    assert "x.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=80), st.none() | st.sampled_from(["1", "2", "a"]))
def test_random_bytes_never_raise_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, column: str | None
) -> None:
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_bytes(content)
    with contextlib.suppress(EdgebioError):
        options = ImportOptions(rate=100, lsb=0.5, label_column=column)
        result = load_recording(path, options=options)
        assert len(result.samples) == len(result.labels) > 0


def test_a_misspelled_column_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(
        EdgebioError, match=r"no column 'gripp'; it has emg, grip .did you mean 'grip'"
    ):
        load_csv(tmp_path, "emg,grip\n1,2\n", rate=1, label_column="gripp")


@pytest.mark.parametrize(
    ("row", "options"),
    [
        ("{0}, {1}, {2}", ImportOptions(rate=9)),
        ("0.{0}; 0.{1}; 0.{2}", ImportOptions(rate=9, lsb=1e-4)),
        ("{0},{1},word {2}", ImportOptions(rate=9, label_column="3")),
        ("{0},{1},{2}", ImportOptions(rate=9)),
    ],
)
def test_memory_is_a_small_multiple_of_the_file(
    tmp_path: Path, row: str, options: ImportOptions
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,2\n")
    load_recording(path, 9)  # imports everything
    numbers = np.random.default_rng(0).integers(1000, 9999, (100_000, 3)).tolist()
    path.write_text("\n".join(row.format(*fields) for fields in numbers))
    tracemalloc.start()
    try:
        result = load_recording(path, options=options)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(result.samples) == 100_000
    assert peak < 9 * path.stat().st_size


def test_too_many_fields_and_too_many_names_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_layout, "MAX_COLUMNS", 5)
    monkeypatch.setattr(csv, "_MAX_NAMES", 9)
    (tmp_path / "a.csv").write_text("1,2,3,4,5,6\n")
    with pytest.raises(EdgebioError, match=r"a\.csv: over 5 fields"):
        load_recordings(tmp_path / "a.csv", 9)
    (tmp_path / "b.csv").write_text("".join(f"1,{k}\n" for k in range(20)))
    with pytest.raises(EdgebioError, match=r"b\.csv: .*more than 9 different names"):
        load_recordings(tmp_path / "b.csv", options=ImportOptions(rate=9, label_column="2"))
