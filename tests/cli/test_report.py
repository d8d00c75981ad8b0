"""``edgebio report``: pages of runs and evaluations are complete and readable on a phone."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgebio import recipes, storage
from edgebio.api import write_report
from edgebio.cli import main
from edgebio.errors import EdgebioError
from edgebio.evaluation.fold_run import fold_document
from edgebio.report import page
from edgebio.tasks.measurement_sections import cost_section
from edgebio.tasks.run_documents import BENCH, HIL, VALIDATE, write_document
from tests import tiny
from tests.report.browser import assert_readable, executable

BENCHED = {
    "board": "mps2-an386", "core": "cortex-m4", "instructions": 9000, "macs": 100,
    "flash": {"total": 20360},
    "ram": {"total": 20432, "activations": 4972, "scratch": 4, "stack": 680},
    "layers": [
        {"index": k, "operator": "CONV_2D", "instructions": 4500, "macs": 50} for k in range(2)
    ],
}  # fmt: skip
QUANTIZED_FILES = ("model.tflite", "quantize.json", "outputs.npy")


@pytest.fixture(scope="module")
def run_page(tmp_path_factory):
    """Page of a quantized run with a validate, a bench and a hil document."""
    tiny.quantized()
    folder = tmp_path_factory.mktemp("report") / "run"
    shutil.copytree(tiny.run(), folder)
    model = folder / "model.tflite"
    rung = {"rung": 1, "name": "<b>float64</b>", "compared": 12345, "differing": 0,
            "snr_db": 53.9, "ok": True}  # fmt: skip
    write_document(model, VALIDATE, {"board": None, "recordings": "x", "rungs": [rung]})
    write_document(model, BENCH, BENCHED)
    micros = {"min": 1500, "median": 1600, "p95": 1700, "p99": 1700, "max": 1800}
    late = {"median": 21.5, "p95": 40.25, "p99": 41.0, "max": 60.0}
    measure = {"name": "layer 0 conv", "compared": 2, "differing": 1, "worst": 3, "cosine": 0.98}
    checks = [
        {"name": "layers", "ok": False, "note": "<i>element 1</i>", "measures": [measure]},
        {
            "name": "latency",
            "ok": True,
            "note": "quick",
            "measures": [],
            "model_us": micros,
            "estimated_us": {"model_us": 1550},
        },
        {"name": "soak", "ok": True, "note": "0 lost", "measures": [], "latency": late},
    ]
    on_board = {"board": "mps2-an386", "port": "/dev/ttyACM0", "ok": False, "checks": checks}
    write_document(model, HIL, on_board)
    return write_report(folder)


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    """Folder of an evaluation of two folds with a subject each, and the command's output."""
    tiny.quantized()
    folder = tmp_path_factory.mktemp("report") / "evaluation"
    recipe = folder.with_name("tiny.toml")
    recipe.write_text(recipes.dump(tiny.RECIPE))
    patch = pytest.MonkeyPatch()

    def copy_runs(recipe, folds, folder, *rest):
        rows = []
        for fold in folds:
            name = f"{fold.name}-{recipe.training.seed}"
            run = folder / "folds" / name
            shutil.copytree(tiny.run(), run)
            row = fold_document(run)
            row["people"][0]["subject"] = row["fold"] = fold.name
            row["people"][0]["accuracy_int8"] -= 0.1 * (fold.name == "2")
            artifact = {"subject": fold.name, "session": "2", "repetition": 1, "flat": 7, "of": 91}
            row["left_out"] = {"train": [], "test": [artifact, artifact]}
            rows.append({**row, "seed": recipe.training.seed, "place": f"folds/{name}"})
            if recipe.training.seed == 1:
                write_document(run / "model.tflite", BENCH, BENCHED)
        storage.write_json(run / BENCH, {**BENCHED, "model_sha256": "0" * 64})
        return rows

    both = [*tiny.recordings("1"), *tiny.recordings("2")]
    patch.setattr(sys.modules["edgebio.evaluation.evaluation"], "_run_folds", copy_runs)
    patch.setattr(recipes.Recipe, "recordings", lambda self, root, subjects: both)
    command = ["evaluate", str(recipe), "--protocol", "one-to-one", "--baseline", "lda"]
    done = CliRunner().invoke(main, [*command, "--seeds", "2", "-o", str(folder)])
    patch.undo()
    assert done.exit_code == 0, done.output
    return folder, done.output


