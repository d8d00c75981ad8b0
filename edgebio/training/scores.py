"""Figures of merit of window decisions."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score


def scores(labels: npt.NDArray[np.integer], decided: npt.NDArray[np.integer]) -> dict[str, float]:
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
    present = np.unique(labels)
    options: dict[str, Any] = {"labels": present, "average": "macro", "zero_division": 0.0}
    return {
        "accuracy": float(accuracy_score(labels, decided)),
        "balanced_accuracy": float(recall_score(labels, decided, **options)),
        "macro_f1": float(f1_score(labels, decided, **options)),
    }


def confusion(
    labels: npt.NDArray[np.integer], decided: npt.NDArray[np.integer], classes: int
) -> list[list[int]]:
    """Count windows by true class (row) and decided class (column)."""
    matrix = confusion_matrix(labels, decided, labels=np.arange(classes))
    return [[int(count) for count in row] for row in matrix]
