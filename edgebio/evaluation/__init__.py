"""Figures of a recipe under a protocol, fold by fold."""

from edgebio.evaluation.evaluate import Baseline, evaluate

__all__ = ["Baseline", "evaluate"]
