"""A fold: whose recordings are trained on, whose are tested on, and the guard between them."""

import hashlib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.recordings.recording import UNLABELLED, Recording

Unit = Literal["subject", "session", "condition", "repetition"]
"""What may not stand on both sides of a split."""

_KEYS: dict[Unit, Callable[[Recording], Hashable]] = {
    "subject": lambda r: r.subject,
    "session": lambda r: (r.subject, r.session),
    "condition": lambda r: (r.subject, r.condition),
    "repetition": lambda r: (r.subject, r.session, r.condition, _classes(r), r.repetition),
}
_NAMES: dict[Unit, str] = {
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
        What tells this fold from the others of its protocol, such as the person tested.
    train, test
        The two sides. Statistics, epochs and every other choice come from `train` alone.
    apart
        What does not stand on both sides; checked when the fold is made.
    tune
        What a network that was trained on `train` is then tuned on: labelled recordings of the
        person tested.
    tuned_apart
        What does not stand on both sides of `tune` and `test`.
    validation
        What tells when to stop, where the protocol says who that is; otherwise repetitions of
        `train` do. A training that stops nowhere early may learn from it.
    others
        Recordings of other data sets, which a network learns from before.

    Raises
    ------
    EdgebioError
        Where a side is empty, or where an `apart` unit (of `tune`: a `tuned_apart` one), a
        recording or a copy of one stands on the test side and on another.
    """

    name: str
    train: tuple[Recording, ...]
    test: tuple[Recording, ...]
    apart: Unit
    tune: tuple[Recording, ...] = ()
    validation: tuple[Recording, ...] = ()
    others: tuple[Recording, ...] = ()
    tuned_apart: Unit = "session"

    def __post_init__(self) -> None:
        for side, recordings in (("train", self.train), ("test", self.test)):
            if not recordings:
                raise EdgebioError(f"fold {self.name!r}: no recording on the {side} side")
        self._keep_apart(self.train, self.test, self.apart)
        self._keep_apart(self.validation, self.test, self.apart)
        self._keep_apart(self.train, self.validation, self.apart)
        self._keep_apart(self.tune, self.test, self.tuned_apart)
        # Published sets hold byte-identical files under two people's names.
        learned = (*self.train, *self.tune, *self.validation, *self.others)
        contents = {digest(r): r for r in learned}
        for recording in self.test:
            twin = contents.get(digest(recording))
            if twin is not None:
                raise EdgebioError(
                    f"fold {self.name!r}: {twin.source} and {recording.source} hold the same "
                    "samples and stand on both sides; leave one of them out"
                )

    @property
    def new_people(self) -> bool:
        """Whether nobody who is tested stands on the training side."""
        return not {r.subject for r in self.train} & {r.subject for r in self.test}

    def _keep_apart(
        self, side: Iterable[Recording], other: Iterable[Recording], unit: Unit
    ) -> None:
        key = _KEYS[unit]
        here = {key(r): r for r in side}
        for recording in other:
            if key(recording) in here:
                raise EdgebioError(
                    f"fold {self.name!r}: {_NAMES[unit].format(recording)} stands on both "
                    f"sides ({here[key(recording)].source} and {recording.source})"
                )


def digest(recording: Recording) -> bytes:
    """Hash of a recording's samples, labels and beats: what it holds, whatever it is called."""
    hasher = hashlib.blake2b(repr(recording.samples.shape).encode(), digest_size=16)
    hasher.update(recording.samples.tobytes())
    hasher.update(recording.labels.tobytes())
    if recording.beats is not None:
        hasher.update(recording.beats.tobytes())
    return hasher.digest()


def hold_out(
    recordings: Iterable[Recording], repetitions: int, share: float = 0.0
) -> tuple[tuple[Recording, ...], tuple[Recording, ...]]:
    """Take the last repetitions of each person, session and class away.

    Parameters
    ----------
    recordings
        Recordings; where one of them holds several classes, it counts for all of them together.
    repetitions
        How many to take; 0 takes none.
    share
        Of the repetitions: so many are taken where they are more than that.

    Returns
    -------
    kept, held_out : tuple of Recording
        In their former order. No repetition stands on both sides.

    Raises
    ------
    EdgebioError
        Where nothing would be kept of a class.
    """
    everything = tuple(recordings)
    if repetitions == 0:
        return everything, ()
    numbers: dict[Hashable, set[int]] = {}
    for recording in everything:
        numbers.setdefault(group(recording), set()).add(recording.repetition)
    last: dict[Hashable, set[int]] = {}
    for recording in everything:
        which = group(recording)
        there = len(numbers[which])
        if there <= repetitions:
            raise EdgebioError(
                f"{recording.source}: {_described(recording)} has {there} repetition(s); holding "
                f"{repetitions} out leaves none to train on"
            )
        last[which] = set(sorted(numbers[which])[-max(repetitions, int(share * there)) :])
    held = [r.repetition in last[group(r)] for r in everything]
    kept = tuple(r for r, out in zip(everything, held, strict=True) if not out)
    return kept, tuple(r for r, out in zip(everything, held, strict=True) if out)


def group(recording: Recording) -> Hashable:
    """Whose repetitions are counted together: those of a person, session, condition and class."""
    return recording.subject, recording.session, recording.condition, _classes(recording)


def _classes(recording: Recording) -> tuple[str, ...]:
    return tuple(recording.classes[k] for k in np.unique(recording.labels) if k != UNLABELLED)


def _described(recording: Recording) -> str:
    what = ", ".join(_classes(recording)) or "unlabelled signal"
    return f"{what} of person {recording.subject}, session {recording.session},"
