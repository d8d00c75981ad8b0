"""Content of ``search.json``."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypedDict

from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording

Row = dict[str, Any]


class SearchDocument(TypedDict):
    """Result of a search.

    Rows of networks have ``number``, ``name``, ``accuracy`` (mean over folds and seeds),
    ``by_seed``, ``folds``, ``cost`` (of the trained network's image), ``over`` (by how much it is
    above each limit), ``estimate`` (cost of the untrained network) and the keys of `network_row`;
    members of the front have ``file`` too.
    """

    limits: dict[str, float | None]
    protocol: str  # of the inner folds
    epochs: int | None
    metric: str
    seeds: int
    recipe: str
    title: str
    dataset: str
    board: str
    counted_on: str  # the board whose emulator executed the instructions
    core: str
    clock_hz: int
    inner_folds: list[str]
    chosen_on: list[Row]  # sessions that candidates were chosen by
    put_away: list[Row]  # sessions that no candidate has seen
    recipe_itself: Row | None  # the starting recipe
    front: list[Row]
    left_the_front: list[Row]  # by other seeds, or the trained image
    candidates: list[Row]
    counts: dict[str | None, int]  # by state
    gave_up: str  # why fewer candidates than requested were trained; empty if all were
    seconds: float


def network_row(recipe: Recipe) -> Row:
    """What tells a candidate apart, for a reader."""
    model, front_end, training = recipe.model, recipe.frontend, recipe.training
    return {
        "family": model.family,
        "filters": list(model.filters),
        "pool_after": list(model.pool_after),
        "dense": model.dense,
        "dropout": model.dropout,
        "fft": front_end.n_fft,
        "hop": front_end.hop_length,
        "columns": front_end.frames,
        "bins": list(front_end.bins),
        "learning_rate": training.learning_rate,
        "noise": training.augment.noise,
        "mixup": training.augment.mixup,
    }


def session_rows(recordings: Sequence[Recording]) -> list[Row]:
    """Sessions of each subject, and how many recordings of each."""
    counts = Counter((r.subject, r.session) for r in recordings)
    return [
        {"subject": subject, "session": session, "recordings": count}
        for (subject, session), count in counts.items()
    ]
