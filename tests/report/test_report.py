"""The page: everything in it is drawn, at the width of a phone too, and nothing is fetched."""

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from edgebio import recipes, report, storage
from edgebio.cli import main
from edgebio.errors import EdgebioError
from edgebio.evaluation.evaluate import RESULT, result
from edgebio.parity.comparison import compare_exactly
from edgebio.parity.hil import Check, Measure
from edgebio.recipes import AugmentSettings, DataSettings, NewSubjectsSettings
from edgebio.report import parts, svg, words
from edgebio.training import gradcam
from tests import tiny

NOBODY = {"subjects": [], "sessions": [], "recordings": 0}
BENCHED = {
    "board": "mps2-an386", "core": "cortex-m4", "instructions": 9000, "macs": 100,
    "flash": {"total": 20360},
    "ram": {"total": 20432, "activations": 4972, "scratch": 4, "stack": 680},
    "layers": [
        {"index": k, "operator": "CONV_2D", "instructions": 4500, "macs": 50} for k in range(2)
    ],
}  # fmt: skip

# Counts what a person would miss: charts and pictures of no size, or without any ink.
MEASURE = """<script>
addEventListener("load", () => {
  const page = document.documentElement;
  const empty = [...document.querySelectorAll("figure svg")].filter(s => {
    const box = s.getBBox(), place = s.getBoundingClientRect();
    return !(box.width > 50 && box.height > 20 && place.width > 50);
  });
  const broken = [...document.querySelectorAll("img")].filter(
    i => !(i.complete && i.naturalWidth > 1 && i.getBoundingClientRect().width > 50));
  const cut = [...document.querySelectorAll("figure svg")].filter(s => {
    const box = s.getBBox(), view = s.viewBox.baseVal;
    return box.x < -1 || box.x + box.width > view.width + 1 ||
      box.y < -2 || box.y + box.height > view.height + 1;
  });
  parent.document.body.dataset.measured = JSON.stringify({
    inner: innerWidth, scroll: page.scrollWidth,
    figures: document.querySelectorAll("figure").length,
    empty: empty.map(s => s.getAttribute("aria-label")), broken: broken.length,
    cut: cut.map(s => s.getAttribute("aria-label")),
  });
});
</script>"""


def browser():
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no chromium to open the page in")
    return found


