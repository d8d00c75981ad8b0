"""Segments of a recording: which ones are used, their labels, and which show an artifact."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import UNLABELED, Recording

Marks = npt.NDArray[np.bool_]

_FLAT = 0.25  # seconds at one value: between two beats, noise moves a converter sooner
_CLIPPED = 0.01  # seconds at the recording's lowest or highest value, and
_CLIPPED_SAMPLES = 3  # samples: a peak that is sampled slowly stays there for one


def cut_segments(
    recording: Recording, spec: FrontendSettings, step_frames: int, data: DataSettings
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int16], dict[str, int]]:
    """Choose labeled segments by ``data.segments``, and exclude artifacts.

    Segments begin where a frame of the front end does, `step_frames` after one another, unless they
    are cut at beats.

    Returns
    -------
    frames, labels : ndarray
        int, shape (n,): number of the first STFT frame of each segment, and its class: a beat's
        own, or see `segment_labels`.
    exclusions : dict
        Number of labeled segments that are excluded, by the first reason that holds; and ``of``,
        how many there were.

    Raises
    ------
    EdgebioError
        If segments are cut at beats and the recording has none.
    """
    last = spec.frames_in(len(recording.samples)) - spec.frames
    if data.segments == "beats":
        if recording.beats is None:
            raise EdgebioError(f"{recording.source}: has no beats to cut segments at")
        # Frame f begins at sample f * hop_length; a segment's middle is half a segment further.
        half = (spec.segment_length - 1) / 2
        first = np.rint((recording.beats - half) / spec.hop_length).astype(np.int64)
        inside = (first >= 0) & (first <= last)
        frames, labels = first[inside], recording.labels[recording.beats[inside]]
    else:
        frames = np.arange(0, last + 1, step_frames)
        labels = segment_labels(recording, frames * spec.hop_length, spec.segment_length)
    frames, labels = frames[labels != UNLABELED], labels[labels != UNLABELED]
    exclusions = {"of": len(frames)}
    if data.artifacts:
        good = np.ones(len(frames), bool)
        marks = artifacts(recording, frames * spec.hop_length, spec.segment_length, data.artifacts)
        for reason, marked in marks.items():
            exclusions[reason] = int((marked & good).sum())
            good &= ~marked
        frames, labels = frames[good], labels[good]
    return frames.astype(np.int64), labels.astype(np.int16), exclusions


def segment_labels(
    recording: Recording, starts: npt.NDArray[np.integer], length: int
) -> npt.NDArray[np.int16]:
    """Class of most samples of each segment, the lower index of equal ones; `UNLABELED` likewise.

    `starts`, int, shape (n,), are the first samples; the result is int16, shape (n,).
    """
    best = np.full(len(starts), UNLABELED, np.int16)
    most = np.zeros(len(starts), np.int64)
    for label in np.unique(recording.labels):
        total = np.concatenate([[0], np.cumsum(recording.labels == label)])
        count = total[starts + length] - total[starts]
        best = np.where(count > most, label, best)
        most = np.maximum(count, most)
    return best.astype(np.int16)


def artifacts(
    recording: Recording, starts: npt.NDArray[np.integer], length: int, largest: float
) -> dict[str, Marks]:
    """Mark segments that show no signal, or something other than the signal.

    One channel is enough. ``flat`` stays at one value for a quarter of a second, ``clipped`` at the
    recording's lowest or highest value for 10 ms; the range of ``large`` is more than `largest`
    times the median over the recording's segments. Each is bool, shape (n,).
    """
    from scipy import ndimage

    marks = {name: np.zeros(len(starts), bool) for name in ("flat", "clipped", "large")}
    if not len(starts):
        return marks
    flat = min(length, max(2, round(_FLAT * recording.rate)))
    clipped = min(length, max(_CLIPPED_SAMPLES, round(_CLIPPED * recording.rate)))
    filters: dict[str, Any] = {"size": length, "origin": -(length // 2), "mode": "nearest"}
    for values in recording.samples.T:
        extreme = (values == values.min()) | (values == values.max())
        marks["flat"] |= _has_plateau(values, np.ones_like(extreme), starts, length, flat)
        marks["clipped"] |= _has_plateau(values, extreme, starts, length, clipped)
        highest = ndimage.maximum_filter1d(values, **filters)[starts].astype(np.int64)
        span = highest - ndimage.minimum_filter1d(values, **filters)[starts]
        marks["large"] |= span > largest * np.median(span)
    return marks


def _has_plateau(
    values: npt.NDArray[np.int16],
    counted: Marks,
    starts: npt.NDArray[np.integer],
    length: int,
    plateau: int,
) -> Marks:
    """Mark segments in which a `counted` value stays the same for `plateau` samples."""
    same = np.concatenate([[False], (values[1:] == values[:-1]) & counted[1:] & counted[:-1]])
    number = np.arange(len(values))
    since = number - np.maximum.accumulate(np.where(same, 0, number))
    total = np.concatenate([[0], np.cumsum(since >= plateau - 1)])
    marks: Marks = total[starts + length] > total[starts + plateau - 1]
    return marks
