"""One stretch of signal from one person, as the converter gave it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError

UNLABELLED = -1
"""Label of samples that belong to no class."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Samples of one repetition (or one continuous recording) of one person.

    Attributes
    ----------
    samples
        int16, shape (n, channels): converter counts, unscaled.
    rate
        Sampling rate in Hz.
    units
        What one count is, as published: ``"counts"``, ``"0.1 uV"``.
    labels
        int16, shape (n,): class index of every sample, `UNLABELLED` where there is none.
    classes
        Class names; ``labels`` index them.
    subject, session
        Who was recorded and at which sitting, as the data set names them.
    repetition
        Number of the trial within subject, session and class, from 0.
    source
        File that it came from, for messages.
    condition
        What was asked for besides the class, such as the level of force; empty for nothing.
    beats
        int64, shape (k,), rising: samples that heart beats stand at, their R peaks where those are
        annotated; the class of a beat is the label there. None where nobody has told them.
    """

    samples: npt.NDArray[np.int16]
    rate: float
    units: str
    labels: npt.NDArray[np.int16]
    classes: tuple[str, ...]
    subject: str
    session: str
    repetition: int
    source: str
    condition: str = ""
    beats: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.int16:
            raise EdgebioError(
                f"{self.source}: samples must be int16 of shape (n, channels), "
                f"not {self.samples.dtype} {self.samples.shape}"
            )
        if len(self.labels) != len(self.samples):
            raise EdgebioError(
                f"{self.source}: {len(self.labels)} labels for {len(self.samples)} samples"
            )
        if not self.rate > 0:
            raise EdgebioError(f"{self.source}: rate {self.rate} Hz; a rate is above 0")
        if len(self.labels) and not -1 <= self.labels.min() <= self.labels.max() < len(
            self.classes
        ):
            raise EdgebioError(
                f"{self.source}: labels {self.labels.min()} to {self.labels.max()} "
                f"do not index {len(self.classes)} classes"
            )
        if self.beats is not None:
            inside = np.concatenate([[-1], self.beats, [len(self.samples)]])
            if self.beats.dtype != np.int64 or (np.diff(inside) <= 0).any():
                raise EdgebioError(
                    f"{self.source}: beats must be int64 and rise within the {len(self.samples)} "
                    "samples"
                )

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.rate
