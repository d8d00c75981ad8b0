import dataclasses
import json
import os
import sys

import numpy as np
import pytest

from edgebio import protocols, storage
from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.evaluation import evaluate
from edgebio.evaluation.evaluate import DOCUMENT, RESULT, key
from edgebio.evaluation.people import by_fold
from tests import tiny

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1")


def two_people():
    return [*tiny.recordings("1"), *tiny.recordings("2")]


def quick_fold(recipe, fold, place):
    """Stand in for a training where only what is around it is looked at."""
    accuracy = 0.5 if fold.name == "1" else 0.7
    figures = dict.fromkeys(FIGURES, accuracy)
    figures |= {f"{name}_int8": accuracy - 0.01 for name in FIGURES}
    right = {"1": [[2, 2], [0, 0]], "2": [[3, 1], [1, 3]]}
    decided = {"classes": ["fist", "rest"], "confusion_int8": right.get(fold.name, right["1"])}
    storage.write_json(
        place / RESULT, {"fold": fold.name, "train": "-", "test": fold.name, **figures, **decided}
    )


def at_a_force(recipe, fold, place):
    """A fold that was tested at a force."""
    accuracy = {"1 at 20": 0.5, "1 at 50": 0.6, "2 at 20": 0.7, "2 at 50": 0.9}[fold.name]
    quick_fold(recipe, fold, place)
    found = json.loads((place / RESULT).read_text())
    row = {"trained": fold.train[0].condition, "tested": fold.test[0].condition, "windows": 3}
    row |= dict.fromkeys(("accuracy", "accuracy_int8"), accuracy)
    storage.write_json(place / RESULT, {**found, "conditions": [row]})


def dying_fold(recipe, fold, place):
    if fold.name == "2":
        os._exit(9)
    quick_fold(recipe, fold, place)


def refusing_fold(recipe, fold, place):
    raise EdgebioError("no window of class 'fist'")


@pytest.fixture
def fold_of(monkeypatch):
    # The package's function of the same name hides the module from an import.
    module = sys.modules["edgebio.evaluation.evaluate"]
    return lambda function: monkeypatch.setattr(module, "run_fold", function)


def test_means_are_over_folds_and_the_document_is_kept(tmp_path, fold_of):
    fold_of(quick_fold)
    document = evaluate(tiny.RECIPE, two_people(), "one-to-one", tmp_path, jobs=2)
    assert [fold["test"] for fold in document["folds"]] == ["1", "2"]
    assert document["mean"]["accuracy"] == pytest.approx(0.6)
    assert document["mean"]["accuracy_int8"] == pytest.approx(0.59)
    assert document["deviation"]["macro_f1"] == pytest.approx(0.1)
    assert (document["dataset"], document["protocol"]) == ("emg-synthetic", "one-to-one")
    assert json.loads((tmp_path / DOCUMENT).read_text()) == document


def test_only_folds_of_the_people_named_are_run(tmp_path, fold_of):
    fold_of(quick_fold)
    document = evaluate(tiny.RECIPE, two_people(), "cross-subject", tmp_path, jobs=1, tested=["2"])
    assert [fold["fold"] for fold in document["folds"]] == ["2"]
    with pytest.raises(EdgebioError, match="no fold of cross-subject tests person 3 alone"):
        evaluate(tiny.RECIPE, two_people(), "cross-subject", tmp_path, tested=["3"])


def by_its_seed(recipe, fold, place):
    quick_fold(recipe, fold, place)
    found = json.loads((place / RESULT).read_text())
    accuracy = found["accuracy"] + recipe.training.seed / 10
    people = [{"subject": fold.name, "windows": 3, "accuracy": accuracy}]
    found |= {"accuracy": accuracy, "people": people}
    if recipe.training.seed == 2:
        found["confusion_int8"] = [[4, 0], [0, 1]]
    storage.write_json(place / RESULT, found)


