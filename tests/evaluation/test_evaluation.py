import dataclasses
import json
import os

import numpy as np
import pytest

from edgebio import storage
from edgebio.errors import EdgebioError, InterruptedWorkError
from edgebio.evaluation import DOCUMENT, evaluate, evaluation, fold_run
from edgebio.evaluation.fold_run import RESULT
from edgebio.evaluation.statistics import by_fold
from edgebio.processes.folder_job import LocalRunner
from tests import tiny
from tests.processes.test_cluster import dask_cluster

METRICS = ("accuracy", "balanced_accuracy", "macro_f1")


def two_subjects():
    return [*tiny.recordings("1"), *tiny.recordings("2")]


def quick_fold(recipe, fold, folder):
    """Takes the place of a training where only the code around it is tested."""
    accuracy = 0.5 if fold.name == "1" else 0.7
    metrics = dict.fromkeys(METRICS, accuracy)
    metrics |= {f"{name}_int8": accuracy - 0.01 for name in METRICS}
    counts = {"1": [[2, 2], [0, 0]], "2": [[3, 1], [1, 3]]}
    decided = {"classes": ["fist", "rest"], "confusion_int8": counts.get(fold.name, counts["1"])}
    storage.write_json(
        folder / RESULT, {"fold": fold.name, "train": "-", "test": fold.name, **metrics, **decided}
    )


def fold_at_a_force(recipe, fold, folder):
    accuracy = {"1 at 20": 0.5, "1 at 50": 0.6, "2 at 20": 0.7, "2 at 50": 0.9}[fold.name]
    quick_fold(recipe, fold, folder)
    result = json.loads((folder / RESULT).read_text())
    row = {"trained": fold.train[0].condition, "tested": fold.test[0].condition, "windows": 3}
    row |= dict.fromkeys(("accuracy", "accuracy_int8"), accuracy)
    storage.write_json(folder / RESULT, {**result, "conditions": [row]})


def dying_fold(recipe, fold, folder):
    if fold.name == "2":
        os._exit(9)
    quick_fold(recipe, fold, folder)


def refused_fold(recipe, fold, folder):
    raise EdgebioError("no window of class 'fist'")


@pytest.fixture
def replace_fold(monkeypatch, in_this_process):
    """Set the function of a fold; folds run in this process, as each import of pytest is slow."""
    return lambda function: monkeypatch.setattr(fold_run, "run_fold", function)


def test_means_are_over_folds_and_the_document_is_written(tmp_path, replace_fold):
    replace_fold(quick_fold)
    result = evaluate(tiny.RECIPE, two_subjects(), "one-to-one", tmp_path, jobs=2)
    assert [fold["test"] for fold in result.folds] == ["1", "2"]
    assert result.mean["accuracy"] == pytest.approx(0.6)
    assert result.mean["accuracy_int8"] == pytest.approx(0.59)
    assert result.deviation["macro_f1"] == pytest.approx(0.1)
    assert (result.dataset, result.protocol) == ("emg-synthetic", "one-to-one")
    document = json.loads((tmp_path / DOCUMENT).read_text())
    assert document == result.document()
    assert "baseline" not in document


def test_only_folds_that_test_the_named_subjects_are_run(tmp_path, replace_fold):
    replace_fold(quick_fold)
    run = (tiny.RECIPE, two_subjects(), "cross-subject", tmp_path)
    assert [fold["fold"] for fold in evaluate(*run, jobs=1, subjects=["2"]).folds] == ["2"]
    with pytest.raises(EdgebioError, match="no fold of cross-subject tests only person 3"):
        evaluate(*run, subjects=["3"])


def fold_by_seed(recipe, fold, folder):
    quick_fold(recipe, fold, folder)
    result = json.loads((folder / RESULT).read_text())
    accuracy = result["accuracy"] + recipe.training.seed / 10
    people = [{"subject": fold.name, "windows": 3, "accuracy": accuracy}]
    result |= {"accuracy": accuracy, "people": people}
    if recipe.training.seed == 2:
        result["confusion_int8"] = [[4, 0], [0, 1]]
    storage.write_json(folder / RESULT, result)


