"""Which windows of a recording become images, their labels, and what is wrong with some."""

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
_CLIPPED_SAMPLES = 3  # samples: a peak that is sampled slowly stands there for one


def cut(
    recording: Recording, spec: FrontendSettings, stride: int, data: DataSettings
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int16], dict[str, int]]:
    """Choose windows by ``data.segments``, label them, and leave artefacts out.

    Parameters
    ----------
    recording
        Where they are cut.
    spec
        Front end: windows begin where one of its columns does.
    stride
        Columns from one window to the next, where they are not cut at beats.
    data
        Settings ``windows`` and ``artefacts``.

    Returns
    -------
    columns : ndarray
        int64, shape (n,): number of the first STFT column of each labelled window.
    labels : ndarray
        int16, shape (n,): a beat's own, or see `window_labels`.
    left_out : dict
        Labelled windows that are left out, by reason, the first that holds; and ``of``, how many
        there were.

    Raises
    ------
    EdgebioError
        Where windows are cut at beats and nobody has told the beats.
    """
    last = spec.frames_in(len(recording.samples)) - spec.frames
    if data.segments == "beats":
        if recording.beats is None:
            raise EdgebioError(f"{recording.source}: has no beats to cut windows at")
        # Column c begins at sample c * hop; the middle of its window lies half a window further.
        first = np.rint((recording.beats - (spec.segment_length - 1) / 2) / spec.hop_length).astype(np.int64)
        inside = (first >= 0) & (first <= last)
        columns, labels = first[inside], recording.labels[recording.beats[inside]]
    else:
        columns = np.arange(0, last + 1, stride)
        labels = window_labels(recording, columns * spec.hop_length, spec.segment_length)
    columns, labels = columns[labels != UNLABELED], labels[labels != UNLABELED]
    left_out = {"of": len(columns)}
    if data.artifacts:
        kept = np.ones(len(columns), bool)
        for reason, marks in artefacts(
            recording, columns * spec.hop_length, spec.segment_length, data.artifacts
        ).items():
            left_out[reason] = int((marks & kept).sum())
            kept &= ~marks
        columns, labels = columns[kept], labels[kept]
    return columns.astype(np.int64), labels.astype(np.int16), left_out


def window_labels(
    recording: Recording, begin: npt.NDArray[np.integer], window: int
) -> npt.NDArray[np.int16]:
    """Label of windows: the class of most of their samples, the lower index where two are equal.

    Parameters
    ----------
    recording
        Where the windows are cut.
    begin
        int, shape (n,): first sample of each.
    window
        Samples of each.

    Returns
    -------
    ndarray
        int16, shape (n,); `UNLABELED` where most samples are.
    """
    best = np.full(len(begin), UNLABELED, np.int16)
    most = np.zeros(len(begin), np.int64)
    for label in np.unique(recording.labels):
        upto = np.concatenate([[0], np.cumsum(recording.labels == label)])
        count = upto[begin + window] - upto[begin]
        best = np.where(count > most, label, best)
        most = np.maximum(count, most)
    return best.astype(np.int16)


def artefacts(
    recording: Recording, begin: npt.NDArray[np.integer], window: int, largest: float
) -> dict[str, Marks]:
    """Mark windows that show no signal, or something else than the signal.

    Parameters
    ----------
    recording
        Where the windows are cut.
    begin
        int, shape (n,): first sample of each.
    window
        Samples of each.
    largest
        How many times the median range of the recording's windows a range may be.

    Returns
    -------
    dict
        By reason, bool, shape (n,): ``flat``, a channel stays at one value for a quarter of a
        second; ``clipped``, or at the recording's lowest or highest value for 10 ms; ``large``,
        the range of one is too large. One channel is enough.
    """
    from scipy import ndimage

    marks = {name: np.zeros(len(begin), bool) for name in ("flat", "clipped", "large")}
    if not len(begin):
        return marks
    still = min(window, max(2, round(_FLAT * recording.rate)))
    at_end = min(window, max(_CLIPPED_SAMPLES, round(_CLIPPED * recording.rate)))
    filters: dict[str, Any] = {"size": window, "origin": -(window // 2), "mode": "nearest"}
    for values in recording.samples.T:
        ends = (values == values.min()) | (values == values.max())
        marks["flat"] |= _held(values, np.ones_like(ends), begin, window, still)
        marks["clipped"] |= _held(values, ends, begin, window, at_end)
        highest = ndimage.maximum_filter1d(values, **filters)[begin].astype(np.int64)
        span = highest - ndimage.minimum_filter1d(values, **filters)[begin]
        marks["large"] |= span > largest * np.median(span)
    return marks


def _held(
    values: npt.NDArray[np.int16],
    where: Marks,
    begin: npt.NDArray[np.integer],
    window: int,
    length: int,
) -> Marks:
    """Windows in which a value, `where` it counts, is held for `length` samples."""
    same = np.concatenate([[False], (values[1:] == values[:-1]) & where[1:] & where[:-1]])
    number = np.arange(len(values))
    since = number - np.maximum.accumulate(np.where(same, 0, number))
    upto = np.concatenate([[0], np.cumsum(since >= length - 1)])
    found: Marks = upto[begin + window] > upto[begin + length - 1]
    return found
