"""Give a model the pixel statistics of a wearer; the network is unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.frontend.stages import count_clipped
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.processes.worker_pool import map_in_order
from edgebio.recordings.recording import Recording
from edgebio.tflite.metadata import replace_metadata, require_metadata
from edgebio.tflite.reader import read


@dataclass(frozen=True)
class StandardizedModel:
    """A .tflite with other statistics of its pixels.

    They were learned from so many STFT frames, in which so many samples are clipped at full scale.
    `shift` is the change of the mean of the log magnitudes, in octaves, and `spread` the factor of
    their deviation: means over bins and channels.
    """

    content: bytes
    frames: int
    clipped: int
    shift: float
    spread: float


def standardize(content: bytes, recordings: Sequence[Recording]) -> StandardizedModel:
    """Learn a model's standardization from a wearer's signal, without labels.

    Raises
    ------
    EdgebioError
        If the model has no front end, or the signal is shorter than a segment.
    """
    metadata = require_metadata(read(content), "calibrate")
    spec = metadata.frontend
    frames = sum(spec.frames_in(len(r.samples)) for r in recordings)
    if frames < spec.frames:
        raise EdgebioError(
            f"{recordings[0].source}: shorter than one segment of {spec.segment_length} samples"
            if recordings
            else "no recordings to calibrate on"
        )
    log_magnitudes = map_in_order(Twin(spec).log_magnitudes, (r.samples for r in recordings))
    standardization = Standardization.learn(spec, log_magnitudes)
    before, after = metadata.standardization.tables(), standardization.tables()
    updated = metadata.model_copy(update={"standardization": standardization})
    return StandardizedModel(
        content=replace_metadata(content, updated),
        frames=frames,
        clipped=sum(count_clipped(r.samples) for r in recordings),
        shift=float(np.mean(after[0].astype(float) - before[0])) / 1024,
        spread=float(np.exp(np.mean(np.log(before[1] / after[1])))),
    )
