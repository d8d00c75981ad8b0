"""What a search is asked for."""

from dataclasses import dataclass
from typing import Literal

from edgebio.boards import Board
from edgebio.recipes import Recipe
from edgebio.search.candidate_cost import NO_LIMITS, Limits

Metric = Literal["accuracy", "balanced_accuracy", "macro_f1"]

METRICS: tuple[Metric, ...] = ("accuracy", "balanced_accuracy", "macro_f1")


@dataclass(frozen=True)
class Request:
    """What to search.

    Attributes
    ----------
    recipe, board, limits
        Recipe to start from, an emulated board, and what a candidate may take.
    trials
        Number of candidates to train, those of earlier calls included.
    protocol
        How the training set is divided again; see `edgebio.search.inner_folds.inner_folds`.
    epochs
        Epochs of every training of the search; the recipe's if None.
    metric
        Metric of the int8 network that counts as accuracy.
    seeds
        Number of trainings of each network of the front, with a seed each.
    """

    recipe: Recipe
    board: Board
    limits: Limits = NO_LIMITS
    trials: int = 40
    protocol: str | None = None
    epochs: int | None = None
    metric: Metric = "accuracy"
    seeds: int = 2