def test_every_fold_is_trained_with_every_seed(tmp_path, replace_fold):
    replace_fold(fold_by_seed)
    order = []
    result = evaluate(
        tiny.RECIPE, two_subjects(), "one-to-one", tmp_path, jobs=1, seeds=3,
        on_finished=lambda fold: order.append((fold["seed"], fold["fold"])),
    )  # fmt: skip
    rows = [(row["seed"], row["fold"]) for row in result.folds]
    assert rows == [(seed, name) for seed in (1, 2, 3) for name in ("1", "2")]
    assert order == rows
    assert len({row["place"] for row in result.folds}) == 6
    means = by_fold(result.folds, ["accuracy", "roc_auc"])
    assert [row["fold"] for row in means] == ["1", "2"]
    assert [row["accuracy"] for row in means] == pytest.approx([0.7, 0.9])
    assert [row["roc_auc"] for row in means] == [None, None]
    assert [row["seed"] for row in result.seeds] == [1, 2, 3]
    assert [row["accuracy"] for row in result.seeds] == pytest.approx([0.7, 0.8, 0.9])
    assert [row["accuracy"] for row in result.subjects] == pytest.approx([0.7, 0.9])
    # Decisions are pooled over folds before recall is computed.
    classes = [row["classes"] for row in result.seeds]
    assert [[row["recall"] for row in seed] for seed in classes] == [
        [5 / 8, 3 / 4], [1, 1], [5 / 8, 3 / 4]
    ]  # fmt: skip
    assert classes[1][0] == {
        "class": "fist", "precision": 1, "recall": 1, "f1": 1, "windows": 8
    }  # fmt: skip
    assert result.mean["accuracy"] == pytest.approx(0.8)
    # The interval is over subjects, not over trainings of the same ones.
    assert result.interval["accuracy"] == pytest.approx([0.7, 0.9])


def subjects_unlike_folds(recipe, folds, *rest):
    """Results of all folds: subject 1 has a better accuracy than the pooled segments."""
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


def test_means_over_subjects_differ_from_means_over_folds(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "_run_folds", subjects_unlike_folds)
    result = evaluate(tiny.RECIPE, two_subjects(), "within-session", tmp_path, baseline="lda")
    assert result.mean["accuracy_int8"] == pytest.approx(0.5)
    assert result.mean_over_subjects["accuracy_int8"] == pytest.approx(0.7)
    assert result.deviation_over_subjects["accuracy_int8"] == pytest.approx(0.2)
    assert result.interval["accuracy_int8"] == pytest.approx([0.5, 0.9])
    # The baseline's metric of a subject is the mean over its folds.
    lda = result.baseline
    assert lda is not None
    rows = [row["accuracy"] for row in lda["folds"]]
    assert [row["subject"] for row in lda["people"]] == ["1", "2"]
    assert [row["accuracy"] for row in lda["people"]] == pytest.approx(
        [np.mean(rows[:2]), np.mean(rows[2:])]
    )
    assert lda["mean_over_people"]["accuracy"] == pytest.approx(np.mean(rows))
    # Folds that test several subjects give none.
    pooled = evaluate(tiny.RECIPE, two_subjects(), "cross-validation", tmp_path, baseline="lda")
    assert pooled.mean_over_subjects["accuracy_int8"] == pytest.approx(0.7)
    assert pooled.baseline is not None
    assert pooled.baseline["people"] == []
    assert pooled.baseline["mean_over_people"]["accuracy"] is None


def test_conditions_are_averaged_over_folds_trained_at_the_same_condition(tmp_path, replace_fold):
    replace_fold(fold_at_a_force)
    forces = [
        dataclasses.replace(r, condition="20" if r.session == "1" else "50", session="1")
        for r in two_subjects()
    ]
    result = evaluate(tiny.RECIPE, forces, "across-force", tmp_path, jobs=1)
    assert [(row["trained"], row["tested"], row["folds"]) for row in result.conditions] == [
        ("20", "50", 2), ("50", "20", 2),
    ]  # fmt: skip
    assert [row["accuracy"] for row in result.conditions] == pytest.approx([0.6, 0.75])


