"""Figures by person, and how far a mean over people can be trusted."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import bootstrap

VOTES, REJECTED_SHARE = 5, 0.05
"""A majority vote over so many windows, and so many of them left undecided: what every table tells
of each person besides, whatever the recipe's own decision is."""

_CONFIDENCE = 0.95
_RESAMPLES = 10_000
_SEED = 1  # the interval of one evaluation is the same at every call


def by_person(folds: Sequence[Mapping[str, Any]], figures: Sequence[str]) -> list[dict[str, Any]]:
    """Mean figures of each person over the folds that tested them.

    Parameters
    ----------
    folds
        Results with ``people``, each a list of ``subject``, ``windows`` and figures.
    figures
        Names of the figures.

    Returns
    -------
    list of dict
        By person, in the order of the folds: ``subject``, ``folds``, ``windows`` in all, and each
        figure, None where no fold defines it.
    """
    rows = [row for fold in folds for row in fold.get("people", [])]
    found = []
    for subject in dict.fromkeys(row["subject"] for row in rows):
        own = [row for row in rows if row["subject"] == subject]
        found.append(
            {
                "subject": subject,
                "folds": len(own),
                "windows": sum(row["windows"] for row in own),
                **{name: mean([row.get(name) for row in own]) for name in figures},
            }
        )
    return found


def by_fold(folds: Sequence[Mapping[str, Any]], figures: Sequence[str]) -> list[dict[str, Any]]:
    """Mean figures of each fold over the seeds it was trained from; all else is of the first."""
    found = []
    for name in dict.fromkeys(row["fold"] for row in folds):
        own = [row for row in folds if row["fold"] == name]
        found.append({**own[0], **{key: mean([row.get(key) for row in own]) for key in figures}})
    return found


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of what is there; None where nothing is."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def deviation(values: Sequence[float | None]) -> float | None:
    """Standard deviation of what is there; None where nothing is."""
    there = [value for value in values if value is not None]
    return float(np.std(there)) if there else None


def interval(values: Sequence[float | None]) -> list[float] | None:
    """Confidence interval of 95 % of the mean over people, by the percentile bootstrap.

    People are drawn, not windows: windows of one person are not independent.

    Returns
    -------
    list of float or None
        Lower and upper end; None for fewer than two people.
    """
    there = [value for value in values if value is not None]
    if len(there) < 2:
        return None
    found = bootstrap(
        (there,), np.mean, confidence_level=_CONFIDENCE, n_resamples=_RESAMPLES,
        method="percentile", rng=np.random.default_rng(_SEED),
    )  # fmt: skip
    return [float(found.confidence_interval.low), float(found.confidence_interval.high)]