@pytest.fixture(scope="module")
def evaluation_page(evaluation):
    return evaluation[0] / page.FILE


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (390, "light"), (1280, "light")])
@pytest.mark.parametrize("name", ["run_page", "evaluation_page"])
def test_page_is_readable(name, width, scheme, request, tmp_path):
    executable()
    text = request.getfixturevalue(name).read_text("utf-8")
    assert assert_readable(text, width, tmp_path, scheme)["figures"] >= 5


@pytest.mark.parametrize("name", ["run_page", "evaluation_page"])
def test_plots_option_writes_every_figure(name, request, tmp_path):
    path = request.getfixturevalue(name)
    done = CliRunner().invoke(
        main, ["report", str(path.parent), "--plots", str(tmp_path), "--json"]
    )
    assert done.exit_code == 0, done.output
    written = [Path(name) for name in json.loads(done.stdout)["plots"]]
    text = path.read_text("utf-8")
    assert len(written) == 2 * text.count("<figure")
    assert sorted(tmp_path.iterdir()) == sorted(written)
    (images,) = [each for each in written if each.name.endswith("stft-images-by-class.svg")]
    classes = json.loads((tiny.run() / "metrics.json").read_text())["classes"]
    assert images.read_text().count("<image ") == len(classes) + 1  # and the color bar
    assert str(path.parent) not in text


def test_run_page_shows_metrics_and_measurements(run_page):
    text = run_page.read_text("utf-8")
    metrics, quantized = (
        json.loads((run_page.parent / name).read_text())
        for name in ("metrics.json", "quantize.json")
    )
    assert f"{100 * quantized['accuracy_int8']:.1f}\u00a0%" in text
    assert f"{metrics['test']['windows']:,} segments" in text
    for title in ("Confusion matrix of the int8 network", "STFT images by class", "Grad-CAM"):
        assert f'aria-label="{title}' in text
    for shown in (
        "&lt;b&gt;float64&lt;/b&gt;", "Cost on mps2-an386", "20,360 bytes",
        "Hardware in the loop: mps2-an386", "&lt;i&gt;element 1&lt;/i&gt;", "layer 0 conv",
        "<td>1.55</td>", "<td>1.80</td>", "<td>40.25</td>",
    ):  # fmt: skip
        assert shown in text


def test_measurements_of_another_model_are_not_shown(run_page, tmp_path):
    shutil.copytree(run_page.parent, tmp_path / "run")
    document = json.loads((tmp_path / "run" / BENCH).read_text())
    storage.write_json(tmp_path / "run" / BENCH, {**document, "model_sha256": "0" * 64})
    text = write_report(tmp_path / "run").read_text("utf-8")
    assert "Cost on" not in text
    assert "bench.json belongs to another model and is not shown." in text


@pytest.mark.parametrize(
    ("changes", "time"),
    [
        ({}, "about 0.36 ms at 25 MHz (one cycle per instruction)"),
        ({"cycles": {"estimate": 12500}}, "about 0.5 ms at 25 MHz (estimated cycles)"),
        ({"board": "my-own-board"}, None),
    ],
)
def test_cost_includes_the_time_on_a_known_board(changes, time):
    (table,) = cost_section({**BENCHED, **changes}).tables
    rows = {row[0]: row[1] for row in table.rows}
    assert rows.get("time per inference") == time


@pytest.mark.parametrize("quantized", [True, False])
def test_run_with_several_subjects_has_a_row_each(tmp_path, quantized):
    tiny.quantized()
    run = tmp_path / "run"
    shutil.copytree(
        tiny.run(), run, ignore=shutil.ignore_patterns(*(() if quantized else QUANTIZED_FILES))
    )
    with np.load(run / "images.npz") as file:
        arrays = dict(file)
    subjects = np.where(np.arange(len(arrays["subjects"])) % 3, "Ann", "Bob")
    np.savez_compressed(run / "images.npz", **{**arrays, "subjects": subjects})
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["test"]["subjects"] = ["Bob", "Ann"]
    storage.write_json(run / "metrics.json", metrics)
    text = write_report(run).read_text("utf-8")
    assert "<h2>By subject</h2>" in text
    outputs = [arrays["probability"]] + ([np.load(run / "outputs.npy")] if quantized else [])
    for name in ("Ann", "Bob"):
        own = subjects[arrays["recordings"]] == name
        accuracies = [(v[own].argmax(axis=1) == arrays["labels"][own]).mean() for v in outputs]
        cells = "".join(f"<td>{value:.3f}</td>" for value in accuracies)
        assert f'<th scope="row">{name}</th>{cells}' in text
    assert ("vote over 5" in text) is quantized


