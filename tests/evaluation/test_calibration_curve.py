"""Accuracy against calibration, on a small synthetic set."""

import json
from typing import Any

import pytest

pytest.importorskip("tensorflow", reason='needs pip install "edgebio[train]"')

from click.testing import CliRunner

from edgebio.api import write_report
from edgebio.calibration import weights
from edgebio.cli import main
from edgebio.errors import EdgebioError
from edgebio.evaluation import calibration_curve, evaluate
from edgebio.evaluation.calibration_curve import METRICS
from edgebio.processes.folder_job import LocalRunner
from edgebio.protocols import Fold, split
from tests import tiny
from tests.calibration.test_layers import RECIPE, layers_run


def two_subjects():
    return [r for k in "12" for r in tiny.recordings(k)]


def test_first_repetitions_of_the_first_session_are_calibrated_on():
    for fold in split("transfer", two_subjects()):
        first = calibration_curve.first_repetitions(fold.tune, 1)
        assert {r.repetition for r in first} == {0}
        assert {(r.subject, r.session) for r in first} == {(fold.name, "1")}
        assert len({int(r.labels[0]) for r in first}) == 7
        assert {r.session for r in fold.test} == {"2"}
        with pytest.raises(EdgebioError, match=r"has 3 repetition\(s\) of this class; 4 are"):
            calibration_curve.first_repetitions(fold.tune, 4)


def test_model_is_calibrated_and_scored_on_another_session(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "_MIN_STEPS", 40)
    monkeypatch.setattr(weights, "_MAX_STEPS", 40)
    base, other = layers_run()
    fold = Fold("3", tiny.recordings("1"), tuple(r for r in other if r.session == "2"), "subject",
                tune=tuple(r for r in other if r.session == "1" and r.repetition == 0))  # fmt: skip
    calibration_curve.calibrate_fold(RECIPE, fold, base, tmp_path)
    result = json.loads((tmp_path / calibration_curve.RESULT).read_text())
    assert result["subject"] == "3"
    assert result["signal_seconds"] == pytest.approx(7 * 1.5, rel=0.1)
    for name in ("accuracy_int8", "accuracy_vote", "accuracy_sure"):
        assert 0.5 < result[name] <= 1
    assert (tmp_path / "model.tflite").read_bytes() != (base / "model.tflite").read_bytes()


@pytest.mark.slow
def test_curve_is_kept_and_drawn(tmp_path, monkeypatch):
    def run():
        return evaluate(RECIPE, two_subjects(), "transfer", tmp_path, calibration=[1, 0], jobs=1)

    result = run()
    assert result.calibration is not None
    none, one = result.calibration
    assert (none["repetitions"], one["repetitions"]) == (0, 1)
    assert none["accuracy_int8"] == result.mean["accuracy_int8"]
    assert none["accuracy_as_calibrated"] is None
    assert [p["subject"] for p in one["people"]] == ["1", "2"]
    assert one["accuracy_int8"] == pytest.approx(sum(p["accuracy_int8"] for p in one["people"]) / 2)
    assert one["signal_seconds"] == pytest.approx(7 * 1.5, rel=0.1)
    assert one["accuracy_int8"] > 0.6
    page = write_report(tmp_path).read_text()
    assert "Calibrated to the wearer" in page
    assert "labeled signal, s" in page
    # A second call computes nothing again.
    monkeypatch.setattr(LocalRunner, "run", None)
    assert run() == result


def test_curve_is_the_mean_over_seeds_of_each_subject(tmp_path, monkeypatch):
    def calibrated(recipe, folds, results, folder, jobs):
        seed = recipe.training.seed
        assert [result["place"] for result in results] == [f"{f.name}-{seed}" for f in folds]
        return [
            {**dict.fromkeys(METRICS, seed / 10 + int(fold.name) + len(fold.tune) / 7),
             "subject": fold.name}
            for fold in folds
        ]  # fmt: skip

    monkeypatch.setattr(calibration_curve, "_calibrated", calibrated)
    trained = []
    for seed in (1, 3):
        training = RECIPE.training.model_copy(update={"seed": seed})
        results: list[Any] = [{"place": f"{name}-{seed}"} for name in "12"]
        trained.append((RECIPE.model_copy(update={"training": training}), results))
    folds = split("transfer", two_subjects())
    one, two = calibration_curve.calibration_curve(trained, folds, tmp_path, [2, 1], 1)
    assert (one["repetitions"], two["repetitions"]) == (1, 2)
    assert [(p["subject"], p["accuracy_int8"]) for p in two["people"]] == [
        ("1", pytest.approx(3.2)), ("2", pytest.approx(4.2))
    ]  # fmt: skip
    assert two["accuracy_vote"] == pytest.approx(3.7)
    assert two["interval"] == pytest.approx([3.2, 4.2])


def test_calibration_needs_protocol_transfer(tmp_path):
    with pytest.raises(EdgebioError, match="calibration needs protocol transfer, not one-to-one"):
        evaluate(RECIPE, two_subjects(), "one-to-one", tmp_path, calibration=[1])
    arguments = ["evaluate", "emg-grips", "--protocol", "transfer", "--calibration-repetitions"]
    for bad in ("a", "1,-2", "1,,2"):
        result = CliRunner().invoke(main, [*arguments, bad])
        assert result.exit_code == 2
        assert f"'{bad}': expected numbers such as 0,1,2,4" in result.output
