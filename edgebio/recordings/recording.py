"""A continuous stretch of signal from one person, in converter counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import scale_to_counts, scaled_units
from edgebio.recordings.natural_order import sort_naturally

UNLABELED = -1
"""Label of samples that belong to no class."""

MAX_RATE = 1e6
"""Highest sampling rate in Hz that a front end takes."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Samples of one repetition, or of one continuous recording.

    Attributes
    ----------
    samples, rate
        int16, shape (n, channels): converter counts, unscaled; sampling rate in Hz.
    units
        Meaning of one count, as published: ``"counts"``, ``"0.1 uV"``.
    labels, classes
        int16, shape (n,): class of every sample as an index into the class names, `UNLABELED` for
        no class.
    subject, session, repetition
        Names of the subject and of the session, and number of the trial within subject, session and
        class, from 0.
    source
        The file it came from, for messages.
    condition
        Instruction besides the class, such as a level of force; may be empty.
    beats
        int64, shape (k,), increasing: samples of heart beats (R peaks); the label there is the
        class of the beat. None where beats are not annotated.
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
                f"{self.source}: samples are {self.samples.dtype} of shape {self.samples.shape}; "
                "expected int16 of shape (n, channels)"
            )
        if len(self.labels) != len(self.samples):
            raise EdgebioError(
                f"{self.source}: {len(self.labels)} labels for {len(self.samples)} samples"
            )
        if not isinstance(self.rate, Real) or not 0 < self.rate <= MAX_RATE:
            raise EdgebioError(
                f"{self.source}: rate {self.rate!r}; expected Hz above 0, at most {MAX_RATE:g}"
            )
        if len(self.labels) and not -1 <= self.labels.min() <= self.labels.max() < len(
            self.classes
        ):
            raise EdgebioError(
                f"{self.source}: labels {self.labels.min()} to {self.labels.max()} "
                f"do not index {len(self.classes)} classes"
            )
        if self.beats is not None:
            bounded = np.concatenate([[-1], self.beats, [len(self.samples)]])
            if self.beats.dtype != np.int64 or (np.diff(bounded) <= 0).any():
                raise EdgebioError(
                    f"{self.source}: beats must be int64 and increase within the "
                    f"{len(self.samples)} samples"
                )

    @classmethod
    def from_array(
        cls,
        samples: npt.ArrayLike,
        rate: float,
        *,
        lsb: float | None = None,
        units: str | None = None,
        labels: npt.ArrayLike | None = None,
        classes: Sequence[str] = (),
        subject: str = "1",
        session: str = "1",
        repetition: int = 0,
    ) -> "Recording":
        """Make a recording of a NumPy array.

        Parameters
        ----------
        samples, rate
            Shape (n, channels): converter counts of 16 bits, or physical values with `lsb`;
            sampling rate in Hz.
        lsb, units
            Units of one count, where `samples` are not counts, and their name.
        labels, classes
            Class of every sample, shape (n,), or one for all: a name, or an index into the class
            names, `UNLABELED` for no class. Without `classes`, the names in `labels` are in natural
            order.

        Raises
        ------
        EdgebioError
            Where shape, dtype or rate is wrong, a value is NaN, infinite or beyond 16 bits,
            decimals come without `lsb`, or the labels do not match.
        """
        try:
            values, names = np.asarray(samples), np.asarray(UNLABELED if labels is None else labels)
        except ValueError as error:
            raise EdgebioError(f"samples or labels: {error}") from None
        if values.ndim != 2 or 0 in values.shape:
            raise EdgebioError(
                f"samples of shape {values.shape}; expected (n, channels), not empty"
            )
        if values.dtype.kind not in "iuf":
            raise EdgebioError(f"samples of dtype {values.dtype}; expected int16 counts or floats")
        if names.dtype.kind == "U":
            classes = tuple(classes) or tuple(sort_naturally(map(str, names.ravel())))
            unknown = sorted({*map(str, names.ravel())} - {*classes})
            if unknown:
                raise EdgebioError(f"label {unknown[0]!r} is not in classes {', '.join(classes)}")
            names = np.vectorize(list(classes).index, otypes=[np.int16])(names)
        if names.dtype.kind not in "iu" or names.shape not in ((), (len(values),)):
            raise EdgebioError(
                f"labels of dtype {names.dtype} and shape {names.shape}; expected whole numbers or "
                f"class names of shape ({len(values)},)"
            )
        numbers = np.broadcast_to(names, len(values)).clip(UNLABELED - 1, np.iinfo(np.int16).max)
        return cls(
            samples=scale_to_counts(
                values, lsb, lambda row, column: f"sample {row}, channel {column + 1}", "samples"
            ),
            rate=rate,
            units=scaled_units(lsb, units or "counts"),
            labels=numbers.astype(np.int16),
            classes=tuple(classes),
            subject=str(subject),
            session=str(session),
            repetition=repetition,
            source="array",
        )

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.rate
