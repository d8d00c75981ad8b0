"""Heart beats of a recording: as annotated, or found by the package wfdb."""

from dataclasses import replace

import numpy as np

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings.recording import Recording

_SHORTEST = 2.0  # seconds; less holds no beat for sure, and no detector is tuned to it


def with_beats(recording: Recording) -> Recording:
    """Find the R peaks of a recording that has none annotated, on its first channel.

    By the QRS detector XQRS of wfdb (wfdb.processing), which the maintainers of PhysioNet give.

    Raises
    ------
    EdgebioError
        Where the recording is too short, or no beat is found in it.
    MissingToolError
        Where the package is not installed.
    """
    if recording.beats is not None:
        return recording
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
    places = np.unique(np.asarray(found, np.int64))
    if not len(places):
        raise EdgebioError(f"{recording.source}: no R peak is found in its first channel")
    return replace(recording, beats=places)
