"""Readers of data sets: small files written as published, damage named, noise refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from edgebio import datasets
from edgebio.errors import EdgebioError
from edgebio.recordings.preprocessing.beats import AAMI_CLASSES
from edgebio.recordings.readers import delimited_text, wfdb

from ..recordings.files import cut, cut_row, cut_signal, edit, write_wfdb
from .noise import check_damage

RNG = np.random.default_rng(0)


def small_intensity(root: Path) -> Path:
    """One subject, two levels, two classes, two repetitions, in five digits as published."""
    folder = root / "emg-contraction-intensity" / "S4"
    folder.mkdir(parents=True)
    for level in ("20P", "80P"):
        for grip in (1, 7):
            for repetition in (1, 2):
                counts = RNG.integers(-16425, 16425, (40, 8))
                counts[0] = [-16400, -1, 0, 1, 16400, grip, repetition, int(level[:2])]
                rows = [",".join(f"{(c + 0.5) * 10 / 32768:.5g}" for c in row) for row in counts]
                path = folder / f"S4_{level}_C{grip}_R{repetition}.csv"
                path.write_text("\n".join(rows) + "\n")
    return folder / "S4_80P_C7_R2.csv"


def small_transfer(root: Path) -> Path:
    top = root / "emg-myo-transfer7"
    for part, sessions in (
        ("PreTrainingDataset", ("training0",)),
        ("EvaluationDataset", ("training0", "Test0", "Test1")),
    ):
        for number, session in enumerate(sessions):
            folder = top / part / "Male0" / session
            folder.mkdir(parents=True)
            for k in range(28):
                samples = np.full((30, 8), k, "<i2")
                samples[0] = [-128, 127, number, k, 0, 0, 0, part == "EvaluationDataset"]
                (folder / f"classe_{k}.dat").write_bytes(samples.tobytes())
    return top / "EvaluationDataset/Male0/Test1/classe_27.dat"


def small_bonn(root: Path) -> Path:
    for name in "ZONFS":
        folder = root / "eeg-bonn" / name
        folder.mkdir(parents=True)
        for number in (1, 2):
            suffix = "TXT" if name == "N" else "txt"
            values = RNG.integers(-2047, 2048, 4097)
            values[0] = number
            (folder / f"{name}{number:03d}.{suffix}").write_text("\n".join(map(str, values)) + "\n")
    return root / "eeg-bonn" / "S" / "S002.txt"


def small_mitbih(root: Path) -> Path:
    folder = root / "ecg-mitbih"
    symbols = [(5, "+"), (40, "N"), (140, "V"), (240, "A"), (340, "~"), (440, "F")]
    for name, leads in (("201", ("MLII", "V1")), ("202", ("V5", "MLII")), ("100", ("MLII", "V5"))):
        samples = RNG.integers(-1000, 1000, (600, 2))
        samples[0] = [int(name), -7]
        write_wfdb(folder, name, samples, leads=leads, gain=200, fmt="212", rate=360,
                   symbols=symbols)  # fmt: skip
    return folder / "202.hea"


LEADS = (
    "i",
    "ii",
    "iii",
    "avr",
    "avl",
    "avf",
    "v1",
    "v2",
    "v3",
    "v4",
    "v5",
    "v6",
    "vx",
    "vy",
    "vz",
)


def small_ptb(root: Path) -> Path:
    for subject, reason in (
        ("patient001", "Myocardial infarction"),
        ("patient104", "Healthy control"),
    ):
        for record in ("s0010_re", "s0306lre"):
            samples = RNG.integers(-9000, 9000, (300, 15))
            comments = ["age: 81", f"Reason for admission: {reason}"]
            write_wfdb(root / "ecg-ptb" / subject, record, samples, leads=LEADS, gain=2000,
                       fmt="16", rate=1000, comments=comments)  # fmt: skip
    return root / "ecg-ptb" / "patient104" / "s0306lre.hea"


def heartbeat_rows(count: int, label: int, seed: int) -> list[str]:
    """Rows as published: a beat from its R peak on, then zeros."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        beat = rng.uniform(0, 1, 187)
        beat[0], beat[rng.integers(80, 180) :] = 1, 0
        rows.append(",".join(f"{value:.18e}" for value in [*beat, label]))
    return rows


