"""A fold: recordings to train on, recordings to test on, and the guard against leakage."""

import hashlib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.recordings.recording import UNLABELED, Recording

Recordings = tuple[Recording, ...]
Group = Literal["subject", "session", "condition", "repetition"]
"""What recordings of the training set and of the test set may not have in common."""

_KEYS: dict[Group, Callable[[Recording], Hashable]] = {
    "subject": lambda r: r.subject,
    "session": lambda r: (r.subject, r.session),
    "condition": lambda r: (r.subject, r.condition),
    "repetition": lambda r: (*repetition_group(r), r.repetition),
}
_NAMES: dict[Group, str] = {
    "subject": "person {0.subject}",
    "session": "person {0.subject}, session {0.session}",
    "condition": "person {0.subject}, condition {0.condition}",
    "repetition": "person {0.subject}, session {0.session}, repetition {0.repetition}",
}


@dataclass(frozen=True)
class Fold:
    """One division of recordings.

    Attributes
    ----------
    name
        Tells this fold from the others of its protocol, for example the subject tested.
    train, test
        The two sets. Statistics, epochs and every other choice come from `train` alone.
    group, tune_group
        What `train`, and what `tune`, does not share with `test`; checked when the fold is made.
    tune
        Labeled recordings of the subject tested, which a network trained on `train` is tuned on.
    validation
        Decides when to stop, where the protocol says so; otherwise repetitions of `train` do. A
        training that never stops early may train on it.
    pretraining
        Recordings of other data sets, which a network learns from first.

    Raises
    ------
    EdgebioError
        Where `train` or `test` is empty, or where a group, a recording or a copy of a recording is
        in the test set and in another set.
    """

    name: str
    train: Recordings
    test: Recordings
    group: Group
    tune: Recordings = ()
    validation: Recordings = ()
    pretraining: Recordings = ()
    tune_group: Group = "session"

    def __post_init__(self) -> None:
        for name, recordings in (("training", self.train), ("test", self.test)):
            if not recordings:
                raise EdgebioError(f"fold {self.name!r}: no recording in the {name} set")
        train, test = ("training", self.train), ("test", self.test)
        validation = ("validation", self.validation)
        self._check_disjoint(train, test, self.group)
        self._check_disjoint(validation, test, self.group)
        self._check_disjoint(train, validation, self.group)
        self._check_disjoint(("tuning", self.tune), test, self.tune_group)
        # Published sets hold byte-identical files under the names of two subjects.
        learned = (*self.train, *self.tune, *self.validation, *self.pretraining)
        contents = {digest(r): r for r in learned}
        for recording in self.test:
            copy = contents.get(digest(recording))
            if copy is not None:
                raise EdgebioError(
                    f"fold {self.name!r}: {copy.source} and {recording.source} hold the same "
                    "samples, and one of them is in the test set; leave one out"
                )

    @property
    def new_subjects(self) -> bool:
        """Whether no subject of the test set is in the training set."""
        return not {r.subject for r in self.train} & {r.subject for r in self.test}

    @property
    def one_stage_train(self) -> Recordings:
        """Training set of a model that is fitted only once, and never stops early.

        Where there are recordings of the subject tested, they serve it best alone.
        """
        return self.tune or (*self.train, *self.validation)

    def _check_disjoint(
        self, one: tuple[str, Recordings], other: tuple[str, Recordings], group: Group
    ) -> None:
        key = _KEYS[group]
        seen = {key(r): r for r in one[1]}
        for recording in other[1]:
            if key(recording) in seen:
                raise EdgebioError(
                    f"fold {self.name!r}: {_NAMES[group].format(recording)} is in the {one[0]} set "
                    f"({seen[key(recording)].source}) and in the {other[0]} set "
                    f"({recording.source})"
                )


def digest(recording: Recording) -> bytes:
    """Hash of a recording's samples, labels and beats, whatever its name."""
    hasher = hashlib.blake2b(repr(recording.samples.shape).encode(), digest_size=16)
    hasher.update(recording.samples.tobytes())
    hasher.update(recording.labels.tobytes())
    if recording.beats is not None:
        hasher.update(recording.beats.tobytes())
    return hasher.digest()


def hold_out(
    recordings: Iterable[Recording], repetitions: int, share: float = 0.0
) -> tuple[Recordings, Recordings]:
    """Hold out the last repetitions of each subject, session and class.

    Parameters
    ----------
    repetitions
        Number to hold out; 0 holds out none.
    share
        Share of the repetitions to hold out, where that is more than `repetitions`.

    Returns
    -------
    remaining, held_out : tuple of Recording
        In their former order.

    Raises
    ------
    EdgebioError
        Where no repetition of a class would remain.
    """
    recordings = tuple(recordings)
    if repetitions == 0:
        return recordings, ()
    numbers: dict[Hashable, set[int]] = {}
    for recording in recordings:
        numbers.setdefault(repetition_group(recording), set()).add(recording.repetition)
    last: dict[Hashable, set[int]] = {}
    for recording in recordings:
        group = repetition_group(recording)
        count = len(numbers[group])
        if count <= repetitions:
            classes = ", ".join(_class_names(recording)) or "unlabeled signal"
            raise EdgebioError(
                f"{recording.source}: {classes} of person {recording.subject}, session "
                f"{recording.session}, has {count} repetition(s); holding {repetitions} out leaves "
                "none to train on"
            )
        last[group] = set(sorted(numbers[group])[-max(repetitions, int(share * count)) :])
    is_last = [r.repetition in last[repetition_group(r)] for r in recordings]
    remaining = tuple(r for r, out in zip(recordings, is_last, strict=True) if not out)
    return remaining, tuple(r for r, out in zip(recordings, is_last, strict=True) if out)


def repetition_group(recording: Recording) -> tuple[Hashable, ...]:
    """Subject, session, condition and classes: repetitions are counted within these."""
    return recording.subject, recording.session, recording.condition, _class_names(recording)


def _class_names(recording: Recording) -> tuple[str, ...]:
    return tuple(recording.classes[k] for k in np.unique(recording.labels) if k != UNLABELED)
