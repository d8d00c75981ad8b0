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

from edgebio import report, storage
from edgebio.cli import main
from edgebio.errors import EdgebioError
from edgebio.evaluation import evaluate
from edgebio.evaluation.evaluate import result
from edgebio.parity.compare import exact
from edgebio.parity.hil import Check, Measure
from edgebio.recipes import AugmentSettings, NewPeopleSettings
from edgebio.report import svg, words
from edgebio.training import gradcam
from tests import tiny

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
    layers = [
        {"index": k, "operator": "CONV_2D", "instructions": 4500, "macs": 50} for k in range(2)
    ]
    bench = {"board": "mps2-an386", "core": "cortex-m4", "instructions": 9000, "macs": 100,
             "flash": {"total": 20360},
             "ram": {"total": 20432, "activations": 4972, "scratch": 4, "stack": 680},
             "layers": layers}  # fmt: skip
    report.keep(folder, report.BENCHED, bench, model)
    wanted, had = np.array([[5, 6]]), np.array([[5, 9]])
    part = exact("layer 0 conv", wanted, had, ("input", "class"))
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
def evaluation_page(tmp_path_factory):
    """Page of an evaluation whose two folds are two people."""
    tiny.quantized()
    folder = tmp_path_factory.mktemp("report") / "evaluation"
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
            found.append({**row, "seed": recipe.training.seed, "place": f"folds/{name}"})
        return found

    patch.setattr(sys.modules["edgebio.evaluation.evaluate"], "_run", copied)
    both = [*tiny.recordings("1"), *tiny.recordings("2")]
    evaluate(tiny.RECIPE, both, "one-to-one", folder, baseline="lda", seeds=2)
    patch.undo()
    return report.write(folder)


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
    assert f"{100 * quantized['accuracy_int8']:.1f} %" in text
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
    assert "bench.json is of an earlier model and was left out." in text


def test_an_evaluation_is_told_by_person(evaluation_page):
    text = evaluation_page.read_text("utf-8")
    document = json.loads((evaluation_page.parent / "evaluation.json").read_text())
    low, high = document["interval"]["accuracy_int8"]
    assert low < high
    assert f"{100 * low:.1f} to {100 * high:.1f} %, 95 % over people" in text
    for person in document["people"]:
        assert f'<th scope="row">{person["subject"]}</th>' in text
    assert f"{document['baseline']['folds'][1]['accuracy']:.3f}" in text


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


def test_what_is_done_for_new_people_is_told():
    new = NewPeopleSettings(normalise="session", epochs=7, augment=AugmentSettings(rotate=1))
    training = tiny.RECIPE.training.model_copy(update={"new_people": new})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    known = words.training(recipe, {"parameters": 1234})
    unknown = words.training(recipe, {"parameters": 1234, "new_people": True})
    assert "up to 5 epochs" in known
    assert "labels unseen" not in known
    for told in ("(1,234 parameters)", "up to 7 epochs", "augmented by rotate", "labels unseen"):
        assert told in unknown, told
