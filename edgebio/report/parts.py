"""Sections that the page of a run and that of an evaluation share."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from edgebio import boards
from edgebio.errors import EdgebioError
from edgebio.evaluation.evaluate import RESULT
from edgebio.report import picture, svg, words
from edgebio.report.kept import BENCHED, ON_BOARD, VALIDATED
from edgebio.report.page import Figure, Section, Table, figure, read, share
from edgebio.training import gradcam
from edgebio.training.gradcam import typical
from edgebio.training.imitation import ImitationRun
from edgebio.training.run import Run
from edgebio.training.scores import roc, roc_areas

_SCHEMES = {
    "ptq": "The network was quantized as it was trained.",
    "qat": "The network was trained on with the rounding of int8 first; figures are after it.",
    "prune": "The network was trained on while small weights became 0; figures are after it.",
    "cluster": "The network was trained on while its weights became few values; figures are after "
    "it.",
}


def divided(run: Run | ImitationRun) -> list[str]:
    """Data set, protocol and sides of a run, in words."""
    metrics = run.metrics
    # A fold's recipe need not name the protocol that it was made by.
    of_evaluation = f"Protocol: that of an evaluation; this is its fold {metrics['fold']}."
    is_fold = (run.folder / RESULT).is_file()
    return [
        words.data(metrics["dataset"]),
        *([of_evaluation] if is_fold else words.division(run.recipe.data, metrics)),
        words.sides(metrics),
    ]


def curves(histories: Sequence[Mapping[str, Sequence[float]]], best: int | None) -> Section:
    """Loss and accuracy over epochs, of one training or of one a fold."""
    figures = []
    for key, name in (("loss", "Loss"), ("accuracy", "Accuracy")):
        series = {
            word: [history[prefix + key] for history in histories if history.get(prefix + key)]
            for word, prefix in (("training", ""), ("validation", "val_"))
        }
        series = {word: several for word, several in series.items() if several}
        if not series:
            continue
        many = f", one line for each of {len(histories)} folds" if len(histories) > 1 else ""
        marked = "; the dashed line marks the epoch whose weights are kept" if best else ""
        added = "" if key == "loss" else " Augmented images are harder than those that are tested."
        figures.append(
            Figure(
                svg.lines(f"{name} over epochs", series, best, share=key == "accuracy"),
                f"{name} over epochs{many}{marked}.{added}",
            )
        )
    return Section("Training", figures=figures)


def decisions(
    counts: Sequence[Sequence[int]],
    classes: Sequence[str],
    by_class: Sequence[Mapping[str, Any]],
    labels: npt.NDArray[np.integer],
    values: npt.NDArray[Any] | None,
    what: str,
) -> Section:
    """Confusion matrix, ROC and the figures by class.

    Parameters
    ----------
    counts, classes
        Windows by true and decided class, and names.
    by_class
        As `edgebio.training.scores.by_class` gives them.
    labels, values
        Of the test windows, for the ROC; no values, no ROC.
    what
        Which network decided, in words.
    """
    figures = [
        Figure(
            svg.confusion(f"Confusion matrix, {what}", counts, classes),
            f"Confusion matrix of {what}: per cent of each true class (row) by decided class "
            "(column, by number). A row that is empty has no test window.",
        )
    ]
    areas: dict[int, float] = {}
    if values is not None:
        found = roc(labels, values)
        areas = roc_areas(labels, values)
        if found:
            worst = sorted(found, key=lambda k: areas[k])[: min(2, len(found))]
            named = {classes[k]: curve for k, curve in found.items()}
            figures.append(
                Figure(
                    svg.roc("ROC, one class against the rest", named, [classes[k] for k in worst]),
                    f"ROC of {what}, each class against the rest; the classes of the smallest "
                    "areas are named, and the table has the area of all.",
                )
            )
    rows = []
    for k, (name, row) in enumerate(zip(classes, by_class, strict=True)):
        rows.append(
            [
                f"{k + 1} {name}",
                share(row["recall"]),
                share(row["precision"]),
                figure(row["f1"]),
                figure(areas.get(k)),
                f"{row['windows']:,}",
            ]
        )
    columns = ["class", "recall", "precision (+P)", "F1", "ROC-AUC", "windows"]
    return Section("Decisions by class", figures=figures, tables=[Table(columns, rows)])


def examples(run: Run) -> Section:
    """One test image of each class: the one of which the float network was middlingly certain."""
    test, probability = run.test(), run.probability()
    strips = []
    for k, name in enumerate(run.frontend.classes):
        chosen = typical(test.labels, probability, k)
        if chosen is None:
            continue
        address = picture.strip(test.take(np.array([chosen]))[0])
        decided = run.frontend.classes[int(probability[chosen].argmax())]
        said = name if decided == name else f"{name} (decided: {decided})"
        strips.append(
            Markup('<div><span>{} {}</span><img src="{}" alt="STFT image of {}"></div>').format(
                k + 1, said, address, name
            )
        )
    spec = run.frontend.frontend
    rows, bins, channels = spec.image_shape
    caption = (
        f"Int8 images as the device computes them, one test window of each class (that of median "
        f"certainty): {channels} channels side by side, each {rows} columns of time (to the right) "
        f"by {bins} bins of frequency (upwards). Dark is little, bright is much."
    )
    inside = Markup('<div class="strips">{}</div>').format(Markup("").join(strips))
    return Section("What the device sees", figures=[Figure(inside, caption, wide=True)])


def attention(run: Run) -> Section:
    """Grad-CAM of the same images, and its mean over each class; empty where a run has none."""
    found = gradcam.load(run.folder)
    title = "What the network looks at"
    if found is None:
        return Section(title)
    test, strips = run.test(), []
    for k, name in enumerate(run.frontend.classes):
        if found.examples[k] < 0:
            continue
        image = test.take(found.examples[k : k + 1])[0].mean(axis=-1)
        pictures = [("one image", picture.heated(image, found.maps[k]))]
        if found.counts[k]:
            flat = np.full_like(image, -60.0)
            said = f"mean of {found.counts[k]}"
            pictures.append((said, picture.heated(flat, found.means[k])))
        cells = Markup("").join(
            Markup('<div><span>{} {}, {}</span><img src="{}" alt="Grad-CAM of {}"></div>').format(
                k + 1, name, said, address, name
            )
            for said, address in pictures
        )
        strips.append(Markup('<div class="pair">{}</div>').format(cells))
    caption = (
        "Grad-CAM of the float network. Coloured, the brighter the more, is what speaks for the "
        "image's own class. On the left over the image from above (channels averaged, grey); on "
        "the right the mean over test images of the class that are decided rightly. Time goes to "
        "the right, frequency upwards."
    )
    inside = Markup('<div class="strips">{}</div>').format(Markup("").join(strips))
    return Section(title, figures=[Figure(inside, caption, wide=True)])


def quantization(found: Mapping[str, Any]) -> Section:
    """Float against int8: the scores and every layer."""
    names = (
        ("accuracy", "accuracy"),
        ("balanced_accuracy", "balanced accuracy"),
        ("macro_f1", "macro F1"),
        ("roc_auc", "ROC-AUC"),
        ("instability", "instability"),
    )
    scores = Table(
        ["", "float", "int8"],
        [
            [name, figure(found.get(f"{key}_float")), figure(found.get(f"{key}_int8"))]
            for key, name in names
        ],
    )
    rows = [(layer["name"], layer["snr_db"]) for layer in found["layers"]]
    highest = max([snr for _, snr in rows if snr is not None] or [1.0])
    chart = svg.bars(
        "Signal to noise by layer",
        [(n, s, "exact" if s is None else f"{s:.1f} dB") for n, s in rows],
        max(highest, 1.0),
    )
    sizes = found["bytes"]
    words = (
        f"{_SCHEMES[found['scheme']]} "
        f"{found['decisions_differing']:,} of {found['windows']:,} test windows are decided "
        f"otherwise by the int8 network. It takes {sizes['int8']:,} bytes, the float one "
        f"{sizes['float']:,}. Int8 was computed by {found['kernels']}."
    )
    caption = (
        "Signal to noise of the int8 network's layers against the float network's, in dB; the "
        "errors of earlier layers are in those of later ones. Exact: no difference at all."
    )
    return Section(
        "Float against int8", words=[words], figures=[Figure(chart, caption)], tables=[scores]
    )


def ladder(found: Mapping[str, Any]) -> Section:
    """The rungs that ``edgebio validate`` climbed."""
    state = {True: "holds", False: "BROKEN", None: "not climbed"}
    rows = [
        [
            f"{rung['rung']} {rung['name']}",
            f"{rung['compared']:,}",
            "–" if rung["snr_db"] is not None else f"{rung['differing']:,}",
            "–" if rung["snr_db"] is None else f"{rung['snr_db']:.1f}\u00a0dB",
            state[rung["ok"]],
        ]
        for rung in found["rungs"]
    ]
    where = f" on {found['board']}" if found["board"] else ""
    return Section(
        "The ladder",
        words=[f"What edgebio validate found{where}, fed with recordings: {found['recordings']}."],
        tables=[Table(["rung", "compared", "differing", "SNR", ""], rows)],
    )


def board(found: Mapping[str, Any]) -> Section:
    """What ``edgebio bench`` counted."""
    flash, ram = found["flash"], found["ram"]
    rows = [["instructions of an inference", f"{found['instructions']:,}"]]
    if found.get("cycles"):
        rows.append(["cycles, estimated", f"about {found['cycles']['estimate']:,}"])
    rows += [
        *_time(found),
        ["multiply-accumulates", f"{found['macs']:,}"],
        ["flash", f"{flash['total']:,} bytes"],
        ["RAM in all", f"{ram['total']:,} bytes"],
        ["of it activations", f"{ram['activations']:,} bytes"],
        ["of it scratch", f"{ram['scratch']:,} bytes"],
        ["of it stack", f"{ram['stack']:,} bytes"],
    ]
    total = max(1, sum(layer["instructions"] for layer in found["layers"]))
    chart = svg.bars(
        "Instructions by layer",
        [
            (
                f"{layer['index']} {layer['operator'].lower()}",
                layer["instructions"] / total,
                f"{layer['instructions']:,}",
            )
            for layer in found["layers"]
        ],
        max(layer["instructions"] for layer in found["layers"]) / total,
    )
    return Section(
        f"On the board: {found['board']}",
        words=[
            f"Counted on the emulated {found['core']}; flash and RAM are of the network with a "
            "minimal application. Of a decision's time it is the network's part; the columns of "
            "the front end that are new with it come on top."
        ],
        figures=[Figure(chart, "Executed instructions of one inference, by layer.")],
        tables=[Table(["", "value"], rows)],
    )


def _time(found: Mapping[str, Any]) -> list[list[str]]:
    """Row of an inference's time; none where the board is not known by its name."""
    try:
        hertz = boards.load(found["board"]).clock_hz
    except EdgebioError:
        return []  # by a board file of one's own
    ticks, counted = found["instructions"], "instructions, one taken for a cycle"
    if found.get("cycles"):
        ticks, counted = found["cycles"]["estimate"], "estimated cycles"
    time = f"about {1000 * ticks / hertz:.3g} ms at {hertz / 1e6:g} MHz, by {counted}"
    return [["time of an inference", time]]