def test_float_run_has_a_page(tmp_path):
    ignore = shutil.ignore_patterns(*QUANTIZED_FILES)
    shutil.copytree(tiny.run(), tmp_path / "run", ignore=ignore)
    text = write_report(tmp_path / "run").read_text("utf-8")
    assert "the float network" in text
    assert "Float against int8" not in text


def test_fold_of_an_evaluation_does_not_claim_the_protocol_of_its_recipe(run_page, tmp_path):
    assert "Protocol: split by session" in run_page.read_text("utf-8")
    shutil.copytree(run_page.parent, tmp_path / "fold")
    storage.write_json(tmp_path / "fold" / "result.json", {})
    text = write_report(tmp_path / "fold").read_text("utf-8")
    assert "Protocol: that of an evaluation; this run is its fold 1." in text
    assert "split by session" not in text


def test_evaluation_page_shows_subjects_and_baseline(evaluation_page):
    text = evaluation_page.read_text("utf-8")
    document = json.loads((evaluation_page.parent / "evaluation.json").read_text())
    for subject in document["people"]:
        assert f'<th scope="row">{subject["subject"]}</th>' in text
    assert f"{document['baseline']['folds'][1]['accuracy']:.3f}" in text
    assert "Training and early stopping use no recordings of the test set." in text


def test_interval_is_beside_its_own_mean(evaluation):
    """The mean over subjects, which the interval is of, is not the mean over folds here."""
    folder, output = evaluation
    text = (folder / page.FILE).read_text("utf-8")
    document = json.loads((folder / "evaluation.json").read_text())
    low, high = document["interval"]["accuracy_int8"]
    mean = document["mean_over_people"]["accuracy_int8"]
    assert low < mean < high
    assert mean == pytest.approx(document["mean"]["accuracy_int8"] - 0.05)
    assert (
        f"<dd>{100 * mean:.1f}\u00a0%<small>mean over 2 subjects; 95\u00a0%: {100 * low:.1f} to "
        f"{100 * high:.1f}\u00a0%</small>" in text
    )
    (line,) = (line for line in output.splitlines() if "mean over 2 subjects" in line)
    assert f" {mean:.4f}; 95 % interval {low:.4f} to {high:.4f}" in line


def test_vote_delay_is_two_steps(evaluation, evaluation_page):
    """Of five segments three are of the new class two steps later than without a vote."""
    step = tiny.RECIPE.frontend.step
    delay = f"{2 * 1000 * step / tiny.recordings()[0].rate:.0f} ms"
    assert delay in evaluation[1]
    assert f"delays a decision by 2 of them ({delay})" in evaluation_page.read_text("utf-8")


def test_evaluation_page_shows_documents_of_its_folds(evaluation_page):
    text = evaluation_page.read_text("utf-8")
    assert text.count("Network of fold 1, seed 1.") == 1
    assert text.count("<h2>Cost on ") == 1
    assert "<h2>Cost on mps2-an386, fold 1, seed 1" in text
    assert "fold 2, seed 1: bench.json belongs to another model and is not shown." in text


def test_evaluation_page_counts_artifacts_of_one_seed(evaluation_page):
    text = evaluation_page.read_text("utf-8")
    cells = re.sub(r"\s*<[^>]+>\s*", " ", text[text.index("<h2>Segments left out") :])
    assert re.search(r"1 +test +2 +14 +0 +0 +182 +2 +test +2 +14 +0 +0 +182 ", cells)
    assert text.count("<td>182</td>") == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (None, "", "not a finished run"),
        ("evaluation.json", "{", r"evaluation\.json: damaged"),
        ("evaluation.json", "[]", r"evaluation\.json: damaged"),
        ("evaluation.json", "{}", r"evaluation\.json: written by another version"),
    ],
)
def test_folder_without_results_is_refused(tmp_path, name, content, message):
    if name:
        (tmp_path / name).write_text(content)
    with pytest.raises(EdgebioError, match=message) as error:
        write_report(tmp_path)
    assert "\n" not in str(error.value)
