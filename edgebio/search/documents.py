"""Content of ``search.json``."""

from collections.abc import Sequence
from typing import Any, TypedDict

from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording

Row = dict[str, Any]


class SearchDocument(TypedDict):
    """Result of a search.

    Attributes
    ----------
    limits, protocol, epochs, metric, seeds
        As requested; the protocol is that of the inner folds.
    chosen_on, put_away
        Sessions that candidates were chosen by, and those that no candidate has seen.
    recipe_itself, front, left_the_front
        Networks that were trained with all seeds and built: the starting recipe, the members of
        the front, and those that lost their place by it. Rows have ``number``, ``name``,
        ``accuracy`` (mean over folds and seeds), ``by_seed``, ``folds``, ``cost`` (of the trained
        network's image), ``over`` (by how much it is above each limit), ``estimate`` (cost of the
        untrained network), the keys of `network_row`, and members of the front ``file``.
    candidates
        Rows with ``number``, ``state``, ``reason``, ``folds``, ``accuracy``, ``cost``, ``seconds``
        and the keys of `network_row`.
    counts
        Number of candidates by state.
    gave_up
        Why fewer candidates than requested were trained; empty if all were.
    """

    limits: dict[str, float | None]
    protocol: str
    epochs: int | None
    metric: str
    recipe: str
    title: str
    dataset: str
    board: str
    core: str
    clock_hz: int
    inner_folds: list[str]
    chosen_on: list[Row]
    put_away: list[Row]
    recipe_itself: Row | None
    front: list[Row]
    left_the_front: list[Row]
    candidates: list[Row]
    counts: dict[str | None, int]
    gave_up: str
    seconds: float
    seeds: int


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
    counts: dict[tuple[str, str], int] = {}
    for r in recordings:
        counts[r.subject, r.session] = counts.get((r.subject, r.session), 0) + 1
    return [
        {"subject": subject, "session": session, "recordings": count}
        for (subject, session), count in counts.items()
    ]
