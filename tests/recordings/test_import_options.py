"""Options that a format cannot honor are refused by name."""

from typing import Any

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, load_recordings

from .files import RNG, write_edf, write_wfdb

UNSUPPORTED: dict[str, tuple[dict[str, Any], str]] = {
    "samples": ({"samples": "emg"}, "samples emg: not in {}; name its channels by --columns"),
    "labels": ({"label_column": "y"}, "labels y: not in {}; its annotations become labels"),
    "repetition": ({"repetition_column": "r"}, "repetition r: not in {}; use --repetition"),
    "subject": ({"subject_column": "name"}, "subject name: not in {}; use --subject, or {{subj"),
    "session": ({"session_column": "day"}, "session day: not in {}; use --session"),
    "rate": ({"rate_column": "fs"}, "rate fs: not in {}; the file states its rate"),
    "rest_repetition": ({"rest_repetition": 0}, "rest_repetition 0: not in {}; remove it"),
    "transposed": ({"transposed": True}, "transposed True: not in {}; remove it"),
}  # fmt: skip


@pytest.mark.parametrize("option", UNSUPPORTED)
@pytest.mark.parametrize("kind", ["edf", "bdf", "hea"])
def test_options_that_edf_and_wfdb_cannot_honor_are_refused(tmp_path, kind, option) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "hea":
        write_wfdb(tmp_path, "a", RNG.integers(-9, 9, (50, 2)), leads=("I", "II"), gain=200,
                   fmt="16", rate=360)  # fmt: skip
    else:
        write_edf(path, kind.title())
    options, message = UNSUPPORTED[option]
    with pytest.raises(EdgebioError) as caught:
        load_recordings(path, options=ImportOptions(**options))
    if (kind, option) == ("hea", "labels"):  # the suffix of its annotations
        assert str(caught.value) == f"{tmp_path / 'a.y'}: no such file"
        return
    expected = message.format("a WFDB record" if kind == "hea" else "an EDF or BDF file")
    assert str(caught.value).startswith(f"{path}: {expected}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.csv", {"samples": "emg"}, "samples emg: not in a CSV; name its channels"),
        ("a.npz", {"columns": ("C1", "C2")}, "columns C1, C2: not in an NPZ; name its array"),
        ("a.mat", {"columns": ("C1",)}, r"columns C1: not in a \.mat; name its array"),
    ],
)
def test_options_that_csv_npz_and_mat_cannot_honor_are_refused(
    tmp_path, name, options, message
) -> None:
    (tmp_path / "a.csv").write_text("1,2\n3,4\n")
    np.savez(tmp_path / "a.npz", samples=np.ones((9, 2)))
    with pytest.raises(EdgebioError, match=message):
        load_recordings(tmp_path / name, options=ImportOptions(rate=9, **options))
