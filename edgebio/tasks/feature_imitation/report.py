"""What only the report of a feature imitation shows: its predicted features."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from edgebio.report.charts import predicted_over_true
from edgebio.report.page import Figure, Section, Table, Tile, decimal, percent
from edgebio.tasks.description import describe_loss
from edgebio.tasks.feature_imitation.run import ImitationRun
from edgebio.tasks.feature_imitation.score import METRICS

Document = Mapping[str, Any]

_POINTS: Final = 600  # of a scatter chart
_UNITS: Final = {"entropy": "nats", "rms": "sd", "variance": "sd²", "ssi": "sd²"}
_ENTROPIES: Final = {
    "amplitude": "Shannon entropy of the amplitude histogram",
    "softmax": "entropy of the softmax over the samples",
}
_INPUTS: Final = ("true", "imitated", "tuned")  # of a row of ``percentages``


def metric_tiles(run: ImitationRun, quantized: Document | None) -> list[Tile]:
    """Metrics at the top of a run's report."""
    r2 = _r2(run, quantized)
    tiles = [
        Tile(
            f"R², {name}", decimal(r2["int8" if quantized else "float"][name]),
            f"int8; float {decimal(r2['float'][name])}" if quantized else "float",
        )
        for name in run.frontend.features
    ]  # fmt: skip
    source, suffix = (quantized, "_int8") if quantized else (run.metrics, "")
    remark = f"int8; float {percent(quantized['accuracy_float'])}" if quantized else "float"
    return [*tiles, Tile("accuracy", percent(source[f"accuracy{suffix}"]), remark)]


def describe_imitation(run: ImitationRun) -> list[str]:
    """Describe inputs, predicted features and networks."""
    spec, settings = run.frontend.frontend, run.settings
    horizon = 1000 * settings.horizon * spec.step / spec.rate
    segment = f" of the segment {horizon:.0f} ms later" if settings.horizon else ""
    metrics, training, dropout = run.metrics, run.recipe.training, run.recipe.model.dropout
    options = "".join(f", {option}" for option in describe_loss(training))
    return [
        f"Input: the raw signal of one channel, {spec.segment_length} samples "
        f"({1000 * spec.segment_length / spec.rate:.0f} ms) every "
        f"{1000 * spec.step / spec.rate:.0f} ms, after the front end's fixed-point filter, in "
        "standard deviations (sd) of the training set, companded to int8.",
        f"Predicted features: {_ENTROPIES[settings.entropy]}, root mean square, variance and "
        f"simple square integral{segment} of the standardized signal, each in its own unit. R² is "
        "taken over all segments and channels; a perfect prediction has 1.",
        f"Networks: an LSTM of {settings.units} units, shared by all channels "
        f"({metrics['parameters']:,} parameters), trained without labels for {training.epochs} "
        f"epochs of {training.epoch_images:,} segments; and a CNN over the electrodes "
        f"({metrics['parameters_classifier']:,} parameters"
        f"{f', dropout {dropout:g}' if dropout else ''}){options}. Seed {training.seed}.",
    ]


def own_sections(run: ImitationRun, quantized: Document | None) -> list[Section]:
    """Sections of a run's report that only this task has."""
    return [_features_section(run, quantized), _labels_section(run.metrics["percentages"])]


def fold_section(run: ImitationRun, folds: Sequence[Document], mean: Document) -> Section:
    """Section of an evaluation's report: metrics of the predicted features."""
    columns = [
        name.replace("r2_", "R² ").replace("accuracy_", "").replace("_", " ") for name in METRICS
    ]
    rows = [
        [name, *(decimal(row[key]) for key in METRICS)]
        for name, row in [*((fold["fold"], fold) for fold in folds), ("mean", mean)]
    ]
    text = (
        "R² of each feature, float and int8; and the accuracy of the CNN on true features, and of "
        "LSTM and CNN tuned together, with all labels."
    )
    table = Table(["fold", *columns], rows, emphasize_last=True)
    return Section("Predicted features", [text], tables=[table])


def _features_section(run: ImitationRun, quantized: Document | None) -> Section:
    """R² of every feature, and predicted over true values."""
    arrays, names = run.arrays, run.frontend.features
    network = "the int8 network" if quantized else "the float network"
    features = (
        run.int8_features() if quantized else run.frontend.feature_scale.decode(arrays.predicted)
    )
    true, predicted = (v.reshape(-1, len(names)) for v in (arrays.features, features))
    shown = np.unique(np.linspace(0, len(true) - 1, _POINTS).astype(np.int64))
    figures = [
        Figure(
            predicted_over_true(
                f"Predicted {name}", true[shown, k], predicted[shown, k], _UNITS[name],
                logarithmic=name != "entropy",
            ),
            f"{name}, predicted by {network}, for {len(shown)} test segments of single channels.",
        )
        for k, name in enumerate(names)
    ]  # fmt: skip
    columns, rows = _r2_table(_r2(run, quantized))
    return Section("Predicted features", figures=figures, tables=[Table(["R²", *columns], rows)])


def _labels_section(percentages: Sequence[Document]) -> Section:
    """Accuracy by share of the labels."""
    text = (
        "Accuracy of the float CNN trained with the first recorded part of the labeled segments: "
        "on true features, on predicted features, and with LSTM and CNN tuned together."
    )
    rows = [
        [
            f"{row['percentage']:g}\u00a0%",
            f"{row['windows']:,}",
            *(decimal(row[k]) for k in _INPUTS),
        ]
        for row in percentages
    ]
    columns = ["labels", "segments", "true features", "predicted features", "tuned together"]
    return Section("Accuracy by labels", [text], tables=[Table(columns, rows)])


def text_tables(document: Document) -> list[tuple[str, list[str], list[list[Any]]]]:
    """Tables for the command line, of a metrics.json or quantize.json."""
    if "percentages" not in document:
        columns, rows = _r2_table(document["r2"])
        return [("R2", ["", *columns], rows)]
    columns, rows = _r2_table({"float": document["r2"]})
    accuracies = [
        [row["windows"], f"{row['percentage']:g}", *(f"{row[name]:.4f}" for name in _INPUTS)]
        for row in document["percentages"]
    ]
    labels = ["labeled segments", "%", "true features", "predicted features", "tuned together"]
    return [("R2", ["", *columns], rows), ("accuracy", labels, accuracies)]


def _r2(run: ImitationRun, quantized: Document | None) -> Mapping[str, Mapping[str, float]]:
    return quantized["r2"] if quantized else {"float": run.metrics["r2"]}


def _r2_table(r2: Mapping[str, Mapping[str, float]]) -> tuple[list[str], list[list[str]]]:
    columns = list(r2["float"])
    return columns, [[kind, *(f"{row[name]:.4f}" for name in columns)] for kind, row in r2.items()]