def small_heartbeat_mitbih(root: Path) -> Path:
    folder = root / "ecg-heartbeat-mitbih"
    folder.mkdir(parents=True)
    train = [row for label in range(5) for row in heartbeat_rows(3, label, label)]
    test = [row for label in range(5) for row in heartbeat_rows(2, label, 10 + label)]
    (folder / "mitbih_train.csv").write_text("\n".join([*train, train[4]]) + "\n")
    # The first row is in the other table too.
    (folder / "mitbih_test.csv").write_text("\n".join([train[0], *test]) + "\n")
    return folder / "mitbih_test.csv"


def small_heartbeat_ptb(root: Path) -> Path:
    folder = root / "ecg-heartbeat-ptb"
    folder.mkdir(parents=True)
    for label, name in enumerate(("normal", "abnormal")):
        rows = heartbeat_rows(4 + label, label, label)
        (folder / f"ptbdb_{name}.csv").write_text("\n".join(rows) + "\n")
    return folder / "ptbdb_abnormal.csv"


SMALL = {
    "emg-contraction-intensity": small_intensity,
    "emg-myo-transfer7": small_transfer,
    "eeg-bonn": small_bonn,
    "ecg-mitbih": small_mitbih,
    "ecg-ptb": small_ptb,
    "ecg-heartbeat-mitbih": small_heartbeat_mitbih,
    "ecg-heartbeat-ptb": small_heartbeat_ptb,
}
SUBJECTS = {
    "emg-contraction-intensity": "4",
    "emg-myo-transfer7": "eval Male0",
    "eeg-bonn": "unknown",
    "ecg-mitbih": "201",
    "ecg-ptb": "patient104",
    "ecg-heartbeat-mitbih": "unknown",
    "ecg-heartbeat-ptb": "unknown",
}


def test_levels_of_force_are_conditions_and_counts_are_exact(tmp_path: Path) -> None:
    small_intensity(tmp_path)
    result = datasets.load("emg-contraction-intensity", tmp_path)
    assert len(result) == 8
    for r in result:
        level = int(r.condition[:2])
        assert r.samples[0].tolist() == [-16400, -1, 0, 1, 16400, r.labels[0] + 1,
                                         r.repetition + 1, level]  # fmt: skip
    assert {r.condition for r in result} == {"20P", "80P"}


def test_parts_of_the_transfer_set_are_different_subjects(tmp_path: Path) -> None:
    small_transfer(tmp_path)
    result = datasets.load("emg-myo-transfer7", tmp_path)
    assert [r.subject for r in result] == ["eval Male0"] * 84 + ["pre Male0"] * 28
    for r in result:
        k = 7 * r.repetition + int(r.labels[0])
        part = r.subject.startswith("eval")
        assert r.samples[0].tolist() == [-128, 127, int(r.session) - 1, k, 0, 0, 0, part]


def test_bonn_has_one_unknown_subject(tmp_path: Path) -> None:
    small_bonn(tmp_path)
    result = datasets.load("eeg-bonn", tmp_path)
    assert [(int(r.labels[0]), r.repetition) for r in result] == [
        (label, number) for label in range(5) for number in range(2)
    ]
    assert all(r.samples[0, 0] == r.repetition + 1 for r in result)
    assert {r.subject for r in result} == {"unknown"}


def test_samples_are_labeled_by_beats_and_two_records_of_a_person_are_one_subject(
    tmp_path: Path,
) -> None:
    small_mitbih(tmp_path)
    result = datasets.load("ecg-mitbih", tmp_path)
    assert [(r.subject, r.session) for r in result] == [("100", "1"), ("201", "1"), ("201", "2")]
    for r, first in zip(result, ([100, -7], [201, -7], [-7, 202]), strict=True):
        assert r.samples[0].tolist() == first  # MLII is channel 0
        # N at 40, V at 140, A at 240, F at 440; the noise mark is not a beat.
        assert r.labels[[40, 89, 91, 189, 191, 300, 345, 440]].tolist() == [0, 0, 2, 2, 1, 1, 3, 3]
        assert (r.labels[545:] == -1).all()
        assert r.beats is not None
        assert r.beats.tolist() == [40, 140, 240, 440]


