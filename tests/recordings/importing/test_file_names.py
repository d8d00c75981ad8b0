"""Fields in the names of files, and one class list for all files."""

from pathlib import Path

import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, import_recordings
from edgebio.recordings.importing.file_names import find_files


def write(root: Path, *names: str) -> list[Path]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1,2\n3,4\n")
    return [root / name for name in names]


def test_names_give_subject_session_class_and_repetition(tmp_path: Path) -> None:
    paths = write(tmp_path, "S1/a_fist_R3.csv", "S1/b_rest_R0.csv", "S2/a_fist_R12.csv")
    recordings = import_recordings(
        paths, ImportOptions(rate=100), "S{subject}/{session}_{label}_R{repetition}.csv"
    )
    assert [(r.subject, r.session, r.repetition, r.classes[r.labels[0]]) for r in recordings] == [
        ("1", "a", 3, "fist"),
        ("1", "b", 0, "rest"),
        ("2", "a", 12, "fist"),
    ]
    assert {r.classes for r in recordings} == {("fist", "rest")}


def test_repetitions_that_no_name_gives_are_counted(tmp_path: Path) -> None:
    paths = write(tmp_path, "x/2_1.csv", "y/2_2.csv", "z/1_9.csv", "z/2_7.csv")
    recordings = import_recordings(
        paths, ImportOptions(rate=100, session="s", repetition=5), "{label}_*.csv"
    )
    fields = [(r.session, r.repetition, r.classes[r.labels[0]]) for r in recordings]
    assert fields == [("s", 5, "2"), ("s", 6, "2"), ("s", 5, "1"), ("s", 7, "2")]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("S{subject}.csv", "does not match --name S{subject}.csv"),
        ("{person}.csv", "{person}; it takes each of {subject}, {session}, {repetition}, {label}"),
        ("{label}_{label}.csv", "{label}; it takes each of"),
        ("r{repetition}.csv", "does not match"),
    ],
)
def test_names_that_do_not_match_are_refused(tmp_path: Path, template: str, message: str) -> None:
    with pytest.raises(EdgebioError) as caught:
        import_recordings(write(tmp_path, "ra.csv"), ImportOptions(rate=100), template)
    assert message in str(caught.value)


def test_special_characters_of_a_template_match_themselves(tmp_path: Path) -> None:
    (path,) = write(tmp_path, "a+b(1).csv")
    assert import_recordings([path], ImportOptions(rate=1), "a+b({subject}).csv")[0].subject == "1"
    with pytest.raises(EdgebioError, match="does not match"):
        import_recordings([path], ImportOptions(rate=1), "a.b({subject}).csv")


def test_a_folder_of_bids_gives_signals_with_subjects_and_sessions(tmp_path: Path) -> None:
    for subject in ("01", "02"):
        for session in ("a", "b"):
            stem = f"sub-{subject}/ses-{session}/emg/sub-{subject}_ses-{session}_task-grip"
            write(tmp_path, f"{stem}_emg.tsv")
            (tmp_path / f"{stem}_emg.json").write_text(
                '{"SamplingFrequency": 100, "Columns": ["left", "right"]}'
            )
            for table in ("events", "channels", "electrodes"):
                (tmp_path / f"{stem}_{table}.tsv").write_text("onset\tduration\ttrial_type\n")
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-01\t30\n")
    (tmp_path / "dataset_description.json").write_text("{}")
    files = find_files([tmp_path])
    assert [file.name for file in files] == [
        f"sub-{subject}_ses-{session}_task-grip_emg.tsv" for subject in ("01", "02")
        for session in "ab"
    ]  # fmt: skip
    recordings = import_recordings(files, ImportOptions())
    assert [(r.subject, r.session, r.rate) for r in recordings] == [
        ("01", "a", 100), ("01", "b", 100), ("02", "a", 100), ("02", "b", 100)
    ]  # fmt: skip
    named = import_recordings(files, ImportOptions(subject="me"))
    assert {r.subject for r in named} == {"me"}


def test_parts_of_records_are_left_out_of_a_folder(tmp_path: Path) -> None:
    for name in ("r.hea", "r.dat", "one.hea", "one.dat", "whole.hea", "whole.mat", "x.vhdr",
                 "x.eeg", "x.vmrk", "x.csv", ".hidden.csv", "notes.pdf"):  # fmt: skip
        (tmp_path / name).write_text("")
    (tmp_path / "r.hea").write_text("r/1 2 500 10\none 10\n")
    names = [file.name for file in find_files([tmp_path])]
    assert names == ["r.hea", "whole.hea", "x.csv", "x.vhdr"]
