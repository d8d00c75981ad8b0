"""What is done to recordings before they are split: classes, channels, band, rate, beats.

A board must be given signals that are prepared alike. The band-pass is for studies only, as no
device filters backwards in time.
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
