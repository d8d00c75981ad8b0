"""Heart beats of recordings: as annotated, or found by the package wfdb."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgebio import progress
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings.recording import UNLABELLED, Recording

_SHORTEST = 2.0  # seconds; less holds no beat for sure, and no detector is tuned to it
_NYQUIST = 20.0  # Hz: the upper corner of XQRS's band-pass, which a rate has to be able to tell

_LOG = logging.getLogger(__name__)


def with_beats(recordings: Sequence[Recording]) -> list[Recording]:
    """Find the R peaks of recordings that have none annotated, on their first channel.

    By the QRS detector XQRS of wfdb (wfdb.processing), which the maintainers of PhysioNet give.

    Returns
    -------
    list of Recording
        With `beats`. One in which no beat is found is left out, and a warning is logged that names
        it. One without any label has no beat to learn from: it is not searched, and has none.

    Raises
    ------
    EdgebioError
        Where a recording is too short or its rate too low, or none with a beat is left.
    MissingToolError
        Where the package is not installed.
    """
    kept, lost = [], []
    for recording in progress.track(recordings, "looking for R peaks"):
        if recording.beats is not None:
            kept.append(recording)
        elif (recording.labels == UNLABELLED).all():
            kept.append(replace(recording, beats=np.zeros(0, np.int64)))
        elif len(beats := _peaks(recording)):
            kept.append(replace(recording, beats=beats))
        else:
            lost.append(recording.source)
    if lost and not any(len(r.beats) for r in kept if r.beats is not None):
        raise EdgebioError(
            f"{lost[0]}: no R peak is found in its first channel, nor in another recording's; "
            "expected an ECG"
        )
    if lost:
        _LOG.warning("no R peak in the first channel, left out: %s", ", ".join(lost))
    return kept


def _peaks(recording: Recording) -> npt.NDArray[np.int64]:
    """Samples of the R peaks of the first channel, int64, shape (k,); none of a flat one."""
    if recording.rate <= 2 * _NYQUIST:
        raise EdgebioError(
            f"{recording.source}: {recording.rate:g} Hz; R peaks are looked for at more than "
            f"{2 * _NYQUIST:g} Hz, and none are annotated"
        )
    if recording.seconds < _SHORTEST:
        raise EdgebioError(
            f"{recording.source}: {recording.seconds:.2f} s; R peaks are looked for in at least "
            f"{_SHORTEST:g} s, and none are annotated"
        )
    try:
        from wfdb import processing
    except ImportError:
        raise MissingToolError("R peaks are found by: pip install 'edgebio[data]'") from None
    lead = recording.samples[:, 0].astype(np.float64)
    found = processing.xqrs_detect(lead, recording.rate, verbose=False) if np.ptp(lead) else []
    return np.unique(np.asarray(found, np.int64))