def test_every_fold_is_trained_from_every_seed(tmp_path, fold_of):
    fold_of(by_its_seed)
    done = []
    document = evaluate(
        tiny.RECIPE, two_people(), "one-to-one", tmp_path, jobs=1, seeds=3,
        finished=lambda fold: done.append((fold["seed"], fold["fold"])),
    )  # fmt: skip
    rows = [(row["seed"], row["fold"]) for row in document["folds"]]
    assert rows == [(seed, name) for seed in (1, 2, 3) for name in ("1", "2")]
    assert done == rows
    assert len({row["place"] for row in document["folds"]}) == 6
    once = by_fold(document["folds"], ["accuracy", "roc_auc"])
    assert [row["fold"] for row in once] == ["1", "2"]
    assert [row["accuracy"] for row in once] == pytest.approx([0.7, 0.9])
    assert [row["roc_auc"] for row in once] == [None, None]
    assert [row["seed"] for row in document["seeds"]] == [1, 2, 3]
    assert [row["accuracy"] for row in document["seeds"]] == pytest.approx([0.7, 0.8, 0.9])
    assert [row["accuracy"] for row in document["people"]] == pytest.approx([0.7, 0.9])
    # Folds are taken together before recall is.
    classes = [row["classes"] for row in document["seeds"]]
    assert [[row["recall"] for row in seed] for seed in classes] == [
        [5 / 8, 3 / 4], [1, 1], [5 / 8, 3 / 4]
    ]  # fmt: skip
    assert classes[1][0] == {
        "class": "fist", "precision": 1, "recall": 1, "f1": 1, "windows": 8
    }  # fmt: skip
    assert document["mean"]["accuracy"] == pytest.approx(0.8)
    # The interval is over people, and not over trainings of the same ones.
    assert document["interval"]["accuracy"] == pytest.approx([0.7, 0.9])


def told_by_person(recipe, folds, *rest):
    """Stand in for all folds: of person 1 more is right than of the windows of a fold together."""
    confusion = {"classes": ["fist", "rest"], "confusion_int8": [[2, 2], [0, 4]]}
    return [
        {
            "fold": fold.name, "accuracy_int8": 0.5, **confusion,
            "people": [
                {"subject": subject, "windows": 3, "accuracy_int8": 0.9 if subject == "1" else 0.5}
                for subject in dict.fromkeys(r.subject for r in fold.test)
            ],
        }
        for fold in folds
    ]  # fmt: skip


def test_means_over_people_are_not_those_over_folds(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["edgebio.evaluation.evaluate"], "_run", told_by_person)
    alone = evaluate(tiny.RECIPE, two_people(), "within-session", tmp_path, baseline="lda")
    assert alone["mean"]["accuracy_int8"] == pytest.approx(0.5)
    assert alone["mean_over_people"]["accuracy_int8"] == pytest.approx(0.7)
    assert alone["deviation_over_people"]["accuracy_int8"] == pytest.approx(0.2)
    assert alone["interval"]["accuracy_int8"] == pytest.approx([0.5, 0.9])
    # The baseline's figure of a person is the mean of his or her folds.
    lda = alone["baseline"]
    rows = [row["accuracy"] for row in lda["folds"]]
    assert [row["subject"] for row in lda["people"]] == ["1", "2"]
    assert [row["accuracy"] for row in lda["people"]] == pytest.approx(
        [np.mean(rows[:2]), np.mean(rows[2:])]
    )
    assert lda["mean_over_people"]["accuracy"] == pytest.approx(np.mean(rows))
    # Of several people together there is none.
    pooled = evaluate(tiny.RECIPE, two_people(), "cross-validation", tmp_path, baseline="lda")
    assert pooled["mean_over_people"]["accuracy_int8"] == pytest.approx(0.7)
    assert pooled["baseline"]["people"] == []
    assert pooled["baseline"]["mean_over_people"]["accuracy"] is None


