"""What the counts of training recordings mean to a converter: volts, and how far they go."""

from collections.abc import Sequence

import numpy as np

from edgebio.recordings.recording import Recording
from edgebio.recordings.units import volts_per_count
from edgebio.tflite.metadata import SignalScale

_SHARE = 99.9  # percent


def signal_scale(recordings: Sequence[Recording]) -> SignalScale:
    """Scale of recordings with the same units.

    The peak is the largest of all recordings, of the share of samples that `SignalScale` names;
    samples count from the median of their channel, as an offset is not part of the signal.
    """
    peaks = [
        np.percentile(np.abs(samples - np.median(samples, axis=0)), _SHARE)
        for samples in (recording.samples.astype(np.int32) for recording in recordings)
        if len(samples)
    ]
    return SignalScale(
        volts_per_count=volts_per_count(recordings[0].units),
        peak=round(float(max(peaks))) if peaks else None,
    )
