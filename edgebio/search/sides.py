"""Whom candidates are chosen by: people and sessions of the training side, and nobody else."""

from collections.abc import Sequence
from dataclasses import replace

from edgebio import protocols
from edgebio.protocols import Fold
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording


def training_side(recipe: Recipe, recordings: Sequence[Recording]) -> Fold:
    """Divide recordings as the recipe's ``[data]`` says; only one side may be searched on.

    Parameters
    ----------
    recipe
        Its ``data`` names the sessions, the repetitions or the protocol that are tested on.
    recordings
        Everybody who is there.

    Returns
    -------
    Fold
        The fold of ``edgebio train``. Its test side is for the report of what was found: nothing
        of it may reach a candidate, see `folds`.

    Raises
    ------
    EdgebioError
        Where the recordings do not suit the recipe.
    """
    data = recipe.data
    if data.protocol:
        return protocols.split(data.protocol, recordings)[0]
    return protocols.by_sessions(
        recordings, data.train_sessions, data.test_sessions, data.test_repetitions
    )


def folds(side: Fold, protocol: str | None = None) -> tuple[str, list[Fold]]:
    """Divide the training side of a fold again: every choice is made by these inner folds.

    Parameters
    ----------
    side
        By `training_side`; its test side is not looked at.
    protocol
        How to divide; if None, in the way that is nearest to how the recipe is tested: new people
        by leaving people out (and tuning to them where the recipe is), else another session of the
        same people where they have several, else the last repetition of each.

    Returns
    -------
    protocol : str
        The one that was taken.
    folds : list of Fold
        Both sides of each lie within the training side.

    Raises
    ------
    EdgebioError
        Where the training side has too few people, sessions or repetitions for it.
    """
    inside = chosen_by(side)
    people = {r.subject for r in inside}
    sessions = {(r.subject, r.session) for r in inside}
    several = all(sum(who == person for who, _ in sessions) > 1 for person in people)
    if protocol is None:
        if side.new_people and len(people) > 1:
            protocol = "transfer" if side.tune and several else "cross-subject"
        else:
            protocol = "one-to-one" if several else "within-session"
    made = protocols.split(protocol, inside)
    return protocol, [replace(fold, others=side.others) for fold in made]


def chosen_by(side: Fold) -> tuple[Recording, ...]:
    """Recordings that candidates may meet: not those that the person tested is tuned to by."""
    return (*side.train, *side.validation)


def put_away(side: Fold) -> tuple[Recording, ...]:
    """All others."""
    return (*side.test, *side.tune)
