import dataclasses
import json
import shutil

import numpy as np
import pytest

from edgebio import tasks, tflite
from edgebio.decision.outputs import Outputs
from edgebio.protocols import Fold
from edgebio.tasks.run_folder import MODEL, OUTPUTS
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.training.statistics import REJECTED_SHARE, VOTES
from tests import tiny


@pytest.fixture
def run(tmp_path):
    """A quantized run whose outputs may be changed."""
    tiny.quantized()
    return shutil.copytree(tiny.run(), tmp_path / "run")


def score(folder):
    return tasks.task_of_run(folder).score(folder)


def described(run):
    return Outputs.from_graph(tflite.read((run / MODEL).read_bytes()))


def test_vote_corrects_a_single_segment(run):
    test = ImageRun.load(run).test_images()
    outputs = np.full((len(test), described(run).classes), -128, np.int8)
    outputs[np.arange(len(test)), test.labels] = 127
    one = np.flatnonzero(test.recordings == test.recordings[0])
    assert len(one) > VOTES + 2
    outputs[one[VOTES]] = np.roll(outputs[one[VOTES]], 1)  # a single mistake
    np.save(run / OUTPUTS, outputs)
    pooled = score(run).pooled
    assert pooled["accuracy_int8"] == 1 - 1 / len(test)
    assert pooled["accuracy_vote"] == 1


def test_least_certain_segments_are_rejected(run):
    test = ImageRun.load(run).test_images()
    outputs = np.full((len(test), described(run).classes), -128, np.int8)
    outputs[np.arange(len(test)), test.labels] = 127
    few = int(REJECTED_SHARE * len(test))
    assert few
    unsure = np.random.default_rng(1).choice(len(test), few, replace=False)
    wrong = (test.labels[unsure] + 1) % outputs.shape[1]
    outputs[unsure] = -128
    outputs[unsure, wrong] = 10
    np.save(run / OUTPUTS, outputs)
    result = score(run)
    (subject,), pooled = result.by_subject, result.pooled
    assert pooled["accuracy_int8"] == pytest.approx(1 - few / len(test))
    assert pooled["accuracy_sure"] == subject["accuracy_sure"] == 1


@pytest.mark.usefixtures("in_this_process")
def test_conditions_are_scored_one_by_one(tmp_path):
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
    tasks.task_of(recipe).train(recipe, fold, tmp_path)
    tasks.quantize(tmp_path, engine=tasks.generated_c)
    rows, pooled = score(tmp_path).by_condition, score(tmp_path).pooled
    assert [(row["trained"], row["tested"]) for row in rows] == [("50", "20"), ("50", "80")]
    windows = [row["windows"] for row in rows]
    assert sum(windows) == json.loads((tmp_path / "metrics.json").read_text())["test"]["windows"]
    for name in ("accuracy", "accuracy_int8"):
        assert np.average([r[name] for r in rows], weights=windows) == pytest.approx(pooled[name])


def test_recordings_without_conditions_have_no_rows():
    tiny.quantized()
    assert score(tiny.run()).by_condition == []
