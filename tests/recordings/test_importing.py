"""What files' names tell, and one class list for all."""

from pathlib import Path

import pytest

from edgebio.errors import EdgebioError
from edgebio.recordings.importing import gather
from edgebio.recordings.layout import Layout


def written(root: Path, *names: str) -> list[Path]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1,2\n3,4\n")
    return [root / name for name in names]


def test_names_tell_person_session_class_and_trial(tmp_path: Path) -> None:
    paths = written(tmp_path, "S1/a_fist_R3.csv", "S1/b_rest_R0.csv", "S2/a_fist_R12.csv")
    made = gather(paths, Layout(rate=100), "S{subject}/{session}_{label}_R{repetition}.csv")
    assert [(r.subject, r.session, r.repetition, r.classes[r.labels[0]]) for r in made] == [
        ("1", "a", 3, "fist"),
        ("1", "b", 0, "rest"),
        ("2", "a", 12, "fist"),
    ]
    assert {r.classes for r in made} == {("fist", "rest")}


def test_trials_that_no_name_tells_are_counted(tmp_path: Path) -> None:
    paths = written(tmp_path, "x/2_1.csv", "y/2_2.csv", "z/1_9.csv", "z/2_7.csv")
    made = gather(paths, Layout(rate=100, session="s", repetition=5), "{label}_*.csv")
    told = [(r.session, r.repetition, r.classes[r.labels[0]]) for r in made]
    assert told == [("s", 5, "2"), ("s", 6, "2"), ("s", 5, "1"), ("s", 7, "2")]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("S{subject}.csv", "does not match --name S{subject}.csv"),
        ("{person}.csv", "{person}; it takes each of {subject}, {session}, {repetition}, {label}"),
        ("{label}_{label}.csv", "{label}; it takes each of"),
        ("r{repetition}.csv", "does not match"),
    ],
)
def test_names_that_do_not_match(tmp_path: Path, template: str, message: str) -> None:
    with pytest.raises(EdgebioError) as caught:
        gather(written(tmp_path, "ra.csv"), Layout(rate=100), template)
    assert message in str(caught.value)


def test_special_signs_of_a_template_stand_for_themselves(tmp_path: Path) -> None:
    (path,) = written(tmp_path, "a+b(1).csv")
    assert gather([path], Layout(rate=1), "a+b({subject}).csv")[0].subject == "1"
    with pytest.raises(EdgebioError, match="does not match"):
        gather([path], Layout(rate=1), "a.b({subject}).csv")
