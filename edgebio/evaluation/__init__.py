"""Metrics of a recipe under a protocol, fold by fold."""

from edgebio.evaluation.baseline import Baseline
from edgebio.evaluation.evaluation import DOCUMENT, Evaluation, evaluate

__all__ = ["DOCUMENT", "Baseline", "Evaluation", "evaluate"]
