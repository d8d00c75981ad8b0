"""Statistics over subjects, folds or seeds; values that are not defined are None and left out."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap

VOTES, REJECTED_SHARE = 5, 0.05
"""What tables report beside the recipe's own decision: a majority vote over so many segments, and
the accuracy without this share of the segments, the least certain ones."""

_CONFIDENCE = 0.95
_RESAMPLES = 10_000
_SEED = 1  # the interval of one evaluation is the same at every call


def mean(values: Sequence[float | None]) -> float | None:
    """Mean; None where no value is defined."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def deviation(values: Sequence[float | None]) -> float | None:
    """Standard deviation; None where no value is defined."""
    defined = [value for value in values if value is not None]
    return float(np.std(defined)) if defined else None


def confidence_interval(values: Sequence[float | None]) -> list[float] | None:
    """95 % confidence interval of the mean over subjects, by the percentile bootstrap.

    Subjects are resampled, not segments: segments of one subject are not independent.

    Returns
    -------
    list of float or None
        Lower and upper end; None for fewer than two subjects.
    """
    defined = [value for value in values if value is not None]
    if len(defined) < 2:
        return None
    result = bootstrap(
        (defined,), np.mean, confidence_level=_CONFIDENCE, n_resamples=_RESAMPLES,
        method="percentile", rng=np.random.default_rng(_SEED),
    )  # fmt: skip
    return [float(result.confidence_interval.low), float(result.confidence_interval.high)]
