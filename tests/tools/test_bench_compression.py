"""`tools/bench_compression.py`: the networks it compares, its table, and one subject measured."""

import json
import runpy
from pathlib import Path

import pytest

from edgebio import boards, recipes
from edgebio.recipes import ClusterSettings, PruneSettings, QatSettings
from tests import tiny

TOOL = Path(__file__).resolve().parents[2] / "tools" / "bench_compression.py"


@pytest.fixture(scope="module")
def tool():
    return runpy.run_path(str(TOOL))


def test_networks_differ_only_in_filters_and_teacher(tool):
    recipe = recipes.load("emg-grips")
    variants = tool["networks"](recipe, 0.5, 1.5)
    assert [(r.model.filters, r.training.teacher and r.training.teacher.filters)
            for r in variants.values()] == [
        ((12, 20, 24, 32), None),
        ((12, 20, 24, 32), (24, 40, 48, 64)),
        ((24, 40, 48, 64), (36, 60, 72, 96)),
    ]  # fmt: skip
    for other in variants.values():
        assert tool["resized"](other, recipe.model.filters) == recipe
    assert len(tool["networks"](recipe, 0.5, 0)) == 2


def test_table_has_means_over_subjects_and_the_worst_differences(tool):
    first = tool["Row"]("qat", "1", 0.9, 0.8, 1000, 20, 30, 40, 10, 0.5, 7, 0, 60.0)
    second = tool["Row"]("qat", "2", 0.7, 0.6, 3000, 20, 30, 40, 20, 0.3, 9, 2, 80.0)
    lines = tool["table"]([first, second]).splitlines()
    assert len(lines) == 3
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|")
    assert lines[2] == "| qat | 0.8000 | 0.7000 | 2,000 | 20 | 30 | 40 | 15 | 40.0 % | 9 | 2 | 70 |"


@pytest.mark.slow
def test_subject_is_measured_and_a_second_call_measures_nothing_again(tool, tmp_path, monkeypatch):
    short = {"epochs": 1}
    recipe = tiny.RECIPE.model_copy(
        update={
            "training": tiny.RECIPE.training.model_copy(update=short),
            "quantize": tiny.RECIPE.quantize.model_copy(
                update={
                    "qat": QatSettings(**short),
                    "prune": PruneSettings(**short),
                    "cluster": ClusterSettings(**short),
                }
            ),
        }
    )
    monkeypatch.setattr(type(recipe), "recordings", lambda *_: list(tiny.recordings()))
    board = boards.load("mps2-an386")
    rows = tool["run"](recipe, ["1"], board, tmp_path, 0.5, 0.0)
    assert [row.network for row in rows] == [
        "ptq", "qat", "prune", "cluster", "filters x 0.5", "filters x 0.5, teacher x 1",
    ]  # fmt: skip
    assert not any(row.differing for row in rows)
    dense, smaller = rows[:4], rows[4:]
    # Zeros and clusters are read, multiplied and stored like other weights.
    for row in dense:
        assert row.instructions == pytest.approx(dense[0].instructions, rel=0.03)
        assert row.weights == dense[0].weights
    for row in smaller:
        assert row.instructions < 0.7 * dense[0].instructions
        assert row.flash < dense[0].flash
    written = json.loads((tmp_path / "compression.json").read_text())
    assert len(written["rows"]) == 6
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("model.tflite")}
    assert tool["run"](recipe, ["1"], board, tmp_path, 0.5, 0.0) == rows
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("model.tflite")}
