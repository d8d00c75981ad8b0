"""The stages of the front end: their order and types, and what they computed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

STAGES: dict[str, type[np.generic]] = {
    "filter": np.int32,
    "window": np.int32,
    "scale": np.int16,
    "exponent": np.int32,
    "fft": np.int16,
    "power": np.uint32,
    "log": np.int16,
    "image": np.int8,
}
"""Type of each stage's values, in the order of the chain."""

STAGE_NUMBERS = {name: number for number, name in enumerate(STAGES)}
"""``EB_STAGE_...`` of eb_frontend.h."""


@dataclass(frozen=True, eq=False)
class Stages:
    """What each stage computed of one recording.

    Attributes
    ----------
    values
        By stage name, shape (channels, n, ...): of ``filter`` one value per sample, of all others
        one row per frame.
    images
        int8, shape (images, frames, bins, channels).
    clipped
        Number of samples at full scale of int16: the converter was probably overdriven.
    """

    values: dict[str, npt.NDArray[Any]]
    images: npt.NDArray[np.int8]
    clipped: int


def count_clipped(samples: npt.NDArray[np.int16]) -> int:
    """Number of samples at full scale of int16."""
    return int(np.count_nonzero((samples == 32767) | (samples == -32768)))
