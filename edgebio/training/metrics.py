"""Figures of merit of window decisions.

scikit-learn is imported where a figure is asked for: that takes seconds, and much that imports this
module asks for none.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer]
Reals = npt.NDArray[np.floating] | npt.NDArray[np.int8]

_ROC_POINTS = 101


def scores(labels: Integers, decided: Integers) -> dict[str, float]:
    """Accuracy, balanced accuracy and macro F1 of decisions.

    Parameters
    ----------
    labels, decided
        int, shape (n,): true and decided class of every window. Averages over classes are over
        those that occur in `labels`.

    Returns
    -------
    dict
        ``accuracy``, ``balanced_accuracy`` (mean recall) and ``macro_f1``, each within 0 to 1.
    """
    from sklearn import metrics

    present = np.unique(labels)
    options: dict[str, Any] = {"labels": present, "average": "macro", "zero_division": 0.0}
    return {
        "accuracy": float(metrics.accuracy_score(labels, decided)),
        "balanced_accuracy": float(metrics.recall_score(labels, decided, **options)),
        "macro_f1": float(metrics.f1_score(labels, decided, **options)),
    }


def confusion(labels: Integers, decided: Integers, classes: int) -> list[list[int]]:
    """Count windows by true class (row) and decided class (column)."""
    from sklearn import metrics

    matrix = metrics.confusion_matrix(labels, decided, labels=np.arange(classes))
    return [[int(count) for count in row] for row in matrix]


def by_class(counts: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Precision (positive predictivity, +P), recall (sensitivity) and F1 of each class.

    Parameters
    ----------
    counts
        Of `confusion`: windows by true class (row) and decided class (column).

    Returns
    -------
    list of dict
        By class: ``precision``, None where it was never decided; ``recall`` and ``f1``, None where
        it does not occur; and ``windows``, how often it occurs.
    """
    matrix = np.asarray(counts)
    found = []
    for k, right in enumerate(matrix.diagonal().tolist()):
        occurs, decided = int(matrix[k].sum()), int(matrix[:, k].sum())
        found.append(
            {
                "precision": right / decided if decided else None,
                "recall": right / occurs if occurs else None,
                "f1": 2 * right / (occurs + decided) if occurs else None,
                "windows": occurs,
            }
        )
    return found


def roc_auc(labels: Integers, values: Reals) -> float | None:
    """Area under the ROC curve of each class against the rest, mean over classes that occur.

    Parameters
    ----------
    labels
        int, shape (n,).
    values
        Shape (n, classes): what is higher where a class is likelier, of any scale.

    Returns
    -------
    float or None
        Within 0 to 1; None where `labels` holds a single class.
    """
    areas = roc_areas(labels, values)
    return float(np.mean(list(areas.values()))) if areas else None


def roc_areas(labels: Integers, values: Reals) -> dict[int, float]:
    """Area under the ROC curve of each class that occurs beside others; see `roc_auc`."""
    from sklearn import metrics

    present = np.unique(labels)
    if len(present) < 2:
        return {}
    return {int(k): float(metrics.roc_auc_score(labels == k, values[:, k])) for k in present}


def roc(labels: Integers, values: Reals) -> dict[int, tuple[list[float], list[float]]]:
    """ROC curve of each class against the rest, thinned out to what can be seen.

    Parameters
    ----------
    labels, values
        See `roc_auc`.

    Returns
    -------
    dict
        By class that occurs beside others: false positive rates and true positive rates, both
        rising from 0 to 1.
    """
    from sklearn import metrics

    curves = {}
    for k in np.unique(labels):
        if (labels == k).all():
            continue
        false, true, _ = metrics.roc_curve(labels == k, values[:, k])
        if len(false) > _ROC_POINTS:
            # Points at equal distances along the curve: it is steep where it matters.
            way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(false), np.diff(true)))])
            at = np.linspace(0, way[-1], _ROC_POINTS)
            false, true = np.interp(at, way, false), np.interp(at, way, true)
        curves[int(k)] = (false.round(5).tolist(), true.round(5).tolist())
    return curves


def instability(labels: Integers, decided: Integers, recordings: Integers) -> float:
    """Share of decisions that differ from the one before (INS of LibEMG).

    A change where the true class changes too, or from one recording to the next, is none.

    Parameters
    ----------
    labels, decided, recordings
        int, shape (n,): true class, decided class and number of the recording of every window, in
        order of time.
    """
    if not len(labels):
        return 0.0
    steady = (labels[1:] == labels[:-1]) & (recordings[1:] == recordings[:-1])
    return float(np.sum(steady & (decided[1:] != decided[:-1])) / len(decided))


def r2(expected: npt.NDArray[np.floating], found: npt.NDArray[np.floating]) -> list[float]:
    """Coefficient of determination of each column of a regression.

    Parameters
    ----------
    expected, found
        float, shape (n, targets).

    Returns
    -------
    list of float
        1 where all is right, 0 where the mean of `expected` would have done as well. A column of
        `expected` without variance has 1 where it is met and 0 where not, as scikit-learn has it.
    """
    from sklearn import metrics

    values: list[float] = metrics.r2_score(expected, found, multioutput="raw_values").tolist()
    return values
