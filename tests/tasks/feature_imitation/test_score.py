import json

import pytest

from edgebio import tasks
from tests import tiny


@pytest.fixture(scope="module")
def task():
    return tasks.task_of_run(tiny.imitation())


def test_score_has_the_metrics_of_both_networks(task):
    metrics = json.loads((tiny.imitation() / "metrics.json").read_text())
    quantized = json.loads((tiny.imitation() / "quantize.json").read_text())
    score = task.score(tiny.imitation())
    pooled = score.pooled
    assert pooled["accuracy"] == metrics["accuracy"]
    assert pooled["accuracy_int8"] == quantized["accuracy_int8"]
    assert pooled["accuracy_true"] == metrics["percentages"][-1]["true"]
    assert pooled["accuracy_tuned"] == metrics["percentages"][-1]["tuned"]
    for name, value in quantized["r2"]["int8"].items():
        assert pooled[f"r2_{name}_int8"] == pytest.approx(value)
    assert pooled["rejection_rate"] is None
    (subject,) = score.by_subject
    assert subject["subject"] == "1"
    assert subject["r2_rms"] == pooled["r2_rms"]
    assert tuple(pooled) == task.metrics
    assert all(pooled[name] is not None for name in task.own_metrics)
    assert score.by_condition == []


def test_report_shows_r2_and_predicted_over_true_features(task):
    page = task.page(tiny.imitation())
    quantized = json.loads((tiny.imitation() / "quantize.json").read_text())
    (section,) = [each for each in page.sections if each.title == "Predicted features"]
    assert len(section.figures) == 4
    cells = section.tables[0].rows
    assert [f"{value:.4f}" for value in quantized["r2"]["int8"].values()] == cells[1][1:]
    assert [tile.name for tile in page.tiles][:1] == ["R², entropy"]


def test_tables_of_the_command_line_have_r2_and_accuracies(task):
    documents = [
        json.loads((tiny.imitation() / name).read_text())
        for name in ("metrics.json", "quantize.json")
    ]
    (r2, accuracy), (both,) = (task.tables(document) for document in documents)
    assert (r2[0], both[0], accuracy[0]) == ("R2", "R2", "accuracy")
    assert [row[0] for row in both[2]] == ["float", "int8"]
    assert r2[2][0] == both[2][0]
