"""Metrics of folds, averaged over folds, subjects, seeds, classes and conditions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgebio.training.metrics import class_metrics
from edgebio.training.statistics import deviation, mean

Row = Mapping[str, Any]
Metrics = dict[str, float | None]

_AT_A_CONDITION = ("accuracy", "accuracy_int8", "accuracy_vote", "accuracy_sure")


def mean_metrics(rows: Sequence[Row], names: Sequence[str]) -> Metrics:
    """Mean of each metric over rows."""
    return {name: mean([row.get(name) for row in rows]) for name in names}


def metric_deviations(rows: Sequence[Row], names: Sequence[str]) -> Metrics:
    """Standard deviation of each metric over rows."""
    return {name: deviation([row.get(name) for row in rows]) for name in names}


def by_subject(folds: Sequence[Row], names: Sequence[str]) -> list[dict[str, Any]]:
    """Mean metrics of each subject over the folds that test it, by rows of their ``people``."""
    rows = [row for fold in folds for row in fold.get("people", [])]
    subjects = []
    for subject in dict.fromkeys(row["subject"] for row in rows):
        own = [row for row in rows if row["subject"] == subject]
        windows = sum(row["windows"] for row in own)
        subjects.append(
            {"subject": subject, "folds": len(own), "windows": windows, **mean_metrics(own, names)}
        )
    return subjects


def by_fold(folds: Sequence[Row], names: Sequence[str]) -> list[dict[str, Any]]:
    """Mean metrics of each fold over its seeds; all else is of the first seed."""
    rows = []
    for fold in dict.fromkeys(row["fold"] for row in folds):
        own = [row for row in folds if row["fold"] == fold]
        rows.append({**own[0], **mean_metrics(own, names)})
    return rows


def by_class(folds: Sequence[Row]) -> list[dict[str, Any]]:
    """Metrics of each class of the int8 models, from the decisions of all folds together."""
    counts = np.sum([fold["confusion_int8"] for fold in folds], axis=0)
    rows = zip(folds[0]["classes"], class_metrics(counts.tolist()), strict=True)
    return [{"class": name, **row} for name, row in rows]


def by_condition(folds: Sequence[Row]) -> list[dict[str, Any]]:
    """Mean accuracies over the folds that are trained, and tested, at the same conditions."""
    by_pair: dict[tuple[str, str], list[Row]] = {}
    for fold in folds:
        for row in fold.get("conditions", []):
            by_pair.setdefault((row["trained"], row["tested"]), []).append(row)
    return [
        {
            "trained": trained,
            "tested": tested,
            "folds": len(rows),
            **mean_metrics(rows, _AT_A_CONDITION),
        }
        for (trained, tested), rows in by_pair.items()
    ]