def test_the_class_of_a_ptb_record_is_its_reason_for_admission(tmp_path: Path) -> None:
    small_ptb(tmp_path)
    result = datasets.load("ecg-ptb", tmp_path)
    assert [(r.subject, r.session, int(r.labels[0])) for r in result] == [
        ("patient001", "1", 1), ("patient001", "2", 1), ("patient104", "1", 0),
        ("patient104", "2", 0),
    ]  # fmt: skip
    assert result[0].channels == 15


@pytest.mark.parametrize("block", [1, 8 << 20])
def test_rows_of_a_table_are_recordings_of_a_beat_and_repeated_rows_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(delimited_text, "_BLOCK", block)
    path = small_heartbeat_mitbih(tmp_path)
    result = datasets.load("ecg-heartbeat-mitbih", tmp_path)
    assert [r.session for r in result] == ["train"] * 15 + ["test"] * 10
    assert [int(r.labels[0]) for r in result] == [*np.repeat(range(5), 3), *np.repeat(range(5), 2)]
    first = result[15]
    assert first.source == f"{path}, line 2"
    expected = np.array(path.read_text().splitlines()[1].split(","), float)[:-1]
    assert np.abs(first.samples[:, 0] / 4096 - expected).max() <= 0.5 / 4096
    assert first.samples.shape == (187, 1)
    assert first.beats is not None
    assert first.beats.tolist() == [93]
    small_heartbeat_ptb(tmp_path)
    result = datasets.load("ecg-heartbeat-ptb", tmp_path)
    assert [r.classes[r.labels[0]] for r in result] == ["normal"] * 4 + ["abnormal"] * 5
    assert "people are on both sides" in datasets.get("ecg-heartbeat-ptb").caveat


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (3, "1.5", "line 2, field 4: 1.5; expected 0 to 1"),
        (3, "nan", "line 2, field 4: nan; expected a finite number"),
        (187, "5.0", "line 2, field 188: class 5; expected 0 to 4"),
        (187, "0.5", "line 2, field 188: class 0.5; expected 0 to 4"),
        (187, "1,2", "line 2: 189 fields, expected 188"),
    ],
)
def test_rows_that_are_not_beats_are_refused(
    tmp_path: Path, field: int, value: str, message: str
) -> None:
    path = small_heartbeat_mitbih(tmp_path)
    rows = path.read_text().splitlines()
    fields = rows[1].split(",")
    fields[field] = value
    rows[1] = ",".join(fields)
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(EdgebioError, match=message):
        datasets.load("ecg-heartbeat-mitbih", tmp_path)


@pytest.mark.parametrize(
    ("name", "recordings", "subjects"),
    [
        ("emg-contraction-intensity", 336, 4),
        ("emg-myo-transfer7", 672, 12),
        ("emg-electrode-shift", 780, 12),
        ("emg-minimal-training", 560, 7),
        ("ecg-mitbih", 18, 18),
        ("ecg-ptb-sample", 1, 1),
        ("eeg-bonn", 400, 1),
    ],
)
def test_published_sets_are_read(
    data_folder: Path, name: str, recordings: int, subjects: int
) -> None:
    if "ecg" in name:
        pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    result = datasets.load(name, data_folder)
    assert len(result) == recordings
    assert len({r.subject for r in result}) == subjects
    dataset = datasets.get(name)
    for r in result:
        assert (r.rate, r.channels, r.classes) == (
            dataset.rate, dataset.channels, dataset.classes,
        )  # fmt: skip
        assert r.samples.std() > 0


def test_record_208_of_mitbih_has_the_published_number_of_beats(data_folder: Path) -> None:
    """By class, from the table of all beats."""
    pytest.importorskip("wfdb", reason="the package wfdb is not installed")
    path = data_folder / "ecg-mitbih" / "208.hea"
    _, symbols = wfdb.read_annotations(path.with_suffix(".atr"), 650_000)
    labels = [AAMI_CLASSES[s] for s in symbols if s in AAMI_CLASSES]
    assert np.bincount(labels).tolist() == [1586, 2, 992, 373, 2]


