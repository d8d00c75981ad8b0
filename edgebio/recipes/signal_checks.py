"""Whether recordings are what a recipe was made for: classes, and the rate its samples count."""

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np

from edgebio.errors import EdgebioError, EdgebioWarning
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELED

_SIMILAR: Final = 1.1  # ratio of rates that changes no segment noticeably
_REPORTED: Final = 2.0  # ratio from which resampling is reported
_MOST: Final = 10.0  # ratio above which resampling makes up nearly every sample


def check_classes(recordings: Sequence[Recording]) -> None:
    """Refuse recordings of one class.

    Raises
    ------
    EdgebioError
        Names the class.
    """
    first = recordings[0]
    indices = {int(k) for r in recordings for k in np.unique(r.labels) if k != UNLABELED}
    present = [first.classes[k] for k in indices]
    if len(present) < 2:
        name = f"one class, {present[0]!r}" if present else "no class"
        raise EdgebioError(
            f"{first.source}: {name} in all recordings; a network needs two or more to tell apart: "
            "import recordings of another class with them"
        )


def check_rate(name: str, length: int, wanted: float, recordings: Sequence[Recording]) -> None:
    """Warn if segments of a recipe last longer or shorter than they were meant to.

    `name` is that of the recipe, `length` the samples of its segments, `wanted` the rate in Hz that
    they were chosen for, 0 if unknown.
    """
    first = recordings[0]
    if not wanted or max(first.rate / wanted, wanted / first.rate) < _SIMILAR:
        return
    warnings.warn(
        f"{name} is made for {wanted:g} Hz, {first.source} has {first.rate:g} Hz: a segment "
        f"of {length} samples lasts {1000 * length / first.rate:.0f} ms, not "
        f"{1000 * length / wanted:.0f} ms; set data.rate = {wanted:g} to resample, or "
        "frontend.segment_length",
        EdgebioWarning,
        stacklevel=2,
    )


def check_resampling(
    recording: Recording, rate: float, *, key: str = "data.rate", always: bool = False
) -> None:
    """Report that recordings are about to be resampled, by the key of the recipe that asks for it.

    Reported is a rate of at least twice the own one, and with `always` every other rate.

    Raises
    ------
    EdgebioError
        If the rate is more than ten times the own one.
    """
    ratio = rate / recording.rate
    if ratio > _MOST:
        raise EdgebioError(
            f"{recording.source}: {key} asks for {rate:g} Hz, {ratio:g} times its own "
            f"{recording.rate:g} Hz; at most {_MOST:g} times: nothing above "
            f"{recording.rate / 2:g} Hz would be new"
        )
    if ratio >= _REPORTED or (always and ratio != 1):
        new = ""
        if ratio > 1:
            new = f"; {ratio:g} times as many, with nothing new above {recording.rate / 2:g} Hz"
        warnings.warn(
            f"{recording.source}: {recording.rate:g} Hz are resampled to {rate:g} Hz ({key}){new}",
            EdgebioWarning,
            stacklevel=2,
        )
