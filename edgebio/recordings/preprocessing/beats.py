"""Heart beats: their symbols, the labels around them, and their detection."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgebio import progress
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings.recording import UNLABELED, Recording

AAMI_CLASSES = {
    symbol: label
    for label, symbols in enumerate(("NLRej", "AaJS", "VE", "F", "/fQ"))
    for symbol in symbols
}
"""Class of AAMI EC57 (normal, supraventricular, ventricular, fusion, unknown or paced) by symbol of
PhysioNet's annotations, as P. de Chazal et al. (2004) group them."""

_MIN_SECONDS = 2.0  # a shorter recording need not hold a beat, and the detector cannot learn
_MIN_NYQUIST = 20.0  # Hz: upper corner of XQRS's band-pass

_LOG = logging.getLogger(__name__)


def label_around_beats(
    beats: npt.NDArray[np.int64], classes: npt.NDArray[np.int16], samples: int
) -> npt.NDArray[np.int16]:
    """Label each of the `samples` by the nearest beat: int16, shape (samples,).

    `beats` are the samples of the R peaks in order, int64 of shape (n,), and `classes` are theirs,
    int16. Outside the first and last beat labels reach half the distance to its neighbor.
    """
    labels = np.full(samples, UNLABELED, np.int16)
    if len(beats) < 2:
        return labels
    middle = (beats[1:] + beats[:-1] + 1) // 2
    first = max(0, int(beats[0] - (middle[0] - beats[0])))
    last = min(samples, int(beats[-1] + (beats[-1] - middle[-1]) + 1))
    edges = np.concatenate([[first], middle, [last]])
    labels[first:last] = np.repeat(classes, np.diff(edges))
    return labels


def detect_beats(recordings: Sequence[Recording]) -> list[Recording]:
    """Detect the R peaks of recordings without annotated beats, by XQRS of wfdb on channel 0.

    A recording that is too short or has no R peak is left out, and a warning names it; if none with
    a beat remains, the first is refused. Recordings without labels are not searched.
    """
    with_beats: list[Recording] = []
    rejected: dict[str, list[str]] = {}  # sources by reason
    for recording in progress.track(recordings, "detecting R peaks"):
        if recording.beats is not None:
            with_beats.append(recording)
        elif (recording.labels == UNLABELED).all():
            with_beats.append(replace(recording, beats=np.zeros(0, np.int64)))
        elif recording.seconds < _MIN_SECONDS:
            rejected.setdefault(f"shorter than {_MIN_SECONDS:g} s", []).append(recording.source)
        elif len(beats := _r_peaks(recording)):
            with_beats.append(replace(recording, beats=beats))
        else:
            rejected.setdefault("no R peak in the first channel", []).append(recording.source)
    if rejected and not any(len(r.beats) for r in with_beats if r.beats is not None):
        reason, sources = next(iter(rejected.items()))
        raise EdgebioError(
            f"{sources[0]}: {reason}, and no other recording has a beat; expected an ECG"
        )
    if rejected:
        _LOG.warning(
            "; ".join(f"{reason}, left out: {', '.join(s)}" for reason, s in rejected.items())
        )
    return with_beats


def _r_peaks(recording: Recording) -> npt.NDArray[np.int64]:
    """Samples of the R peaks of channel 0, int64, shape (k,); none in a flat one."""
    if recording.rate <= 2 * _MIN_NYQUIST:
        raise EdgebioError(
            f"{recording.source}: {recording.rate:g} Hz and no annotated beats; R peaks are "
            f"detected above {2 * _MIN_NYQUIST:g} Hz"
        )
    try:
        from wfdb import processing
    except ImportError:
        raise MissingToolError("detecting R peaks needs: pip install 'edgebio[data]'") from None
    lead = recording.samples[:, 0].astype(np.float64)
    peaks = processing.xqrs_detect(lead, recording.rate, verbose=False) if np.ptp(lead) else []
    return np.unique(np.asarray(peaks, np.int64))
