"""Calibrate a model to a wearer: the same operators and shapes, other constants.

From signal alone, pixels and layers get the wearer's statistics; from one repetition of each class
the weights are tuned. The int8 file is patched, so that a program compiled for it changes its
tables only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgebio import tflite
from edgebio.calibration.pixels import StandardizedModel, standardize
from edgebio.errors import EdgebioError
from edgebio.frontend.twin import Twin
from edgebio.recipes import DataSettings
from edgebio.recordings.preprocessing import renumber_classes
from edgebio.recordings.recording import UNLABELED, Recording
from edgebio.tflite.metadata import ModelMetadata, require_metadata
from edgebio.training.images import Images

__all__ = ["CalibratedModel", "calibrate"]


@dataclass(frozen=True)
class CalibratedModel:
    """A .tflite that was adapted to a wearer.

    `pixels` say how its statistics changed, `layers` whether its layers have the wearer's too, and
    `segments` how many labeled ones it was tuned on.
    """

    content: bytes
    pixels: StandardizedModel
    layers: bool
    segments: int


def calibrate(content: bytes, recordings: Sequence[Recording], *, labels: bool) -> CalibratedModel:
    """Adapt a model (the content of a .tflite with metadata) to a wearer.

    The signal should contain what will be worn: all gestures and rest, in about the shares of the
    training recordings. With `labels`, one repetition of each class is enough.

    Raises
    ------
    EdgebioError
        If the model has no front end, the signal is shorter than a segment, or `labels` is set and
        a class is missing or is not the model's.
    """
    pixels = standardize(content, recordings)
    content = pixels.content
    metadata = require_metadata(tflite.read(content), "calibrate")
    if not labels and not metadata.layers:
        return CalibratedModel(content, pixels, layers=False, segments=0)
    if labels:
        recordings = [_with_classes(metadata, r) for r in recordings]
    from edgebio.calibration import layers, weights

    # Segments at every frame, as many as a short recording can give; or at every heart beat.
    beats = all(r.beats is not None for r in recordings)
    data = DataSettings(segments="beats" if beats else "step")
    twin = Twin(metadata.frontend, metadata.standardization)
    images = Images.cut(twin, recordings, 1, data)
    if labels:
        counts = np.bincount(images.labels, minlength=len(metadata.classes))
        if not counts.all():
            missing = ", ".join(repr(metadata.classes[k]) for k in np.flatnonzero(counts == 0))
            raise EdgebioError(
                f"{recordings[0].source}: no segment of class {missing}; to learn from labels, "
                "calibration needs each class once (--no-labels learns from the signal alone)"
            )
    if metadata.layers:
        content = layers.calibrate_layers(content, images.spread(layers.IMAGES))
    if labels:
        content = weights.tune_weights(content, images)
    segments = len(images) if labels else 0
    return CalibratedModel(content, pixels, bool(metadata.layers), segments)


def _with_classes(metadata: ModelMetadata, recording: Recording) -> Recording:
    """Number a recording's labels as the model does: files list their classes in another order."""
    occurring = {recording.classes[k] for k in np.unique(recording.labels) if k != UNLABELED}
    if unknown := sorted(occurring - set(metadata.classes)):
        raise EdgebioError(
            f"{recording.source}: has class {', '.join(map(repr, unknown))}; the model has "
            f"{', '.join(metadata.classes)} (--no-labels learns from the signal alone)"
        )
    return renumber_classes(recording, metadata.classes)