def test_dying_fold_is_named_and_others_are_kept(tmp_path, monkeypatch):
    run = (tiny.RECIPE, two_subjects(), "one-to-one", tmp_path)
    monkeypatch.setattr(fold_run, "run_fold", dying_fold)
    with pytest.raises(EdgebioError, match=r"a job died.*not finished: fold '2'\.") as error:
        evaluate(*run, jobs=1)
    assert "\n" not in str(error.value)
    assert len(list((tmp_path / "folds").glob(f"*/{RESULT}"))) == 1
    names = []
    monkeypatch.setattr(fold_run, "run_fold", quick_fold)
    result = evaluate(*run, on_finished=lambda fold: names.append(fold["fold"]))
    assert sorted(names) == ["1", "2"]
    assert len(result.folds) == 2


def test_second_call_computes_nothing_again(tmp_path, replace_fold):
    run = (tiny.RECIPE, two_subjects(), "one-to-one", tmp_path)
    replace_fold(quick_fold)
    first = evaluate(*run)
    replace_fold(refused_fold)
    assert evaluate(*run) == first


def test_fold_shared_by_two_protocols_has_the_name_of_each(tmp_path, replace_fold):
    replace_fold(quick_fold)
    first = [r for r in two_subjects() if r.session == "1"]
    for protocol, names in (
        ("one-to-one", ["1", "2"]), ("within-session", ["1 session 1", "2 session 1"]),
    ):  # fmt: skip
        result = evaluate(tiny.RECIPE, first, protocol, tmp_path, jobs=1)
        assert [fold["fold"] for fold in result.folds] == names
    assert len(list((tmp_path / "folds").iterdir())) == 2


def test_error_in_a_fold_reaches_the_caller(tmp_path, replace_fold):
    replace_fold(refused_fold)
    with pytest.raises(EdgebioError, match=r"^no window of class 'fist'$"):
        evaluate(tiny.RECIPE, two_subjects(), "one-to-one", tmp_path)


def test_ctrl_c_says_how_many_folds_are_kept(tmp_path, monkeypatch, replace_fold):
    def run(runner, jobs, finished):
        recipe, fold = jobs[0].arguments
        quick_fold(recipe, fold, jobs[0].folder)
        finished(jobs[0])
        raise InterruptedWorkError("interrupted")

    monkeypatch.setattr(LocalRunner, "run", run)
    with pytest.raises(InterruptedWorkError, match=r"1 of 2 folds are kept in .*; the same"):
        evaluate(tiny.RECIPE, two_subjects(), "one-to-one", tmp_path)


def test_fold_is_trained_quantized_and_scored_by_generated_c(tmp_path):
    training = tiny.RECIPE.training.model_copy(update={"epochs": 2})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    result = evaluate(recipe, tiny.recordings(), "one-to-one", tmp_path, baseline="lda", jobs=1)
    (fold,) = result.folds
    assert fold["train"] == "person 1, session 1"
    assert fold["test"] == "person 1, session 2"
    (run,) = (tmp_path / "folds").iterdir()
    quantized = json.loads((run / "quantize.json").read_text())
    assert quantized["kernels"] == "generated C"
    assert fold["accuracy_int8"] == quantized["accuracy_int8"]
    assert fold["model_sha256"] == storage.sha256(run / "model.tflite")
    assert abs(fold["accuracy_int8"] - fold["accuracy"]) < 0.05
    assert result.mean["accuracy"] == fold["accuracy"]
    lda = result.baseline
    assert lda is not None
    assert lda["name"] == "lda"
    assert lda["accuracy"] == lda["folds"][0]["accuracy"] > 0.5
    assert all(value is not None and np.isfinite(value) for value in result.mean.values())


@pytest.mark.slow
def test_cluster_gives_the_same_numbers_as_this_machine(tmp_path):
    training = tiny.RECIPE.training.model_copy(update={"epochs": 2})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    recordings = [r for subject in "123" for r in tiny.recordings(subject)]
    local = evaluate(recipe, recordings, "one-to-one", tmp_path / "local", jobs=1)
    with dask_cluster(tmp_path, "nanny", "no-nanny", "nanny") as (url, programs):
        remote = evaluate(
            recipe, recordings, "one-to-one", tmp_path / "remote", scheduler=url,
            on_finished=lambda fold: programs[1].kill(),
        )  # fmt: skip
    assert len(local.folds) == 3
    for one, other in zip(local.folds, remote.folds, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert local.mean == remote.mean
