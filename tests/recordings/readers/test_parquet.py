"""Parquet is read as pandas wrote it, or refused with what to install."""

import sys
from pathlib import Path

import numpy as np
import pytest

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings import ImportOptions, load_recordings


def test_without_pyarrow_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingToolError, match=r"x\.parquet needs: pip install 'edgebio.parquet.'"):
        load_recordings(tmp_path / "x.parquet")


def test_numbers_labels_times_and_missing_values(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the package pyarrow is not installed")
    pandas = pytest.importorskip("pandas")
    samples = np.random.default_rng(0).integers(-99, 99, (300, 2))
    frame = pandas.DataFrame(samples, columns=["a (mV)", "b (mV)"]).astype("Int64")
    frame["label"] = pandas.Categorical(np.repeat(["rest", "fist", "rest"], 100))
    frame["time"] = pandas.date_range("2024-03-01T23:59:59.8", periods=300, freq="1ms", tz="UTC")
    frame.to_parquet(tmp_path / "x.parquet")
    recordings = load_recordings(tmp_path / "x.parquet", options=ImportOptions(repetitions="runs"))
    assert [r.classes[r.labels[0]] for r in recordings] == ["rest", "fist", "rest"]
    assert recordings[0].rate == 1000
    assert recordings[0].units == "mV"
    np.testing.assert_array_equal(np.concatenate([r.samples for r in recordings]), samples)
    frame.loc[7, "b (mV)"] = None
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(EdgebioError, match="row 8, field 2: nan"):
        load_recordings(tmp_path / "x.parquet")


def test_lists_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the package pyarrow is not installed")
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"emg": [[1, 2], [3, 4]]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(EdgebioError, match="column emg holds lists"):
        load_recordings(tmp_path / "x.parquet")
