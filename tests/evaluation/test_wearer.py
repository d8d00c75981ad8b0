"""Accuracy against calibration, on a small synthetic set."""

import json

import pytest

pytest.importorskip("tensorflow", reason='needs pip install "edgebio[train]"')

from click.testing import CliRunner

from edgebio import report
from edgebio.calibration import weights
from edgebio.cli import main
from edgebio.errors import EdgebioError
from edgebio.evaluation import evaluate, wearer
from edgebio.evaluation.evaluate import key
from edgebio.protocols import Fold, split
from tests import tiny
from tests.calibration.test_layers import RECIPE, layers_run


def people():
    return [r for k in "12" for r in tiny.recordings(k)]


def test_only_the_first_repetitions_of_the_first_session_teach():
    for fold in split("transfer", people()):
        taught = wearer.first(fold.tune, 1)
        assert {r.repetition for r in taught} == {0}
        assert {(r.subject, r.session) for r in taught} == {(fold.name, "1")}
        assert len({int(r.labels[0]) for r in taught}) == 7
        assert {r.session for r in fold.test} == {"2"}
        assert wearer.untuned(fold).tune == ()
        with pytest.raises(EdgebioError, match=r"has 3 repetition\(s\) of this class; 4 are"):
            wearer.first(fold.tune, 4)


def test_a_wearer_is_taught_and_scored_on_another_session(tmp_path, monkeypatch):
    monkeypatch.setattr(labelled, "_FEWEST_STEPS", 40)
    monkeypatch.setattr(labelled, "_MOST_STEPS", 40)
    base, other = layers_run()
    fold = Fold("3", tiny.recordings("1"), tuple(r for r in other if r.session == "2"), "subject",
                tune=tuple(r for r in other if r.session == "1" and r.repetition == 0))  # fmt: skip
    wearer._teach({"place": base}, RECIPE, fold, tmp_path / "place")
    found = json.loads((tmp_path / "place" / wearer.RESULT).read_text())
    assert found["subject"] == "3"
    assert found["signal_seconds"] == pytest.approx(7 * 1.5, rel=0.1)
    for name in ("accuracy_int8", "accuracy_vote", "accuracy_sure"):
        assert 0.5 < found[name] <= 1
    assert (tmp_path / "place" / "model.tflite").read_bytes() != (
        base / "model.tflite"
    ).read_bytes()


@pytest.mark.slow
def test_a_curve_is_kept_and_drawn(tmp_path, monkeypatch):
    asked = {"calibration": [1, 0], "jobs": 1}
    found = evaluate(RECIPE, people(), "transfer", tmp_path, **asked)
    none, one = found["calibration"]
    assert (none["repetitions"], one["repetitions"]) == (0, 1)
    assert none["accuracy_int8"] == found["mean"]["accuracy_int8"]
    assert none["accuracy_as_calibrated"] is None
    assert [p["subject"] for p in one["people"]] == ["1", "2"]
    assert one["accuracy_int8"] == pytest.approx(sum(p["accuracy_int8"] for p in one["people"]) / 2)
    assert one["signal_seconds"] == pytest.approx(7 * 1.5, rel=0.1)
    assert one["accuracy_int8"] > 0.6
    page = report.write(tmp_path).read_text()
    assert "Calibrated to the wearer" in page
    assert "labelled signal, s" in page
    # What is there is not computed again.
    monkeypatch.setattr(wearer.workers, "locally", None)
    assert evaluate(RECIPE, people(), "transfer", tmp_path, **asked) == found


def test_a_curve_is_the_mean_over_seeds_of_each_wearer(tmp_path, monkeypatch):
    """What is taught to whom, and by which seed's network; its figures stand in."""

    def taught(job, recipe, places, number, jobs):
        return [
            {**dict.fromkeys(wearer.FIGURES, recipe.training.seed / 10 + int(fold.name) + number),
             "subject": fold.name}
            for fold in places.values()
        ]  # fmt: skip

    monkeypatch.setattr(wearer, "_taught", taught)
    trained = []
    for seed in (1, 3):
        training = RECIPE.training.model_copy(update={"seed": seed})
        results = [{"place": f"{name}-{seed}"} for name in "12"]
        trained.append((RECIPE.model_copy(update={"training": training}), results))
    folds = split("transfer", people())
    one, two = wearer.curve(trained, folds, tmp_path, [2, 1], 1, key)
    assert (one["repetitions"], two["repetitions"]) == (1, 2)
    assert [(p["subject"], p["accuracy_int8"]) for p in two["people"]] == [
        ("1", pytest.approx(3.2)), ("2", pytest.approx(4.2))
    ]  # fmt: skip
    assert two["accuracy_vote"] == pytest.approx(3.7)
    assert two["interval"] == pytest.approx([3.2, 4.2])


def test_it_belongs_to_transfer(tmp_path):
    with pytest.raises(EdgebioError, match="of the protocol transfer, not of one-to-one"):
        evaluate(RECIPE, people(), "one-to-one", tmp_path, calibration=[1])
    words = ["evaluate", "emg-grips", "--protocol", "transfer", "--calibration-repetitions"]
    for bad in ("a", "1,-2", "1,,2"):
        done = CliRunner().invoke(main, [*words, bad])
        assert done.exit_code == 2
        assert f"'{bad}': expected numbers such as 0,1,2,4" in done.output