def test_conditions_are_averaged_over_the_folds_that_were_trained_alike(tmp_path, fold_of):
    fold_of(at_a_force)
    forces = [
        dataclasses.replace(r, condition="20" if r.session == "1" else "50", session="1")
        for r in two_people()
    ]
    document = evaluate(tiny.RECIPE, forces, "across-force", tmp_path, jobs=1)
    assert [(row["trained"], row["tested"], row["folds"]) for row in document["conditions"]] == [
        ("20", "50", 2), ("50", "20", 2),
    ]  # fmt: skip
    assert [row["accuracy"] for row in document["conditions"]] == pytest.approx([0.6, 0.75])


def test_a_fold_whose_process_dies_loses_no_other(tmp_path, fold_of):
    fold_of(dying_fold)
    with pytest.raises(EdgebioError, match=r"process of a fold died.*not finished: 2\.") as error:
        evaluate(tiny.RECIPE, two_people(), "one-to-one", tmp_path, jobs=1)
    assert "\n" not in str(error.value)
    assert len(list((tmp_path / "folds").glob(f"*/{RESULT}"))) == 1
    done = []
    fold_of(quick_fold)
    document = evaluate(
        tiny.RECIPE, two_people(), "one-to-one", tmp_path,
        finished=lambda fold: done.append(fold["fold"]),
    )  # fmt: skip
    assert sorted(done) == ["1", "2"]
    assert len(document["folds"]) == 2


def test_a_second_call_computes_nothing_again(tmp_path, fold_of):
    fold_of(quick_fold)
    first = evaluate(tiny.RECIPE, two_people(), "one-to-one", tmp_path)
    fold_of(refusing_fold)
    assert evaluate(tiny.RECIPE, two_people(), "one-to-one", tmp_path) == first


def test_what_is_wrong_in_a_fold_is_said_here(tmp_path, fold_of):
    fold_of(refusing_fold)
    with pytest.raises(EdgebioError, match=r"^no window of class 'fist'$"):
        evaluate(tiny.RECIPE, two_people(), "one-to-one", tmp_path)


def test_a_key_is_of_all_that_a_result_depends_on():
    one, two = protocols.split("one-to-one", two_people())
    assert key(tiny.RECIPE, one) == key(tiny.RECIPE, one)
    assert key(tiny.RECIPE, one) != key(tiny.RECIPE, two)
    seeded = tiny.RECIPE.training.model_copy(update={"seed": 2})
    other = tiny.RECIPE.model_copy(update={"training": seeded})
    assert key(tiny.RECIPE, one) != key(other, one)
    voting = tiny.RECIPE.model_copy(update={"decision": DecisionSettings(votes=9)})
    assert key(tiny.RECIPE, one) != key(voting, one)
    renamed = tiny.RECIPE.model_copy(update={"title": "something else"})
    assert key(tiny.RECIPE, one) == key(renamed, one)
    shorter = protocols.Fold(one.name, one.train[:-1], one.test, one.apart)
    assert key(tiny.RECIPE, one) != key(tiny.RECIPE, shorter)


def test_a_fold_is_trained_quantized_and_scored_by_generated_c(tmp_path):
    training = tiny.RECIPE.training.model_copy(update={"epochs": 2})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    document = evaluate(recipe, tiny.recordings(), "one-to-one", tmp_path, baseline="lda", jobs=1)
    (fold,) = document["folds"]
    assert fold["train"] == "person 1, session 1"
    assert fold["test"] == "person 1, session 2"
    (place,) = (tmp_path / "folds").iterdir()
    report = json.loads((place / "quantize.json").read_text())
    assert report["kernels"] == "generated C"
    assert fold["accuracy_int8"] == report["accuracy_int8"]
    assert fold["model_sha256"] == storage.sha256(place / "model.tflite")
    assert abs(fold["accuracy_int8"] - fold["accuracy"]) < 0.05
    assert document["mean"]["accuracy"] == fold["accuracy"]
    lda = document["baseline"]
    assert lda["name"] == "lda"
    assert lda["accuracy"] == lda["folds"][0]["accuracy"] > 0.5
    assert np.isfinite(list(document["mean"].values())).all()
