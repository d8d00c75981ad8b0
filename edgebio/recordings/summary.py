"""What a set of recordings holds, in figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgebio.recordings.recording import Recording


@dataclass(frozen=True)
class Share:
    """Part of the recordings that belongs to one person or one class.

    Attributes
    ----------
    name
        The person or the class.
    recordings
        Recordings that hold any of it.
    sessions, repetitions
        Different sittings, and different repetition numbers.
    seconds
        Duration.
    """

    name: str
    recordings: int
    sessions: int
    repetitions: int
    seconds: float


@dataclass(frozen=True)
class Summary:
    """Figures of a set of recordings.

    Attributes
    ----------
    recordings
        How many there are.
    seconds, unlabelled_seconds
        Duration of all, and of what has no class.
    lowest, highest
        Smallest and largest sample in counts.
    rms
        Root mean square of each channel in counts, each recording's mean removed.
    people, classes
        The share of each person and of each class.
    """

    recordings: int
    seconds: float
    unlabelled_seconds: float
    lowest: int
    highest: int
    rms: tuple[float, ...]
    people: tuple[Share, ...]
    classes: tuple[Share, ...]


def summarise(recordings: Sequence[Recording]) -> Summary:
    """Count and measure recordings that agree in channels and classes; at least one."""
    first = recordings[0]
    seconds = np.array([_class_seconds(r) for r in recordings])
    energy = np.sum([r.samples.var(axis=0) * len(r.samples) for r in recordings], axis=0)
    total = sum(len(r.samples) for r in recordings)
    everyone = dict.fromkeys(r.subject for r in recordings)
    return Summary(
        recordings=len(recordings),
        seconds=sum(r.seconds for r in recordings),
        unlabelled_seconds=float(seconds[:, -1].sum()),
        lowest=min(int(r.samples.min(initial=0)) for r in recordings),
        highest=max(int(r.samples.max(initial=0)) for r in recordings),
        rms=tuple(np.sqrt(energy / max(total, 1)).tolist()),
        people=tuple(
            _share(name, [(r, r.seconds) for r in recordings if r.subject == name])
            for name in everyone
        ),
        classes=tuple(
            _share(
                name,
                [
                    (r, float(s[index]))
                    for r, s in zip(recordings, seconds, strict=True)
                    if s[index]
                ],
            )
            for index, name in enumerate(first.classes)
        ),
    )


def _class_seconds(recording: Recording) -> list[float]:
    """Seconds of each class, and last of none."""
    labels = np.where(recording.labels < 0, len(recording.classes), recording.labels)
    counts = np.bincount(labels, minlength=len(recording.classes) + 1)
    seconds: list[float] = (counts / recording.rate).tolist()
    return seconds


def _share(name: str, held: Sequence[tuple[Recording, float]]) -> Share:
    return Share(
        name=name,
        recordings=len(held),
        sessions=len({r.session for r, _ in held}),
        repetitions=len({r.repetition for r, _ in held}),
        seconds=sum(seconds for _, seconds in held),
    )