def hardware(found: Mapping[str, Any]) -> Section:
    """What ``edgebio hil`` found."""
    checks = {check["name"]: check for check in found["checks"]}
    state = {True: "holds", False: "FAILED", None: "left out"}
    tables = [
        Table(
            ["check", "found", ""],
            [[name, check["note"], state[check["ok"]]] for name, check in checks.items()],
        )
    ]
    compared = [m for check in checks.values() for m in check["measures"]]
    if compared:
        rows = [
            [m["name"], f"{m['compared']:,}", f"{m['differing']:,}", str(m["worst"]),
             "exact" if not m["differing"] else f"{m['cosine']:.6f}"]
            for m in compared
        ]  # fmt: skip
        columns = ["stage or layer", "values", "differing", "steps at most", "cosine"]
        tables.append(Table(columns, rows, "Everything the board made, against this machine."))
    latency = checks.get("latency", {})
    times = {
        name: {key: f"{value / 1000:.2f}" for key, value in latency[key_of].items()}
        for key_of, name in (("frontend_us", "front end, a window"), ("model_us", "network"))
        if key_of in latency
    }
    if late := checks.get("soak", {}).get("latency"):
        times["streamed: last sample to decision"] = {k: f"{v:.2f}" for k, v in late.items()}
    if times:
        names = list(next(iter(times.values())))
        tables.append(
            Table(
                ["milliseconds", *names],
                [[what, *(row.get(name, "–") for name in names)] for what, row in times.items()],
                "By the board's own clock; what was streamed, by this machine's.",
            )
        )
    return Section(
        f"Hardware in the loop: {found['board']}",
        words=[f"What edgebio hil found of the board on {found['port']}."],
        tables=tables,
    )


def kept(folder: Path, digest: str) -> tuple[list[Section], list[str]]:
    """What validate, bench and hil have left in a run, and notes of what is of another model.

    Parameters
    ----------
    folder
        Of the run.
    digest
        SHA-256 of its model.tflite.
    """
    sections, notes = [], []
    for name, section in ((VALIDATED, ladder), (BENCHED, board), (ON_BOARD, hardware)):
        if not (folder / name).is_file():
            continue
        found = read(folder / name)
        if found.get("model_sha256") == digest:
            sections.append(section(found))
        else:
            notes.append(f"{name} is of another model and was left out.")
    return sections, notes