def opened(page, width, folder):
    """What `MEASURE` finds of a page in a window of `width`, and what the console said."""
    inside = html.escape(page.replace("</body>", MEASURE + "</body>"))
    frame = folder / "frame.html"
    style = f"border:0;width:{width}px;height:900px"
    frame.write_text(f'<body style="margin:0"><iframe style="{style}" srcdoc="{inside}"></iframe>')
    done = subprocess.run(
        [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=4000",
         f"--window-size={max(width, 600)},900", "--dump-dom", str(frame)],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    measured = re.search(r'data-measured="([^"]*)"', done.stdout)
    assert measured, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(html.unescape(measured[1])), console


@pytest.fixture(scope="module")
def run_page(tmp_path_factory):
    """Page of a quantized run on which validate and bench have been called."""
    tiny.quantized()
    folder = tmp_path_factory.mktemp("report") / "run"
    shutil.copytree(tiny.run(), folder)
    model = folder / "model.tflite"
    rung = {"rung": 1, "name": "<b>float64</b>", "compared": 12345, "differing": 0,
            "snr_db": 53.9, "ok": True}  # fmt: skip
    report.keep(
        folder, report.VALIDATED, {"board": None, "recordings": "x", "rungs": [rung]}, model
    )
    report.keep(folder, report.BENCHED, BENCHED, model)
    wanted, had = np.array([[5, 6]]), np.array([[5, 9]])
    part = compare_exactly("layer 0 conv", wanted, had, ("input", "class"))
    compared = Measure.of(part, wanted, had)
    micros = {"min": 1500, "median": 1600, "p95": 1700, "p99": 1700, "max": 1800}
    late = {"median": 21.5, "p95": 40.25, "p99": 41.0, "max": 60.0}
    checks = [
        Check("layers", False, "<i>element 1</i>", (compared,)),
        Check("latency", True, "quick", figures={"model_us": micros}),
        Check("soak", True, "0 lost", figures={"latency": late}),
    ]
    documents = [check.document() for check in checks]
    on_board = {"board": "mps2-an386", "port": "/dev/ttyACM0", "ok": False, "checks": documents}
    report.keep(folder, report.ON_BOARD, on_board, model)
    return report.write(folder)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """Folder of an evaluation whose two folds are two people, and what the command printed."""
    tiny.quantized()
    folder = tmp_path_factory.mktemp("report") / "evaluation"
    recipe = folder.with_name("tiny.toml")
    recipe.write_text(recipes.dump(tiny.RECIPE))
    patch = pytest.MonkeyPatch()

    def copied(recipe, folds, folder, *rest):
        found = []
        for fold in folds:
            name = f"{fold.name}-{recipe.training.seed}"
            place = folder / "folds" / name
            shutil.copytree(tiny.run(), place)
            row = result(place)
            row["people"][0]["subject"] = row["fold"] = fold.name
            row["people"][0]["accuracy_int8"] -= 0.1 * (fold.name == "2")
            artefact = {"subject": fold.name, "session": "2", "repetition": 1, "flat": 7, "of": 91}
            row["left_out"] = {"train": [], "test": [artefact, artefact]}
            found.append({**row, "seed": recipe.training.seed, "place": f"folds/{name}"})
            if recipe.training.seed == 1:
                report.keep(place, report.BENCHED, BENCHED, place / "model.tflite")
        other = {**BENCHED, "model_sha256": "0" * 64}
        storage.write_json(place / report.BENCHED, other)
        return found

    both = [*tiny.recordings("1"), *tiny.recordings("2")]
    patch.setattr(sys.modules["edgebio.evaluation.evaluate"], "_run", copied)
    patch.setattr(recipes.Recipe, "recordings", lambda self, root, subjects: both)
    asked = ["evaluate", str(recipe), "--protocol", "one-to-one", "--baseline", "lda"]
    done = CliRunner().invoke(main, [*asked, "--seeds", "2", "-o", str(folder)])
    patch.undo()
    assert done.exit_code == 0, done.output
    return folder, done.output


@pytest.fixture(scope="module")
def evaluation_page(evaluated):
    return evaluated[0] / report.FILE


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", ["run_page", "evaluation_page"])
def test_everything_is_drawn_and_nothing_scrolls_sideways(page, width, request, tmp_path):
    browser()
    text = request.getfixturevalue(page).read_text("utf-8")
    found, console = opened(text, width, tmp_path)
    assert found["inner"] == width
    assert found["scroll"] <= found["inner"]
    assert found["figures"] >= 5
    assert (found["empty"], found["broken"], found["cut"]) == ([], 0, [])
    assert not console


def test_the_measure_sees_what_is_wrong(tmp_path):
    """A page with each fault is told from a good one."""
    browser()
    page = (
        '<html><body><div style="width:900px">wide</div><figure><svg aria-label="none" '
        'viewBox="0 0 340 100"></svg></figure><img src="data:image/png;base64,AAAA">'
        '<figure><svg aria-label="out" style="width:300px" viewBox="0 0 340 100"><rect x="300" '
        'width="200" height="50"/></svg></figure><script>console.error("said")</script>'
        "</body></html>"
    )
    found, console = opened(page, 390, tmp_path)
    assert found["scroll"] > 390
    assert (found["empty"], found["broken"], found["cut"]) == (["none"], 1, ["out"])
    assert any("said" in line for line in console)


@pytest.mark.parametrize("page", ["run_page", "evaluation_page"])
def test_every_figure_is_a_file_too(page, request, tmp_path):
    pytest.importorskip("resvg_py", reason="the package resvg-py is not installed")
    from PIL import Image

    folder = request.getfixturevalue(page).parent
    done = CliRunner().invoke(main, ["report", str(folder), "--plots", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    written = [Path(name) for name in json.loads(done.stdout)["plots"]]
    text = (folder / report.FILE).read_text("utf-8")
    assert len(written) == 2 * text.count("<figure")
    assert sorted(tmp_path.iterdir()) == sorted(written)
    for path in written:
        if path.suffix == ".svg":
            root = ElementTree.fromstring(path.read_text())
            size = [float(root.get(side)) for side in ("width", "height")]
            assert len(list(root.iter())) > 8
        else:
            with Image.open(path) as image:
                assert image.size == tuple(round(3 * side) for side in size)
                assert len(image.convert("RGB").getcolors(1 << 24)) > 20
    (images,) = [path for path in written if "int8-images" in path.name and path.suffix == ".svg"]
    classes = text.count('alt="STFT image of ')
    assert images.read_text().count("<image ") == classes > 1


@pytest.mark.parametrize("page", ["run_page", "evaluation_page"])
def test_the_page_needs_nothing_but_itself(page, request):
    text = request.getfixturevalue(page).read_text("utf-8")
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=\"(?!data:)", text)
    assert not re.search(r"url\(|@import", text)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert str(request.getfixturevalue(page).parent) not in text


def test_a_run_is_told_whole(run_page):
    text = run_page.read_text("utf-8")
    metrics = json.loads((run_page.parent / "metrics.json").read_text())
    quantized = json.loads((run_page.parent / "quantize.json").read_text())
    assert f"{100 * quantized['accuracy_int8']:.1f}\u00a0%" in text
    assert f"{metrics['test']['windows']:,} windows" in text
    looked = gradcam.load(run_page.parent)
    maps = (looked.examples >= 0).sum() + (looked.counts > 0).sum()
    assert maps > len(metrics["classes"])
    assert text.count("<img ") == len(metrics["classes"]) + maps
    assert text.count('alt="Grad-CAM of ') == maps
    assert "&lt;b&gt;float64&lt;/b&gt;" in text  # what was read is shown, not obeyed
    assert "On the board: mps2-an386" in text
    assert "20,360 bytes" in text
    assert "Hardware in the loop: mps2-an386" in text
    for told in ("&lt;i&gt;element 1&lt;/i&gt;", "layer 0 conv", "<td>1.80</td>", "<td>40.25</td>"):
        assert told in text, told


def test_costs_of_an_earlier_model_are_left_out(run_page, tmp_path):
    shutil.copytree(run_page.parent, tmp_path / "run")
    document = json.loads((tmp_path / "run" / report.BENCHED).read_text())
    storage.write_json(tmp_path / "run" / report.BENCHED, {**document, "model_sha256": "0" * 64})
    text = report.write(tmp_path / "run").read_text("utf-8")
    assert "On the board" not in text
    assert "bench.json is of another model and was left out." in text


def test_an_evaluation_is_told_by_person(evaluation_page):
    text = evaluation_page.read_text("utf-8")
    document = json.loads((evaluation_page.parent / "evaluation.json").read_text())
    for person in document["people"]:
        assert f'<th scope="row">{person["subject"]}</th>' in text
    assert f"{document['baseline']['folds'][1]['accuracy']:.3f}" in text
    assert "All that training learns from or stops by comes from the training side" in text


def test_the_interval_stands_beside_the_mean_that_it_is_of(evaluated):
    """Of person 2 less is right than of all windows of its fold: the two means are not the same."""
    folder, shown = evaluated
    text = (folder / report.FILE).read_text("utf-8")
    document = json.loads((folder / "evaluation.json").read_text())
    low, high = document["interval"]["accuracy_int8"]
    mean = document["mean_over_people"]["accuracy_int8"]
    assert low < mean < high
    assert mean == pytest.approx(document["mean"]["accuracy_int8"] - 0.05)
    assert (
        f"<dd>{100 * mean:.1f}\u00a0%<small>mean over 2 people; 95\u00a0%: {100 * low:.1f} to "
        f"{100 * high:.1f}\u00a0%</small>" in text
    )
    (line,) = (line for line in shown.splitlines() if "mean over people" in line)
    assert f" {mean:.4f} " in line
    assert f" {document['baseline']['mean_over_people']['accuracy']:.4f} " in line
    assert f"95 % interval {low:.4f} to {high:.4f}" in shown


def test_the_delay_of_a_vote_is_told_in_both_places(evaluated, evaluation_page):
    """Of five windows three are of the new class when two more have come than without a vote."""
    step = tiny.RECIPE.frontend.step
    late = f"{2 * 1000 * step / tiny.recordings()[0].rate:.0f} ms"
    assert f"vote over 5, {late} later" in evaluated[1]
    assert f"late by 2 of them ({late})" in evaluation_page.read_text("utf-8")


def test_an_evaluation_shows_what_is_kept_of_its_folds(evaluation_page):
    text = evaluation_page.read_text("utf-8")
    looked = gradcam.load(tiny.run())
    maps = (looked.examples >= 0).sum() + (looked.counts > 0).sum()
    assert text.count('alt="Grad-CAM of ') == maps > 0
    assert text.count("By the network of fold 1, seed 1.") == 2
    assert "On the board: mps2-an386, fold 1, seed 1" in text
    assert text.count("On the board: ") == 1
    assert "fold 2, seed 1: bench.json is of another model and was left out." in text


def test_an_evaluation_tells_what_was_left_out(evaluation_page):
    text = evaluation_page.read_text("utf-8")
    told = re.sub(r"\s*<[^>]+>\s*", " ", text[text.index("<h2>Windows left out") :])
    assert re.search(r"1 +test +2 +14 +0 +0 +182 +2 +test +2 +14 +0 +0 +182 ", told)
    assert text.count("<td>182</td>") == 2  # those of one seed are those of all


@pytest.mark.parametrize("quantized", [True, False])
def test_a_run_that_is_tested_on_several_people_is_told_by_person(tmp_path, quantized):
    tiny.quantized()
    run = tmp_path / "run"
    of_int8 = () if quantized else ("model.tflite", "quantize.json", "outputs.npy")
    shutil.copytree(tiny.run(), run, ignore=shutil.ignore_patterns(*of_int8))
    with np.load(run / "images.npz") as file:
        arrays = dict(file)
    people = np.where(np.arange(len(arrays["subjects"])) % 3, "Ann", "Bob")
    np.savez_compressed(run / "images.npz", **{**arrays, "subjects": people})
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["test"]["subjects"] = ["Bob", "Ann"]
    storage.write_json(run / "metrics.json", metrics)
    text = report.write(run).read_text("utf-8")
    assert "<h2>By person</h2>" in text
    said = {"probability": arrays["probability"]}
    if quantized:
        said["int8"] = np.load(run / "outputs.npy")
    for name in ("Ann", "Bob"):
        own = people[arrays["recordings"]] == name
        right = [(v[own].argmax(axis=1) == arrays["labels"][own]).mean() for v in said.values()]
        cells = "".join(f"<td>{value:.3f}</td>" for value in right)
        assert f'<th scope="row">{name}</th>{cells}' in text
    assert ("vote over 5" in text) is quantized


def test_a_float_run_has_a_page_too(tmp_path):
    shutil.copytree(
        tiny.run(), tmp_path / "run",
        ignore=shutil.ignore_patterns("model.tflite", "quantize.json", "outputs.npy"),
    )  # fmt: skip
    done = CliRunner().invoke(main, ["report", str(tmp_path / "run"), "--json"])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "run" / report.FILE).read_text("utf-8")
    assert "the float network" in text
    assert "Float against int8" not in text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (None, "", "not a finished run"),
        ("evaluation.json", "{", "evaluation.json: damaged"),
        ("evaluation.json", "[]", "evaluation.json: damaged"),
        ("evaluation.json", "{}", "evaluation.json: has no mean_over_people"),
    ],
)
def test_what_is_no_result_is_said_in_one_line(tmp_path, name, content, said):
    if name:
        (tmp_path / name).write_text(content)
    with pytest.raises(EdgebioError, match=said) as error:
        report.write(tmp_path)
    assert "\n" not in str(error.value)