DAMAGE = [
    ("emg-contraction-intensity", cut_row, "expected 8"),
    ("emg-contraction-intensity", lambda p: p.write_text("1,2,3,4,5,6,7,nan\n"), "field 8: nan"),
    ("emg-contraction-intensity", lambda p: p.write_text("1,2,3,4,5,6,7,11\n"), "not fit a 16-bit"),
    ("emg-contraction-intensity", lambda p: p.write_text("1,2\n"), "2 fields, expected 8"),
    ("emg-contraction-intensity", lambda p: p.write_text(""), "empty"),
    ("emg-contraction-intensity", lambda p: p.rename(p.with_name("S4_80P_C8_R1.csv")), "classes 1"),
    ("emg-myo-transfer7", cut, "expected samples of 16 bytes"),
    ("emg-myo-transfer7", lambda p: p.unlink(), "classe_27.dat: no such file"),
    ("emg-myo-transfer7", lambda p: p.write_bytes(b""), "0 bytes; expected samples"),
    (
        "emg-myo-transfer7",
        lambda p: p.write_bytes(bytes(14) + b"\0\1"),
        "sample 0: .* does not fit 8 bits",
    ),
    ("emg-myo-transfer7", lambda p: p.write_bytes(bytes(200_000)), "may have up to 192,000"),
    ("eeg-bonn", cut, r"samples, expected 4097|not a whole number"),
    ("eeg-bonn", lambda p: p.write_text("nan\n" * 4097), "line 1, field 1: 'nan' is not a whole"),
    ("eeg-bonn", lambda p: p.write_text("99999\n" * 4097), "99999 does not fit a 16-bit"),
    ("eeg-bonn", lambda p: p.write_text("1,2\n" * 4097), "2 fields, expected 1"),
    ("eeg-bonn", lambda p: p.rename(p.with_name("S101.txt")), "from S001.txt to S100.txt"),
    ("eeg-bonn", lambda p: shutil.rmtree(p.parent), "no files of set S"),
    ("ecg-mitbih", cut, "not a WFDB header|does not state|states"),
    ("ecg-mitbih", cut_signal(".dat"), "signal files cut or damaged"),
    ("ecg-mitbih", lambda p: p.with_suffix(".dat").unlink(), "202.dat: missing; 202.hea names it"),
    ("ecg-mitbih", lambda p: p.with_suffix(".atr").unlink(), "202.atr: no such file"),
    ("ecg-mitbih", edit("202.dat", "../201.dat"), "not a WFDB header"),
    ("ecg-mitbih", edit("202 2 360", "202 2 250"), "2 channels at 250 Hz; expected 2 at 360"),
    ("ecg-mitbih", edit("202 2 360 600", "202 2 360 999999999"), "are read"),
    ("ecg-mitbih", edit("202 2 360 600", "202/2 2 360 600"), "several segments|WFDB header"),
    (
        "ecg-mitbih",
        edit("202.dat 212 ", "202.dat 212x2 "),
        "channels of several rates; expected one",
    ),
    ("ecg-mitbih", edit("200(0)/mV", "100(0)/mV"), "expected 200 per mV"),
    ("ecg-ptb", cut_signal(".dat"), "signal files cut or damaged"),
    ("ecg-ptb", edit("s0306lre 15 1000", "s0306lre 15 500"), "15 channels at 500 Hz"),
    (
        "ecg-ptb",
        lambda p: p.write_text("s0306lre 1 1000 300\nx.dat 16 2000\n"),
        "x.dat: missing; s0306lre.hea names it",
    ),
]


@pytest.mark.parametrize(("name", "damage", "message"), DAMAGE)
def test_damage_is_reported_in_one_line_with_file_and_field(
    tmp_path, name, damage, message
) -> None:
    path = SMALL[name](tmp_path)
    damage(path)
    with pytest.raises(EdgebioError, match=message) as caught:
        datasets.load(name, tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SMALL)
def test_noise_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    check_damage(SMALL[name](tmp_path), name, tmp_path, SUBJECTS[name])
