"""Whom candidates are chosen by: people and sessions of the training side, and nobody else."""

from dataclasses import replace

from edgebio import protocols
from edgebio.protocols import Fold
from edgebio.recordings.recording import Recording


def folds(side: Fold, protocol: str | None = None) -> tuple[str, list[Fold]]:
    """Divide the training side of a fold again: every choice is made by these inner folds.

    Parameters
    ----------
    side
        Of ``edgebio train``, by `edgebio.protocols.of_job`. Its test side is for the report of
        what was found: it is not looked at here, nor may anything of it reach a candidate.
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
