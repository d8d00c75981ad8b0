"""Metrics of segment decisions and of predicted features.

scikit-learn is imported inside the functions: it takes seconds to import, and most modules that
import this one compute no metric.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer]
Values = npt.NDArray[np.floating] | npt.NDArray[np.int8]

_ROC_POINTS = 101


def classification_metrics(
    labels: Integers, values: Values, recordings: Integers
) -> dict[str, float | None]:
    """All metrics of a classifier's outputs: those of `decision_metrics`, ROC-AUC and instability.

    Parameters
    ----------
    labels, recordings
        int, shape (n,): true class of every segment, and number of its recording, in order of time.
    values
        Shape (n, classes): higher where a class is more likely, of any scale.
    """
    decisions = values.argmax(axis=1)
    return {
        **decision_metrics(labels, decisions),
        "roc_auc": roc_auc(labels, values),
        "instability": instability(labels, decisions, recordings),
    }


def decision_metrics(labels: Integers, decisions: Integers) -> dict[str, float]:
    """Accuracy, balanced accuracy (mean recall) and macro F1 of decisions, each within 0 to 1.

    Means over classes are over those that occur in `labels`, int, shape (n,).
    """
    from sklearn import metrics

    present = np.unique(labels)
    options: dict[str, Any] = {"labels": present, "average": "macro", "zero_division": 0.0}
    return {
        "accuracy": float(metrics.accuracy_score(labels, decisions)),
        "balanced_accuracy": float(metrics.recall_score(labels, decisions, **options)),
        "macro_f1": float(metrics.f1_score(labels, decisions, **options)),
    }


def confusion_counts(labels: Integers, decisions: Integers, classes: int) -> list[list[int]]:
    """Count segments by true class (row) and decided class (column)."""
    from sklearn import metrics

    matrix = metrics.confusion_matrix(labels, decisions, labels=np.arange(classes))
    return [[int(count) for count in row] for row in matrix]


def class_metrics(counts: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Precision (positive predictivity, +P), recall (sensitivity) and F1 of each class.

    ``precision`` is None for a class that is never decided, ``recall`` and ``f1`` for one that does
    not occur; ``windows`` counts its segments. `counts` are those of `confusion_counts`.
    """
    matrix = np.asarray(counts)
    rows = []
    for k, correct in enumerate(matrix.diagonal().tolist()):
        occurrences, decided = int(matrix[k].sum()), int(matrix[:, k].sum())
        rows.append(
            {
                "precision": correct / decided if decided else None,
                "recall": correct / occurrences if occurrences else None,
                "f1": 2 * correct / (occurrences + decided) if occurrences else None,
                "windows": occurrences,
            }
        )
    return rows


def roc_auc(labels: Integers, values: Values) -> float | None:
    """Area under the ROC curve of each class against the rest, mean over classes that occur.

    None if `labels` holds a single class; see `classification_metrics`.
    """
    areas = roc_areas(labels, values)
    return float(np.mean(list(areas.values()))) if areas else None


def roc_areas(labels: Integers, values: Values) -> dict[int, float]:
    """Area under the ROC curve of each class that occurs beside others; see `roc_auc`."""
    from sklearn import metrics

    present = np.unique(labels)
    if len(present) < 2:
        return {}
    return {int(k): float(metrics.roc_auc_score(labels == k, values[:, k])) for k in present}


def roc_curves(labels: Integers, values: Values) -> dict[int, tuple[list[float], list[float]]]:
    """ROC curve of each class that occurs beside others, thinned out to what can be seen.

    False and true positive rates by class, both rising from 0 to 1; see `classification_metrics`.
    """
    from sklearn import metrics

    curves = {}
    for k in np.unique(labels):
        if (labels == k).all():
            continue
        false, true, _ = metrics.roc_curve(labels == k, values[:, k])
        if len(false) > _ROC_POINTS:
            # Points at equal distances along the curve, as it is steep where it matters.
            distance = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(false), np.diff(true)))])
            at = np.linspace(0, distance[-1], _ROC_POINTS)
            false, true = np.interp(at, distance, false), np.interp(at, distance, true)
        curves[int(k)] = (false.round(5).tolist(), true.round(5).tolist())
    return curves


def instability(labels: Integers, decisions: Integers, recordings: Integers) -> float:
    """Share of decisions that differ from the one before (INS of LibEMG).

    A change counts only where the true class stays and both are of one recording; segments are in
    order of time.
    """
    if not len(labels):
        return 0.0
    steady = (labels[1:] == labels[:-1]) & (recordings[1:] == recordings[:-1])
    return float(np.sum(steady & (decisions[1:] != decisions[:-1])) / len(decisions))


def r2_scores(true: npt.NDArray[np.floating], predicted: npt.NDArray[np.floating]) -> list[float]:
    """Coefficient of determination of each target of a regression, float, shape (n, targets).

    A target without variance has 1 if it is predicted exactly and 0 otherwise, as in scikit-learn.
    """
    from sklearn import metrics

    scores: list[float] = metrics.r2_score(true, predicted, multioutput="raw_values").tolist()
    return scores