def test_charts_stand_the_extremes():
    """One epoch, a class without windows, one person, equal values, long and odd names."""
    assert "circle" in svg.lines("x", {"training": [[0.5]]}, 1)
    assert "NaN" not in svg.lines("x", {"training": [[0.5, 0.5], [0.5, 0.5]]})
    drawn = svg.confusion("x", [[0, 0], [1, 3]], ["<nothing>", "a name that is far too long"])
    assert "&lt;nothing&gt;" in drawn
    assert "a name that is f…" in drawn
    assert drawn.count("<rect") == 4
    assert svg.people("x", [("1", {"float": 1.0, "int8": 1.0, "other": None})], 1.0, None)
    assert svg.bars("x", [("a", None, "exact"), ("b", -3.0, "-3.0 dB")], 1.0).count("<rect") == 1


def told(recipe=tiny.RECIPE, **metrics):
    """What is told of a training."""
    return words.training(
        recipe, {"parameters": 1234, "validation": NOBODY, "tune": NOBODY, **metrics}
    )


def test_what_is_done_for_new_people_is_told():
    new = NewSubjectsSettings(normalization="session", epochs=7, augment=AugmentSettings(rotate=1))
    training = tiny.RECIPE.training.model_copy(update={"new_subjects": new})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    known, unknown = told(recipe), told(recipe, new_people=True)
    assert " 5 epochs" in known
    assert "labels unseen" not in known
    for said in ("(1,234 parameters)", " 7 epochs", "augmented by rotate", "labels unseen"):
        assert said in unknown, said


