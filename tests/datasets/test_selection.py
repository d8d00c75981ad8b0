"""Recordings as the command line names them."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import datasets
from edgebio.datasets.selection import select
from edgebio.errors import EdgebioError
from edgebio.recordings import Recording


def recording(session: str, repetition: int) -> Recording:
    return Recording(
        np.zeros((5, 2), np.int16), 100.0, "counts", np.zeros(5, np.int16), ("a",), "3", session,
        repetition, f"{session}-{repetition}",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def two_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, root: Path | None, subjects: list[str]) -> list[Recording]:
        assert (name, root, subjects) == ("some-set", Path("/data"), ["3"])
        return [recording(session, n) for session in ("1", "2") for n in range(2)]

    monkeypatch.setattr(datasets, "load", load)


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("some-set:3", ["1-0", "1-1", "2-0", "2-1"]),
        ("some-set:3:2", ["2-0", "2-1"]),
        ("some-set:3:2:1", ["2-1"]),
    ],
)
def test_a_part_of_a_data_set_is_selected(text: str, sources: list[str]) -> None:
    assert [r.source for r in select(text, Path("/data"))] == sources


def test_missing_sessions_and_repetitions_are_refused() -> None:
    with pytest.raises(EdgebioError, match="some-set: subject 3 has no session '7', only 1, 2"):
        select("some-set:3:7", Path("/data"))
    with pytest.raises(EdgebioError, match="session 2, has no repetition '9', only 0, 1"):
        select("some-set:3:2:9", Path("/data"))


@pytest.mark.parametrize(
    "text", ["some-set", "some-set:", "some-set:3:", "some-set::2", "a:b:c:d:e"]
)
def test_a_malformed_selection_is_refused(text: str) -> None:
    with pytest.raises(EdgebioError, match=r"expected a \.csv or \.npz file, dataset:subject"):
        select(text, Path("/data"))


def test_a_file_is_selected(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    np.savetxt(path, np.arange(12).reshape(6, 2), fmt="%d", delimiter=",")
    [selected] = select(str(path), rate=250.0)
    assert selected.samples.tolist() == np.arange(12).reshape(6, 2).tolist()
    assert selected.rate == 250
