import dataclasses
import json
import shutil

import numpy as np
import pytest

from edgebio import tflite
from edgebio.decision.outputs import Outputs
from edgebio.tasks.stft_classifier import score
from edgebio.training.statistics import REJECTED_SHARE, VOTES
from edgebio.protocols import Fold
from edgebio.tasks.stft_classifier.quantize import MODEL, OUTPUTS
from edgebio.tasks.stft_classifier import run as runs
from tests import tiny


@pytest.fixture
def run(tmp_path):
    """A quantized run whose outputs may be changed."""
    tiny.quantized()
    return shutil.copytree(tiny.run(), tmp_path / "run")


def described(run):
    return Outputs.from_graph(tflite.read((run / MODEL).read_bytes()))


def test_a_vote_mends_a_single_window_and_comes_late(run):
    test = runs.load(run).test()
    right = np.full((len(test), described(run).classes), -128, np.int8)
    right[np.arange(len(test)), test.labels] = 127
    one = np.flatnonzero(test.recordings == test.recordings[0])
    assert len(one) > VOTES + 2
    right[one[VOTES]] = np.roll(right[one[VOTES]], 1)  # a lonely mistake
    np.save(run / OUTPUTS, right)
    _, found = score.by_person(run)
    assert found["accuracy_int8"] == 1 - 1 / len(test)
    assert found["accuracy_vote"] == 1


def test_the_least_certain_windows_are_the_ones_left_out(run):
    test = runs.load(run).test()
    outputs = np.full((len(test), described(run).classes), -128, np.int8)
    outputs[np.arange(len(test)), test.labels] = 127
    few = int(REJECTED_SHARE * len(test))
    assert few
    unsure = np.random.default_rng(1).choice(len(test), few, replace=False)
    wrong = (test.labels[unsure] + 1) % outputs.shape[1]
    outputs[unsure] = -128
    outputs[unsure, wrong] = 10
    np.save(run / OUTPUTS, outputs)
    (person,), found = score.by_person(run)
    assert found["accuracy_int8"] == pytest.approx(1 - few / len(test))
    assert found["accuracy_sure"] == person["accuracy_sure"] == 1


def test_accuracy_is_told_by_the_force_that_was_tested_at(tmp_path):
    from edgebio.tasks import generated_c
    from edgebio.tasks.stft_classifier import quantize
    from edgebio.tasks.stft_classifier.train import train_fold

    def at(condition, *sessions):
        return tuple(
            dataclasses.replace(r, condition=condition)
            for r in tiny.recordings()
            if r.session in sessions
        )

    strong = tuple(dataclasses.replace(r, samples=r.samples[::-1].copy()) for r in at("80", "2"))
    training = tiny.RECIPE.training.model_copy(update={"epochs": 1})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    fold = Fold("1 at 50", at("50", "1"), (*at("20", "2"), *strong), "condition")
    train_fold(recipe, fold, tmp_path)
    quantize(tmp_path, generated_c)
    rows = score.by_condition(tmp_path)
    assert [(row["trained"], row["tested"]) for row in rows] == [("50", "20"), ("50", "80")]
    _, pooled = score.by_person(tmp_path)
    windows = [row["windows"] for row in rows]
    assert sum(windows) == json.loads((tmp_path / "metrics.json").read_text())["test"]["windows"]
    for name in ("accuracy", "accuracy_int8"):
        assert np.average([r[name] for r in rows], weights=windows) == pytest.approx(pooled[name])


def test_where_no_condition_is_named_none_is_told():
    tiny.quantized()
    assert score.by_condition(tiny.run()) == []
