"""A recording labelled by what was decided of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgebio.recordings.recording import UNLABELLED, Recording


def labelled_by(
    recording: Recording, decided: Sequence[tuple[int, int]], classes: tuple[str, ...]
) -> Recording:
    """Return a recording up to its last decision, every sample labelled by the one it led to.

    Parameters
    ----------
    recording
        What was streamed.
    decided
        End of the window in samples, and class, of each decision in order; a number that is no
        class leaves its samples unlabelled.
    classes
        Names of the classes.
    """
    end = decided[-1][0] if decided else 0
    labels = np.full(end, UNLABELLED, np.int16)
    begin = 0
    for stop, number in decided:
        labels[begin:stop] = number if number < len(classes) else UNLABELLED
        begin = stop
    return replace(
        recording, samples=recording.samples[:end], labels=labels, classes=classes, repetition=0
    )