@pytest.mark.parametrize(
    ("section", "setting", "value", "none", "said"),
    [
        ("training", "class_weights", 1.0, 0.0, "classes weighted by their inverse frequency,"),
        ("training", "class_weights", 0.4, 0.0, "inverse frequency to the power 0.4"),
        ("training", "prior", 0.4, 0.0, "frequencies of the classes to the power 0.4"),
        ("training", "costs", {"fist": 1.5}, {}, "A miss counts by its class: fist"),
        ("training", "label_smoothing", 0.05, 0.0, "labels smoothed by 0.05"),
        ("training", "weight_decay", 0.01, 0.0, "weight decay 0.01"),
        ("training", "ema_momentum", 0.995, 0.0, "weights averaged by 0.995"),
        ("training", "patience", 4, 0, "stops after 4 epochs without a smaller loss"),
        ("model", "dropout", 0.3, 0.0, "dropout 0.3"),
    ],
)
def test_a_setting_is_told_where_it_is_set(section, setting, value, none, said):
    held = {**NOBODY, "recordings": 7}

    def by(value):
        part = getattr(tiny.RECIPE, section).model_copy(update={setting: value})
        return told(tiny.RECIPE.model_copy(update={section: part}), validation=held)

    assert said in by(value)
    assert re.split(r"(?<= )[0-9.]", said)[0] not in by(none)


