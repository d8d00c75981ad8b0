"""Sets about electrode shift, few seconds and many days: as published, refused where damaged."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import datasets
from edgebio.errors import EdgebioError


def write_part(folder: Path, repetitions: int, rows: int = 20) -> None:
    """Files whose values encode repetition and class."""
    folder.mkdir(parents=True)
    for repetition in range(repetitions):
        for label in range(5):
            row = ",".join(map(str, [repetition, label, -1, 0, 0, 0, 0, 127]))
            (folder / f"R_{repetition}_C_{label}.csv").write_text(f"{row}\n" * rows)
    (folder / "metadata.json").write_text("{}")


@pytest.fixture
def shift(tmp_path: Path) -> Path:
    for part, repetitions in (("training", 5), *((f"trial_{n}", 2) for n in range(1, 5))):
        write_part(tmp_path / "emg-electrode-shift/ElectrodeShift/subject3" / part, repetitions)
    return tmp_path


def test_electrode_shift_has_a_part_before_and_four_after(shift: Path) -> None:
    recordings = datasets.load("emg-electrode-shift", shift)
    assert len(recordings) == 25 + 40
    assert [r.session for r in recordings[:25]] == ["training"] * 25
    for each in recordings:
        assert each.subject == "3"
        assert each.samples[0].tolist()[:2] == [each.repetition, each.labels[0]]
    assert recordings[2].classes[2] == "no motion"


def test_minimal_training_has_a_second_and_seven_trials(tmp_path: Path) -> None:
    root = tmp_path / "emg-minimal-training/MinimalTrainingData/subject0"
    write_part(root / "train", 1, 200)
    for trial in range(7):
        write_part(root / f"test/trial_{trial}", 2)
    recordings = datasets.load("emg-minimal-training", tmp_path)
    assert len(recordings) == 5 + 70
    assert {len(r.samples) for r in recordings if r.session == "training"} == {200}


def test_missing_and_wrong_files_are_named(shift: Path) -> None:
    part = shift / "emg-electrode-shift/ElectrodeShift/subject3/trial_2"
    (part / "R_0_C_7.csv").write_text("1,2,3,4,5,6,7,8\n")
    with pytest.raises(EdgebioError, match=r"R_0_C_7\.csv: class 7; there are 5"):
        datasets.load("emg-electrode-shift", shift)
    (part / "R_0_C_7.csv").unlink()
    (part / "R_0_C_1.csv").write_text("1,2,3\n")
    with pytest.raises(EdgebioError, match=r"R_0_C_1\.csv"):
        datasets.load("emg-electrode-shift", shift)
    for path in part.glob("*.csv"):
        path.unlink()
    with pytest.raises(EdgebioError, match="edgebio data fetch emg-electrode-shift"):
        datasets.load("emg-electrode-shift", shift)


def test_multiday_has_a_session_for_each_day(tmp_path: Path) -> None:
    folder = tmp_path / "emg-multiday"
    folder.mkdir()
    for day in (2, 10, 1):
        for label in range(11):
            text = f"{day}.0 {label}.05 -0.124 1589.717\n" * 3
            (folder / f"S0_D{day}_C{label}.csv").write_text(text)
    recordings = datasets.load("emg-multiday", tmp_path)
    assert [r.session for r in recordings[::11]] == ["1", "2", "10"]
    assert recordings[12].samples[0].tolist() == [40, 21, -2, 31794]
    (folder / "S0_D3_C11.csv").write_text("1 2 3 4\n")
    with pytest.raises(EdgebioError, match="expected a name such as"):
        datasets.load("emg-multiday", tmp_path)


def test_a_published_day_is_exact(data_folder: Path, tmp_path: Path) -> None:
    source = data_folder / "emg-multiday"
    if not source.is_dir():
        pytest.skip("emg-multiday is not there")
    folder = tmp_path / "emg-multiday"
    folder.mkdir()
    for path in source.glob("S0_D60_C*.csv"):
        (folder / path.name).symlink_to(path)
    for each in datasets.load("emg-multiday", tmp_path):
        published = np.loadtxt(each.source)
        assert np.abs(each.samples * 0.05 - published).max() <= 0.0251
