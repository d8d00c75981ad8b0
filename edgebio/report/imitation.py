"""The page of a run whose network imitates features, and what an evaluation of it shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgebio import storage, tflite
from edgebio.evaluation.evaluate import IMITATION
from edgebio.quantize.imitation import TOLD
from edgebio.quantize.quantize import MODEL, OUTPUTS, REPORT
from edgebio.report import parts, persons, svg, words
from edgebio.report.page import Figure, Page, Section, Table, figure, read, share
from edgebio.training import imitation as runs
from edgebio.training.imitation import ImitationRun

_POINTS = 600  # of a scatter plot
_UNITS = {"entropy": "nats", "rms": "sd", "variance": "sd²", "ssi": "sd²"}


def page(folder: Path) -> Page:
    """Tell everything that is known of a run; see `edgebio.report.page.write`."""
    run = runs.load(folder)
    metrics, classes = run.metrics, run.frontend.classes
    quantized = read(folder / REPORT) if (folder / REPORT).is_file() else None
    about = [
        *parts.divided(run),
        *asked(run),
    ]
    if without := words.left_out(metrics.get("left_out", {})):
        about.append(without)
    values: Any = run.arrays.probability
    counts, by_class, what = metrics["confusion"], metrics["by_class"], "the float networks"
    if quantized:
        values = np.load(folder / OUTPUTS, allow_pickle=False)
        counts, by_class = quantized["confusion_int8"], quantized["by_class_int8"]
        what = "the int8 networks"
    sections = [
        Section("What was asked", about),
        _features(folder, run, quantized),
        _shares(metrics["percentages"]),
        parts.decisions(counts, classes, by_class, run.arrays.labels, values, what),
        persons.of_run(run, quantized is not None),
        parts.curves([metrics["history"]], None),
    ]
    tiles = [
        (f"R2, {name}", figure((quantized["r2"]["int8"] if quantized else metrics["r2"])[name]),
         f"int8; float {figure(quantized['r2']['float'][name])}" if quantized else "float")
        for name in metrics["features"]
    ]  # fmt: skip
    tiles.append(
        ("accuracy, int8", share(quantized["accuracy_int8"]),
         f"float {share(quantized['accuracy_float'])}")
        if quantized
        else ("accuracy, float", share(metrics["accuracy"]), "by window")
    )  # fmt: skip
    notes: list[str] = []
    if quantized:
        sections.append(parts.quantization(quantized))
        more, notes = parts.kept(folder, storage.sha256(folder / MODEL))
        sections += more
    return Page(
        title=run.recipe.title or run.recipe.name,
        subtitle=f"{run.recipe.name} on {metrics['dataset']}, {words.side(metrics['test'])}",
        tiles=tiles,
        sections=sections,
        made_from=f"model {quantized['model_sha256'][:16]}…" if quantized else "a float network",
        notes=notes,
    )


def asked(run: ImitationRun) -> list[str]:
    """Say what goes in, what is to be told, and by which networks."""
    spec, settings = run.frontend.frontend, run.settings
    ahead = settings.prediction * spec.step / spec.rate
    when = f" of the window {1000 * ahead:.0f} ms later" if settings.prediction else ""
    entropy = {
        "amplitude": "Shannon's entropy of the amplitude's histogram",
        "softmax": "the entropy of the softmax over the samples",
    }[settings.entropy]
    metrics, training, dropout = run.metrics, run.recipe.training, run.recipe.model.dropout
    weighted = "".join(f", {each}" for each in words.weighted(training))
    return [
        f"What the network sees: the raw signal of one channel, {spec.window} samples "
        f"({1000 * spec.window / spec.rate:.0f} ms) every {1000 * spec.step / spec.rate:.0f} ms, "
        "after the front end's fixed-point filter, in standard deviations of the training side, "
        "companded to int8.",
        f"What it tells: {entropy}, root mean square, variance and simple square integral{when}, "
        "each in its own unit, of the standardised signal. R2 is of the features themselves, over "
        "all windows and channels together; it is 1 where all is right.",
        f"Networks: an LSTM of {settings.units} units, one for all channels "
        f"({metrics['parameters']:,} parameters), {training.epochs} epochs of "
        f"{training.epoch_images:,} windows, without labels; and a CNN over the electrodes "
        f"({metrics['parameters_classifier']:,} parameters"
        f"{f', dropout {dropout:g}' if dropout else ''}){weighted}. Seed {training.seed}.",
    ]


def by_fold(folds: Sequence[Mapping[str, Any]], mean: Mapping[str, Any]) -> Section:
    """Figures of an evaluation's folds that only an imitation has."""
    columns = [name.replace("r2_", "R2 ").replace("accuracy_", "").replace("_", " ")
               for name in IMITATION]  # fmt: skip
    lines = [(fold["fold"], fold) for fold in folds] + [("mean", mean)]
    rows = [[name, *(figure(found[key]) for key in IMITATION)] for name, found in lines]
    said = (
        "R2 of each feature, float and int8; and the accuracy of the CNN on true features, and of "
        "LSTM and CNN tuned together, with all labels."
    )
    table = Table(["fold", *columns], rows, last_stands_out=True)
    return Section("What is imitated", [said], tables=[table])


def _features(folder: Path, run: ImitationRun, quantized: Mapping[str, Any] | None) -> Section:
    """R2 of every feature, and what was told against what is true."""
    kept, told = run.arrays, run.frontend.told
    units, what = kept.told.astype(np.float64), "the float network"
    found = {"float": run.metrics["r2"]}
    if quantized:
        graph = tflite.read(folder / MODEL)
        output = graph.tensors[graph.outputs[0]]
        codes = np.load(folder / TOLD, allow_pickle=False).astype(np.float64)
        units, what = (codes - output.zero_point[0]) * output.scale[0], "the int8 network"
        found = quantized["r2"]
    names = run.frontend.features
    true, said = (v.reshape(-1, len(names)) for v in (kept.features, told.decode(units)))
    some = np.unique(np.linspace(0, len(true) - 1, _POINTS).astype(np.int64))
    figures = [
        Figure(
            svg.scatter(f"{name} told against true", true[some, k].tolist(), said[some, k].tolist(),
                        logarithmic=name != "entropy"),
            f"{name} ({_UNITS[name]}) as {what} tells it (upwards) against the true one, of "
            f"{len(some)} test windows of single channels.",
        )
        for k, name in enumerate(names)
    ]  # fmt: skip
    rows = [[kind, *(f"{row[name]:.4f}" for name in names)] for kind, row in found.items()]
    return Section("What is imitated", figures=figures, tables=[Table(["R2", *names], rows)])


def _shares(percentages: Sequence[Mapping[str, Any]]) -> Section:
    said = (
        "Accuracy by window of the CNN trained with a share of the labelled windows, those that "
        "were recorded first: on true features, on imitated ones, and of LSTM and CNN tuned "
        "together on them (all float)."
    )
    rows = [
        [f"{row['percentage']:g} %", f"{row['windows']:,}",
         *(figure(row[name]) for name in ("true", "imitated", "tuned"))]
        for row in percentages
    ]  # fmt: skip
    columns = ["labels", "windows", "true features", "imitated", "tuned together"]
    return Section("What the labels are worth", [said], tables=[Table(columns, rows)])
