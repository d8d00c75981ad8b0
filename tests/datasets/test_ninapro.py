"""Ninapro: MATLAB 5 and 7.3 are read alike, damage is named, noise refused."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import datasets
from edgebio.errors import EdgebioError
from edgebio.recordings.readers import mat

from ..recordings.files import ninapro_matrices, write_mat

SETS = {  # name: file, channels, number that is one count
    "ninapro-db1": ("S3_A1_E2.mat", 10, 5 / 32767),
    "ninapro-db2": ("S3_E2_A1.mat", 12, 5e-7),
    "ninapro-db3": ("S3_A1_E2.mat", 12, 5e-7),
    "ninapro-db5": ("S3_E2_A1.mat", 16, 1.0),
    "ninapro-db7": ("S3_E2_A1.mat", 12, 5e-7),
}


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize("name", SETS)
def test_repetitions_become_recordings(tmp_path: Path, name: str, version: str) -> None:
    file, channels, lsb = SETS[name]
    content = ninapro_matrices(channels, lsb)
    write_mat(tmp_path / name / "s3" / file, content, version)
    result = datasets.load(name, tmp_path)
    first = datasets.get(name).classes.index("E2 movement 1")
    assert [(r.repetition, sorted(set(r.labels.tolist()))) for r in result] == [
        (repetition, [0, first + movement]) for movement in (0, 1) for repetition in (0, 1)
    ]
    assert [len(r.samples) for r in result] == [70, 60, 60, 60]
    joined = np.concatenate([r.samples for r in result])
    np.testing.assert_array_equal(joined, np.rint(content["emg"] / lsb))
    assert {r.subject for r in result} == {"3"}
    assert datasets.get(name).computed is False


def test_movements_numbered_on_from_the_exercise_before_are_the_same(tmp_path: Path) -> None:
    """Numbers 18 and 19 in exercise 2, after the 17 of exercise 1."""
    folder = tmp_path / "ninapro-db2"
    write_mat(folder / "S3_E2_A1.mat", ninapro_matrices(12, 5e-7))
    plain = datasets.load("ninapro-db2", tmp_path)
    write_mat(folder / "S3_E2_A1.mat", ninapro_matrices(12, 5e-7, offset=17))
    counted = datasets.load("ninapro-db2", tmp_path)
    assert [r.labels.tolist() for r in plain] == [r.labels.tolist() for r in counted]


def test_subjects_with_fewer_channels_are_loaded_when_named(tmp_path: Path) -> None:
    content = ninapro_matrices(10, 5e-7) | {"subject": np.array([[6]])}
    write_mat(tmp_path / "ninapro-db3" / "S6_E2_A1.mat", content)
    with pytest.raises(EdgebioError, match="no recordings of ninapro-db3"):
        datasets.load("ninapro-db3", tmp_path)
    assert datasets.load("ninapro-db3", tmp_path, ["6"])[0].channels == 10


def without(name):
    return lambda content: {k: v for k, v in content.items() if k != name}


def replaced(**arrays):
    return lambda content: content | arrays


def broken(name, row, value):
    def change(content):
        values = np.array(content[name], np.float64)
        values[row, 0] = value
        return content | {name: values}

    return change


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("rerepetition"), "no rerepetition; it holds"),
        (replaced(emg=np.zeros((250, 9))), "emg is 250 x 9; expected a matrix of 12 columns"),
        (replaced(restimulus=np.zeros((9, 1))), "restimulus has 9 rows, emg 250"),
        (replaced(restimulus=np.zeros((250, 2))), "restimulus is 250 x 2; expected"),
        (replaced(subject=np.array([[4]])), "subject is .4.*; the file name says 3"),
        (replaced(exercise=np.array([[1]])), "exercise is .1.*; the file name says 2"),
        (broken("emg", 7, np.nan), "emg row 8, column 1: nan; expected a finite number"),
        (broken("emg", 7, 1.0), "emg row 8, column 1: 2e[+]06 does not fit a 16-bit sample"),
        (broken("restimulus", 7, np.nan), "restimulus has values other than whole"),
        (broken("restimulus", 7, 99), "restimulus is not within 0 to 23"),
        (broken("restimulus", 7, -1), "restimulus is not within 0 to 23"),
    ],
)  # fmt: skip
def test_damage_is_reported_in_one_line_with_file_and_field(
    tmp_path, version, change, message
) -> None:
    path = tmp_path / "ninapro-db2" / "S3_E2_A1.mat"
    write_mat(path, change(ninapro_matrices(12, 5e-7)), version)
    with pytest.raises(EdgebioError, match=message) as caught:
        datasets.load("ninapro-db2", tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cut or not a MATLAB 5 file"),
        (b"MATLAB 5.0 MAT-file".ljust(600), "cut or not a MATLAB 5 file"),
        (b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(99), "a MATLAB 7.3 file"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message) -> None:
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(EdgebioError, match=message):
        mat.read_matrices(tmp_path / "a.mat", {"emg": 12})


def test_text_cells_and_links_are_refused(tmp_path) -> None:
    from scipy.io import savemat

    cells = np.empty((2, 2), object)
    cells[:] = 1.0
    savemat(tmp_path / "a.mat", {"cells": cells, "names": "abc"})
    with pytest.raises(EdgebioError, match="cells is cell; expected numbers"):
        mat.read_matrices(tmp_path / "a.mat", {"cells": 2})
    with pytest.raises(EdgebioError, match="names is char; expected numbers"):
        mat.read_matrices(tmp_path / "a.mat", {"names": 3})
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    np.zeros(80).tofile(tmp_path / "elsewhere")
    with h5py.File(tmp_path / "b.mat", "w") as file:
        file.create_dataset("emg", (10, 8), "f8", external=[(str(tmp_path / "elsewhere"), 0, 640)])
        file["group/emg"] = 1.0
        file["other"] = h5py.ExternalLink("c.mat", "emg")
    with pytest.raises(EdgebioError, match="emg is stored in another file; expected numbers"):
        mat.read_matrices(tmp_path / "b.mat", {"emg": 10})
    with pytest.raises(EdgebioError, match="group is struct; expected numbers"):
        mat.read_matrices(tmp_path / "b.mat", {"group": None})
    with h5py.File(tmp_path / "c.mat", "w") as file:
        file["emg"] = np.zeros((8, 10))
    with pytest.raises(EdgebioError, match="other is stored in another file"):
        mat.read_matrices(tmp_path / "b.mat", {"other": None})


def test_sizes_are_checked_before_memory_is_allocated(tmp_path) -> None:
    """A file of a few kilobytes that claims terabytes."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file.create_dataset("emg", (12, 1 << 40), "f8", chunks=(12, 1024), compression="gzip")
    assert (tmp_path / "a.mat").stat().st_size < 100_000
    with pytest.raises(EdgebioError, match=r"1,099,511,627,776 x 12; up to .* numbers are read"):
        mat.read_matrices(tmp_path / "a.mat", {"emg": 12})


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_noise_is_refused_in_one_line(tmp_path, version) -> None:
    path = tmp_path / "ninapro-db2" / "S3_E2_A1.mat"
    intact = write_mat(path, ninapro_matrices(12, 5e-7), version).read_bytes()
    rng = np.random.default_rng(0)
    messages = []
    for case in range(80):
        body = bytearray(intact[: rng.integers(len(intact))] if case % 2 else intact)
        for _ in range(case % 6):
            if body:
                body[rng.integers(len(body))] = rng.integers(256)
        path.write_bytes(body)
        try:
            datasets.load("ninapro-db2", tmp_path)
        except EdgebioError as error:
            messages.append(str(error))
    assert len(messages) > 30
    assert not [message for message in messages if "\n" in message]
