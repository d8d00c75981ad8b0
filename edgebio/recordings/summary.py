"""Statistics of a set of recordings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgebio.recordings.recording import Recording

_BLOCK = 1 << 16  # samples


@dataclass(frozen=True)
class Share:
    """The part of the recordings that belongs to one subject or class, and its duration."""

    name: str
    recordings: int
    sessions: int
    repetitions: int
    seconds: float


@dataclass(frozen=True)
class Summary:
    """Statistics of a set of recordings.

    Attributes
    ----------
    recordings, seconds, unlabeled_seconds
        Number of recordings, their duration, and the part of it that has no class.
    lowest, highest, rms
        Smallest and largest sample, and root mean square of each channel, each recording's mean
        removed; in counts.
    levels
        Different counts that occur in each channel.
    subjects, classes
        The share of each subject and of each class.
    """

    recordings: int
    seconds: float
    unlabeled_seconds: float
    lowest: int
    highest: int
    rms: tuple[float, ...]
    levels: tuple[int, ...]
    subjects: tuple[Share, ...]
    classes: tuple[Share, ...]


def summarize(recordings: Sequence[Recording]) -> Summary:
    """Measure recordings that agree in channels and classes; at least one."""
    seconds = np.array([_class_seconds(r) for r in recordings])
    energy = np.sum([_energy(r.samples) for r in recordings], axis=0)
    total = sum(len(r.samples) for r in recordings)
    return Summary(
        recordings=len(recordings),
        seconds=sum(r.seconds for r in recordings),
        unlabeled_seconds=float(seconds[:, -1].sum()),
        lowest=min(int(r.samples.min(initial=0)) for r in recordings),
        highest=max(int(r.samples.max(initial=0)) for r in recordings),
        rms=tuple(np.sqrt(energy / max(total, 1)).tolist()),
        levels=_levels(recordings),
        subjects=tuple(
            _share(name, [(r, r.seconds) for r in recordings if r.subject == name])
            for name in dict.fromkeys(r.subject for r in recordings)
        ),
        classes=tuple(
            _share(name, [(r, s) for r, s in zip(recordings, column, strict=True) if s])
            for name, column in zip(recordings[0].classes, seconds.T.tolist(), strict=False)
        ),
    )


def _energy(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """Sum of squares of each channel, its mean removed; shape (channels,)."""
    total = np.zeros(samples.shape[1], np.int64)
    squares = np.zeros(samples.shape[1], np.int64)
    for block in _blocks(samples):
        total += block.sum(axis=0)
        squares += (block**2).sum(axis=0)
    energy: npt.NDArray[np.float64] = squares - total.astype(np.float64) ** 2 / max(len(samples), 1)
    return energy


def _levels(recordings: Sequence[Recording]) -> tuple[int, ...]:
    occurs = np.zeros((recordings[0].channels, 1 << 16), bool)
    for recording in recordings:
        for block in _blocks(recording.samples):
            for channel, values in enumerate(block.T):
                occurs[channel, values + (1 << 15)] = True
    return tuple(occurs.sum(axis=1).tolist())


def _blocks(samples: npt.NDArray[np.int16]) -> Iterator[npt.NDArray[np.int64]]:
    """Split samples into blocks, as a copy in int64 of all would be large."""
    for start in range(0, len(samples), _BLOCK):
        yield samples[start : start + _BLOCK].astype(np.int64)


def _class_seconds(recording: Recording) -> list[float]:
    """Seconds of each class, and last of none."""
    labels = np.where(recording.labels < 0, len(recording.classes), recording.labels)
    counts = np.bincount(labels, minlength=len(recording.classes) + 1)
    seconds: list[float] = (counts / recording.rate).tolist()
    return seconds


def _share(name: str, parts: Sequence[tuple[Recording, float]]) -> Share:
    return Share(
        name=name,
        recordings=len(parts),
        sessions=len({r.session for r, _ in parts}),
        repetitions=len({r.repetition for r, _ in parts}),
        seconds=sum(seconds for _, seconds in parts),
    )