def test_what_nothing_stops_runs_its_full_length():
    """Patience is of no use where nobody is held out."""
    held = {**NOBODY, "recordings": 7}
    assert tiny.RECIPE.training.patience
    assert "up to 5 epochs" in told(validation=held)
    assert "up to" not in told()
    assert "stops" not in told()


def test_who_would_tell_when_to_stop_is_trained_on_where_nothing_stops():
    held = {**NOBODY, "recordings": 3}
    for name, validation, trained_on in (
        ("patient-wise", held, False), ("patient-wise", NOBODY, True), ("one-to-one", NOBODY, False)
    ):  # fmt: skip
        said, picture = words.protocol(name, validation)
        assert ("(v) are trained on too" in said) is trained_on
        assert picture.startswith("\n")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"protocol": "one-to-one"}, "one-to-one. Each person's first session"),
        ({"protocol": "one-to-one"}, "This is its first fold, 3."),
        ({"test_sessions": ("2",)}, "tested on session 2, trained on all others."),
        (
            {"train_sessions": ("1", "3"), "test_sessions": ("2",)},
            "tested on session 2, trained on sessions 1 and 3",
        ),
        ({"test_repetitions": 2}, "tested on the last 2 of each class and session"),
    ],
)
def test_a_run_says_its_protocol(asked, said):
    assert said in words.division(DataSettings(**asked), {"fold": "3", "validation": NOBODY})[0]


def test_a_fold_of_an_evaluation_does_not_claim_the_protocol_of_its_recipe(run_page, tmp_path):
    assert "Protocol: by sessions" in run_page.read_text("utf-8")
    shutil.copytree(run_page.parent, tmp_path / "fold")
    storage.write_json(tmp_path / "fold" / RESULT, {})
    text = report.write(tmp_path / "fold").read_text("utf-8")
    assert "Protocol: that of an evaluation; this is its fold 1." in text
    assert "by sessions" not in text


def test_who_was_held_out_and_tuned_on_is_told():
    def side(people, session, recordings):
        return {"subjects": people, "sessions": [session], "recordings": recordings, "windows": 9}

    train, test = side(["1", "2"], "1", 20), side(["3"], "2", 5)
    nobody = words.sides({"train": train, "validation": NOBODY, "tune": NOBODY, "test": test})
    assert nobody == (
        "Trained on people 1 and 2, session 1: 20 recordings. "
        "Tested on person 3, session 2: 5 recordings, 9 windows."
    )
    held = words.sides(
        {"train": train, "validation": side(["4", "5"], "1", 6), "tune": side(["3"], "1", 4),
         "test": test}
    )  # fmt: skip
    assert "Then tuned on person 3, session 1: 4 recordings." in held
    assert "Held out of training: people 4 and 5, session 1, 6 recordings." in held
    own = words.sides(
        {"train": train, "validation": side(["2"], "1", 6), "tune": NOBODY, "test": test}
    )
    assert "Held out of training: their last repetitions of each class, 6 recordings" in own


@pytest.mark.parametrize(
    ("found", "time"),
    [
        ({}, "about 0.36 ms at 25 MHz, by instructions, one taken for a cycle"),
        ({"cycles": {"estimate": 12500}}, "about 0.5 ms at 25 MHz, by estimated cycles"),
        ({"board": "one-of-my-own"}, None),
    ],
)
def test_an_inference_is_told_in_time(found, time):
    (table,) = parts.board({**BENCHED, **found}).tables
    said = dict(table.rows)
    assert said.get("time of an inference") == time
