"""Metrics by subject: table, chart and bootstrap interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgebio.report.charts import subject_dots
from edgebio.report.page import Figure, Section, Table, decimal
from edgebio.training.statistics import (
    REJECTED_SHARE,
    VOTES,
    confidence_interval,
    deviation,
    mean,
)  # fmt: skip

VOTED = {
    "accuracy_vote": f"vote over {VOTES}",
    "accuracy_sure": f"{100 * REJECTED_SHARE:.0f} % rejected",
}
"""Columns of int8 accuracy after a vote and after rejection, by metric."""

_COLUMNS = {
    "accuracy": "float",
    "accuracy_int8": "int8",
    "balanced_accuracy_int8": "balanced int8",
    "macro_f1_int8": "macro F1 int8",
    "roc_auc_int8": "ROC-AUC int8",
    "instability_int8": "instability int8",
    "accuracy_decided": "decided",
    "rejection_rate": "rejected",
    **VOTED,
}


def subjects_section(
    rows: Sequence[Mapping[str, Any]],
    vote_delay: str = "",
    lda: Mapping[str, float] | None = None,
) -> Section:
    """Describe the subjects that a run or an evaluation was tested on.

    Parameters
    ----------
    rows
        By subject: ``subject`` and the metrics that are known.
    vote_delay
        Of a majority vote over `VOTES` segments, with its unit.
    lda
        Accuracy of the linear discriminant by subject.
    """
    keys = [key for key in _COLUMNS if any(row.get(key) is not None for row in rows)]
    main = "accuracy_int8" if "accuracy_int8" in keys else "accuracy"
    accuracies = [row[main] for row in rows]
    bounds = confidence_interval(accuracies)
    series = {
        name: {row["subject"]: row.get(key) for row in rows}
        for key, name in ((main, _COLUMNS[main]), ("accuracy", "float"))
    }
    columns: list[list[float | None]] = [[row.get(key) for row in rows] for key in keys]
    names = [_COLUMNS[key] for key in keys]
    if lda:
        series["LDA"] = {row["subject"]: lda.get(row["subject"]) for row in rows}
        columns.append(list(series["LDA"].values()))
        names.append("LDA")
    cells = [
        [row["subject"], *map(decimal, values)]
        for row, values in zip(rows, zip(*columns, strict=True), strict=True)
    ]
    if len(rows) > 1:
        cells += [
            ["mean", *(decimal(mean(column)) for column in columns)],
            ["standard deviation", *(decimal(deviation(column)) for column in columns)],
            ["95 % interval", *(interval_text(confidence_interval(each)) for each in columns)],
        ]
    chart = subject_dots(
        "Accuracy by subject", series, "accuracy", float(np.mean(accuracies)), bounds
    )
    caption = f"Accuracy of each tested subject; the dashed line is the mean of {_COLUMNS[main]}"
    caption += ", the band its 95 % bootstrap interval over subjects." if bounds else "."
    return Section(
        "By subject", _explanations(keys, vote_delay), [Figure(chart, caption)],
        [Table(["subject", *names], cells)],
    )  # fmt: skip


def _explanations(keys: Sequence[str], vote_delay: str) -> list[str]:
    """Explain the columns that do not explain themselves."""
    text = []
    if "instability_int8" in keys:
        text.append(
            "Instability: share of decisions that differ from the previous one within a class."
        )
    if "accuracy_decided" in keys:
        text.append(
            "Decided: accuracy of the device's decisions with the recipe's vote and threshold; a "
            "rejected segment counts as wrong."
        )
    if "accuracy_vote" in keys:
        delay = f" ({vote_delay})" if vote_delay else ""
        text.append(
            f"Vote over {VOTES}: a majority vote over {VOTES} segments, which delays a decision by "
            f"{VOTES // 2} of them{delay}. {100 * REJECTED_SHARE:.0f} % rejected: accuracy without "
            "the least certain segments of each subject."
        )
    return [" ".join(text)] if text else []


def vote_delay(step: int, rate: float) -> str:
    """Delay of a majority vote over `VOTES` segments, with a segment every `step` samples."""
    return f"{VOTES // 2 * 1000 * step / rate:.0f} ms"


def interval_text(interval: Sequence[float] | None) -> str:
    """A confidence interval, or a dash."""
    return "{:.3f} –\u00a0{:.3f}".format(*interval) if interval else "–"
