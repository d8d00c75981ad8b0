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
        With `beats`. One in which no beat is found, or that is too short to look in, is left out,
        and a warning is logged that names it. One without any label has no beat to learn from: it
        is not searched, and has none.

    Raises
    ------
    EdgebioError
        Where the rate of a recording is too low, or none with a beat is left.
    MissingToolError
        Where the package is not installed.
    """
    kept: list[Recording] = []
    lost: dict[str, list[str]] = {}
    for recording in progress.track(recordings, "looking for R peaks"):
        if recording.beats is not None:
            kept.append(recording)
        elif (recording.labels == UNLABELLED).all():
            kept.append(replace(recording, beats=np.zeros(0, np.int64)))
        elif recording.seconds < _SHORTEST:
            lost.setdefault(f"shorter than {_SHORTEST:g} s", []).append(recording.source)
        elif len(beats := _peaks(recording)):
            kept.append(replace(recording, beats=beats))
        else:
            lost.setdefault("no R peak in the first channel", []).append(recording.source)
    if lost and not any(len(r.beats) for r in kept if r.beats is not None):
        why, those = next(iter(lost.items()))
        raise EdgebioError(
            f"{those[0]}: {why}, and no beat is found in another recording; expected an ECG"
        )
    if lost:
        said = (f"{why}, left out: {', '.join(those)}" for why, those in lost.items())
        _LOG.warning("; ".join(said))
    return kept


def _peaks(recording: Recording) -> npt.NDArray[np.int64]:
    """Samples of the R peaks of the first channel, int64, shape (k,); none of a flat one."""
    if recording.rate <= 2 * _NYQUIST:
        raise EdgebioError(
            f"{recording.source}: {recording.rate:g} Hz; R peaks are looked for at more than "
            f"{2 * _NYQUIST:g} Hz, and none are annotated"
        )
    try:
        from wfdb import processing
    except ImportError:
        raise MissingToolError("R peaks are found by: pip install 'edgebio[data]'") from None
    lead = recording.samples[:, 0].astype(np.float64)
    found = processing.xqrs_detect(lead, recording.rate, verbose=False) if np.ptp(lead) else []
    return np.unique(np.asarray(found, np.int64))
