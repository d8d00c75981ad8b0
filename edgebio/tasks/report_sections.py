"""Sections that the reports of runs and evaluations share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.report.charts import bars, confusion_matrix, curves, roc_curves
from edgebio.report.page import Columns, Figure, Section, Table, decimal, metric, percent
from edgebio.training import metrics

_SCHEMES = {
    "ptq": "The trained network was quantized as it is.",
    "qat": "The network was fine-tuned with int8 rounding before it was quantized.",
    "prune": "The network was fine-tuned while small weights were set to 0, and then quantized.",
    "cluster": "The network was fine-tuned with few distinct weights, and then quantized.",
}
_METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "roc_auc": "ROC-AUC",
    "instability": "instability",
}


def fold_name(fold: Mapping[str, Any], folds: Sequence[Mapping[str, Any]]) -> str:
    """Name of a fold, with its seed where there are several."""
    several = len({each["seed"] for each in folds}) > 1
    return f"{fold['fold']}, seed {fold['seed']}" if several else str(fold["fold"])


def training_section(
    histories: Sequence[Mapping[str, Sequence[float]]], best_epoch: int | None
) -> Section:
    """Loss and accuracy over epochs, of one training or of several folds."""
    figures = []
    marks = {"best epoch": best_epoch} if best_epoch else {}
    for key, ylabel in (("loss", "cross-entropy"), ("accuracy", "accuracy")):
        series = {
            name: [history[prefix + key] for history in histories if history.get(prefix + key)]
            for name, prefix in (("training", ""), ("validation", "val_"))
        }
        series = {name: lines for name, lines in series.items() if lines}
        if series:
            title = f"{key.capitalize()} over epochs"
            caption = f"{title}."
            if len(histories) > 1:
                caption += f" One curve per fold ({len(histories)})."
            if key == "accuracy":
                caption += " Training accuracy is measured on augmented images."
            chart = curves(title, series, "epoch", ylabel, marks=marks)
            figures.append(Figure(chart, caption))
    return Section("Training", figures=figures)


def decisions_section(
    counts: Sequence[Sequence[int]],
    classes: Sequence[str],
    by_class: Sequence[Mapping[str, Any]],
    labels: npt.NDArray[np.integer],
    values: npt.NDArray[Any],
    network: str,
) -> Section:
    """Confusion matrix, ROC curves and metrics by class.

    Parameters
    ----------
    counts, classes
        Segments by true and decided class, and names of the classes.
    by_class
        As `edgebio.training.metrics.class_metrics` gives them.
    labels, values
        Of the test segments, shape (n,) and (n, classes), for the ROC.
    network
        Name of the network that decided.
    """
    chart = confusion_matrix(f"Confusion matrix of {network}", counts, classes)
    caption = f"Confusion matrix of {network}, in percent of each true class."
    if not all(map(sum, counts)):
        caption += " An empty row is a class without test segments."
    figures = [Figure(chart, caption)]
    areas = metrics.roc_areas(labels, values)
    rates = {classes[k]: curve for k, curve in metrics.roc_curves(labels, values).items()}
    if rates:
        lowest = [classes[k] for k in sorted(areas, key=lambda k: areas[k])[:2]]
        chart = roc_curves(f"ROC of {network}", rates, lowest)
        caption = (
            f"ROC of {network}, each class against the rest. The classes with the smallest areas "
            "are named."
        )
        figures.append(Figure(chart, caption))
    rows = [
        {**row, "class": name, "area": areas.get(k)}
        for k, (name, row) in enumerate(zip(classes, by_class, strict=True))
    ]
    columns: Columns = {
        "class": "{class}",
        "recall": lambda row: percent(row["recall"]),
        "precision (+P)": lambda row: percent(row["precision"]),
        "F1": metric("f1"),
        "ROC-AUC": metric("area"),
        "segments": "{windows:,}",
    }
    return Section("Decisions by class", figures=figures, tables=[Table.tabulate(rows, columns)])


def quantization_section(report: Mapping[str, Any]) -> Section:
    """Float and int8 metrics, and the error of every layer, of a quantize.json."""
    rows = [
        [name, decimal(report.get(f"{key}_float")), decimal(report.get(f"{key}_int8"))]
        for key, name in _METRICS.items()
    ]
    layers = [
        (layer["name"], snr, "exact" if snr is None else f"{snr:.1f} dB")
        for layer in report["layers"]
        for snr in [layer["snr_db"]]
    ]
    sizes = report["bytes"]
    text = (
        f"{_SCHEMES[report['scheme']]} The int8 network decides {report['decisions_differing']:,} "
        f"of {report['windows']:,} test segments differently. It takes {sizes['int8']:,} bytes, "
        f"the float network {sizes['float']:,}. Its outputs were computed by {report['kernels']}."
    )
    chart = bars("Signal-to-noise ratio by layer", layers, "SNR, dB")
    caption = (
        "Signal-to-noise ratio of each int8 layer against the float network, errors of earlier "
        "layers included."
    )
    return Section(
        "Float against int8", [text], [Figure(chart, caption)], [Table(["", "float", "int8"], rows)]
    )
