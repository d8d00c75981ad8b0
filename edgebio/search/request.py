"""What a search is asked for."""

from dataclasses import dataclass, field
from typing import Literal

from edgebio.boards import Board
from edgebio.recipes import Recipe
from edgebio.search.candidate_cost import Limits

Metric = Literal["accuracy", "balanced_accuracy", "macro_f1"]

METRICS: tuple[Metric, ...] = ("accuracy", "balanced_accuracy", "macro_f1")


@dataclass(frozen=True)
class Request:
    """What to search."""

    recipe: Recipe  # to start from
    board: Board
    limits: Limits = field(default_factory=Limits)
    trials: int = 40  # candidates to train, those of earlier calls included
    protocol: str | None = None  # of `edgebio.search.inner_folds`
    epochs: int | None = None  # of every training of the search; the recipe's if None
    metric: Metric = "accuracy"  # of the int8 network, that counts as accuracy
    seeds: int = 2  # trainings of each network of the front, with a seed each
