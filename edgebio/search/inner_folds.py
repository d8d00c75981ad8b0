"""Inner folds: candidates are chosen within the training set, and never see the test set."""

from dataclasses import replace

from edgebio import protocols
from edgebio.protocols import Fold
from edgebio.recordings.recording import Recording


def inner_folds(fold: Fold, protocol: str | None = None) -> tuple[str, list[Fold]]:
    """Divide the training set of a fold again.

    Parameters
    ----------
    fold
        Fold of ``edgebio train``, see `edgebio.protocols.split_for_training`. Neither its test set
        nor its tuning set is used.
    protocol
        How to divide; if None, as the recipe is tested: where it is tested on new subjects, leave
        subjects out (and tune to them where the recipe does); else hold out another session where
        all subjects have several, else the last repetitions. The protocol is returned too.
    """
    recordings = training_recordings(fold)
    subjects = {r.subject for r in recordings}
    sessions = {(r.subject, r.session) for r in recordings}
    several = all(sum(own == subject for own, _ in sessions) > 1 for subject in subjects)
    if protocol is None:
        if fold.new_subjects and len(subjects) > 1:
            protocol = "transfer" if fold.tune and several else "cross-subject"
        else:
            protocol = "one-to-one" if several else "within-session"
    folds = protocols.split(protocol, recordings)
    return protocol, [replace(inner, pretraining=fold.pretraining) for inner in folds]


def training_recordings(fold: Fold) -> tuple[Recording, ...]:
    """Recordings that candidates may see."""
    return (*fold.train, *fold.validation)


def untouched_recordings(fold: Fold) -> tuple[Recording, ...]:
    """Recordings that no candidate sees."""
    return (*fold.test, *fold.tune)
