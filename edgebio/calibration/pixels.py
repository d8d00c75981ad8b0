"""The pixels of a wearer: the same network, other statistics of its images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin, railed_samples
from edgebio.recordings.recording import Recording
from edgebio.tflite.metadata import require, with_metadata
from edgebio.tflite.reader import read


@dataclass(frozen=True)
class Standardised:
    """A model with other statistics of its pixels.

    Attributes
    ----------
    content : bytes
        The .tflite.
    columns : int
        STFT columns that the statistics were learned from.
    railed : int
        Samples at an end of 16 bits among them.
    shift, spread : float
        How far the mean of the log magnitudes moved, in octaves, and by what their deviation was
        multiplied: means over bins and channels.
    """

    content: bytes
    columns: int
    railed: int
    shift: float
    spread: float


def standardise(content: bytes, recordings: Sequence[Recording]) -> Standardised:
    """Learn a model's standardisation anew from a wearer's signal; labels are not looked at.

    The signal should hold what will be worn: all gestures and rest, in about the shares that the
    training recordings had. The network, and all other metadata, stay as they are.

    Parameters
    ----------
    content
        A .tflite with metadata.
    recordings
        At the model's rate and channel count.

    Raises
    ------
    EdgebioError
        Where the model carries no front end, or the signal is shorter than one window.
    """
    about = require(read(content), "calibrate")
    spec = about.frontend
    columns = sum(spec.frames_in(len(r.samples)) for r in recordings)
    if columns < spec.frames:
        raise EdgebioError(
            f"{recordings[0].source}: shorter than one window of {spec.segment_length} samples"
            if recordings
            else "no recordings to calibrate on"
        )
    learned = Standardization.learn(spec, Twin(spec).columns_of(r.samples for r in recordings))
    before, after = about.standardization.tables(), learned.tables()
    return Standardised(
        content=with_metadata(content, about.model_copy(update={"standardization": learned})),
        columns=columns,
        railed=sum(railed_samples(r.samples) for r in recordings),
        shift=float(np.mean(after[0].astype(float) - before[0])) / 1024,
        spread=float(np.exp(np.mean(np.log(before[1] / after[1])))),
    )
