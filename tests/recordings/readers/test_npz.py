"""NPZ files of other programs: arrays by name, no pickles, no memory for what is not there."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, Recording, load_recording, load_recordings


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "r.npz"
    np.savez(path, samples=np.array([[1, "x"], [None, 2]], dtype=object))
    with pytest.raises(EdgebioError, match="samples is object of shape"):
        load_recordings(path, 100)


def test_size_is_checked_before_memory_is_allocated(tmp_path: Path) -> None:
    """A few bytes that claim 8 TB."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i2", "fortran_order": False, "shape": (1 << 40, 4)}
    )
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("samples.npy", header.getvalue())
    with pytest.raises(EdgebioError, match="array samples is 8,796,093,022,208 bytes; up to"):
        load_recordings(path, 100)


def load_npz(tmp_path: Path, arrays: dict[str, object], **options: Any) -> Recording:
    path = tmp_path / "x.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return load_recording(path, options=ImportOptions(**options))


def test_arrays_become_a_recording(tmp_path: Path) -> None:
    counts = np.array([[1, 2], [3, 4], [5, 6]])
    arrays = {"emg": counts.astype(np.float32), "rate": 250, "y": np.array(["b", "a", "b"])}
    result = load_npz(tmp_path, arrays, label_column="y")
    assert result.samples.tolist() == counts.tolist()
    assert (result.rate, result.classes, result.labels.tolist()) == (250, ("a", "b"), [1, 0, 1])
    scaled = load_npz(tmp_path, {"samples": counts / 8, "other": counts}, rate=9, lsb=0.125)
    assert scaled.samples.tolist() == counts.tolist()


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"a": np.zeros((3, 2)), "b": np.zeros((3, 2))}, {"rate": 1}, "or a single 2-D array"),
        ({"a": np.zeros(3)}, {"rate": 1}, "or a single 2-D array"),
        ({"a": np.zeros((0, 2))}, {"rate": 1}, "no samples"),
        ({"a": np.full((3, 2), np.nan)}, {"rate": 1, "lsb": 1}, "sample 0, channel 1: nan"),
        ({"a": np.full((3, 2), 0.5)}, {"rate": 1}, "decimal numbers"),
        ({"a": np.full((3, 2), 70000)}, {"rate": 1}, "sample 0, channel 1: 70000 does not fit"),
        ({"a": np.zeros((3, 2), complex)}, {"rate": 1}, "expected 2 dimensions of numbers"),
        ({"a": np.zeros((3, 2), int)}, {}, "does not state its rate"),
        ({"a": np.zeros((3, 2), int)}, {"rate": 1, "label_column": "y"}, "no array 'y'"),
        (
            {"a": np.zeros((3, 2), int), "y": np.zeros(2, int)},
            {"rate": 1, "label_column": "y"},
            "2 labels for 3 samples",
        ),
    ],
)
def test_a_bad_npz_is_refused_in_one_line(
    tmp_path: Path, arrays: dict[str, object], options: dict[str, object], message: str
) -> None:
    with pytest.raises(EdgebioError) as caught:
        load_npz(tmp_path, arrays, **options)
    assert message in str(caught.value)
    assert "x.npz" in str(caught.value)
