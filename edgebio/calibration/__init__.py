"""A model for another wearer: the same operators and shapes, other constants.

From signal alone its pixels and its layers get the wearer's statistics; from one repetition of each
class its weights are tuned. The int8 file is patched, so that what was compiled for it needs other
tables and no other code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgebio import tflite
from edgebio.calibration.pixels import Standardised, standardise
from edgebio.errors import EdgebioError
from edgebio.frontend.twin import Twin
from edgebio.recipes import DataSettings
from edgebio.recordings.preprocessing.labels import renumber_classes
from edgebio.recordings.recording import UNLABELED, Recording
from edgebio.tflite.metadata import ModelMetadata, require
from edgebio.training.images import Images

__all__ = ["Calibrated", "calibrate"]


@dataclass(frozen=True)
class Calibrated:
    """A model that was adapted.

    Attributes
    ----------
    content : bytes
        The .tflite.
    pixels : Standardised
        What became of the pixels' statistics.
    layers : bool
        The layers' statistics were learned too.
    windows : int
        Labelled windows that it was tuned on; 0 without labels.
    """

    content: bytes
    pixels: Standardised
    layers: bool
    windows: int


def calibrate(content: bytes, recordings: Sequence[Recording], *, labels: bool) -> Calibrated:
    """Adapt a model to a wearer.

    The signal should hold what will be worn: all gestures and rest, in about the shares that the
    training recordings had.

    Parameters
    ----------
    content
        A .tflite with metadata.
    recordings
        At the model's rate and channel count.
    labels
        Learn from the recordings' labels too. One repetition of each class is enough.

    Raises
    ------
    EdgebioError
        Where the model carries no front end, the signal is shorter than one window, or labels are
        to be learned from and a class is missing or is not the model's.
    """
    pixels = standardise(content, recordings)
    content = pixels.content
    about = require(tflite.read(content), "calibrate")
    if not labels and not about.layers:
        return Calibrated(content, pixels, layers=False, windows=0)
    if labels:
        recordings = [_by_classes_of(about, r) for r in recordings]
    from edgebio.calibration import layers
    from edgebio.calibration import weights

    # Windows at every column, as many as a short recording can give; or at every beat of a heart.
    beats = all(r.beats is not None for r in recordings)
    data = DataSettings(segments="beats" if beats else "step")
    images = Images.of(Twin(about.frontend, about.standardization), recordings, 1, data)
    if labels:
        counts = np.bincount(images.labels, minlength=len(about.classes))
        if not counts.all():
            missing = ", ".join(repr(about.classes[k]) for k in np.flatnonzero(counts == 0))
            raise EdgebioError(
                f"{recordings[0].source}: no window of class {missing}; to learn from labels, "
                "calibration needs each class once (--no-labels learns from the signal alone)"
            )
    if about.layers:
        content = layers.settled(content, images.signal(layers.SEEN))
    if labels:
        content = weights.tuned(content, images)
    return Calibrated(content, pixels, bool(about.layers), len(images) if labels else 0)


def _by_classes_of(about: ModelMetadata, recording: Recording) -> Recording:
    """Number a recording's labels as the model does: files list their classes in another order."""
    occurring = {recording.classes[k] for k in np.unique(recording.labels) if k != UNLABELED}
    if unknown := sorted(occurring - set(about.classes)):
        raise EdgebioError(
            f"{recording.source}: has class {', '.join(map(repr, unknown))}; the model knows "
            f"{', '.join(about.classes)} (--no-labels learns from the signal alone)"
        )
    return renumber_classes(recording, about.classes)
