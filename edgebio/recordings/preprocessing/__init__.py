"""What is done to recordings before they are split: classes, channels, band, rate, beats.

Signals on a board must be prepared alike; the band-pass is for studies, as it has no delay.
"""

from edgebio.recordings.preprocessing.beats import detect_beats
from edgebio.recordings.preprocessing.labels import (
    label_by_decisions,
    merge_classes,
    renumber_classes,
    unify_classes,
)
from edgebio.recordings.preprocessing.signals import band_pass, resample, select_channels

__all__ = [
    "band_pass",
    "detect_beats",
    "label_by_decisions",
    "merge_classes",
    "renumber_classes",
    "resample",
    "select_channels",
    "unify_classes",
]
