"""Recordings as filtered, standardized signals, for networks whose input is not an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.twin import Twin
from edgebio.recipes import DataSettings
from edgebio.recordings.recording import Recording
from edgebio.training.segments import cut_segments

_Q12 = 1 << 12  # unit of the filter's output, as in eb_frontend.c
LARGEST = 64.0
"""Largest sample that a code represents, in standard deviations."""
_MU = 512.0
_CODES = 127


class SignalScale(BaseModel):
    """Mean and standard deviation of every channel after the filter, in counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: tuple[float, ...]
    deviation: tuple[Annotated[float, Field(gt=0)], ...]

    @classmethod
    def learn(cls, filtered: Sequence[npt.NDArray[np.float32]]) -> Self:
        """Learn both from the training set's signals, each of shape (n, channels)."""
        count = sum(len(part) for part in filtered)
        if not count:
            raise EdgebioError("no recording has a sample to learn the signal's scale from")
        mean = sum(part.sum(axis=0, dtype=np.float64) for part in filtered) / count
        power = sum(np.square(part - mean).sum(axis=0) for part in filtered) / count
        # A channel without signal has no deviation; a count is the least that it can show.
        deviation = np.sqrt(np.maximum(power, 1.0))
        return cls(mean=tuple(mean.tolist()), deviation=tuple(deviation.tolist()))

    def standardize(self, filtered: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Samples in standard deviations: float32, of the same shape."""
        standardized = (filtered - np.array(self.mean)) / np.array(self.deviation)
        values: npt.NDArray[np.float32] = standardized.astype(np.float32)
        return values


@dataclass(frozen=True, eq=False)
class Signals:
    """Labeled segments of standardized signals, stored as the signals that they overlap in.

    Attributes
    ----------
    values
        float32, shape (n_samples, channels): all recordings one after the other, in deviations.
    starts, labels, recordings
        int, shape (n,): first sample of every segment, class that is predicted from it, and number
        of its recording.
    horizon, length
        Samples from a segment to the later one that is predicted, and samples of a segment.
    exclusions
        By recording: artifacts, see `edgebio.training.segments.cut_segments`.
    """

    values: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    horizon: int
    labels: npt.NDArray[np.int16]
    recordings: npt.NDArray[np.int32]
    length: int
    exclusions: tuple[dict[str, int], ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    def segments(self, index: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.float32]:
        """Segments by their numbers: float32, shape (len(index), channels, length)."""
        return self._at(self.starts[index])

    def target_segments(self, index: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.float32]:
        """Segments whose features are predicted from those of `segments`; the same shape."""
        return self._at(self.starts[index] + self.horizon)

    def _at(self, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        view = np.lib.stride_tricks.sliding_window_view(self.values, self.length, axis=0)
        segments: npt.NDArray[np.float32] = view[starts]
        return segments

    @classmethod
    def cut(
        cls,
        spec: FrontendSpec,
        recordings: Sequence[Recording],
        filtered: Sequence[npt.NDArray[np.float32]],
        scale: SignalScale,
        data: DataSettings,
        horizon: int,
    ) -> Self:
        """Cut recordings, with their `filtered` signals, into segments, one every step.

        A segment and the one that is predicted from it, `horizon` samples later, are in one
        recording.
        """
        starts, labels, numbers, exclusions, first = [], [], [], [], 0
        for number, (recording, part) in enumerate(zip(recordings, filtered, strict=True)):
            frames, label, excluded = cut_segments(recording, spec, spec.step_frames, data)
            targets = frames * spec.hop_length
            inside = targets >= horizon
            starts.append(first + targets[inside] - horizon)
            labels.append(label[inside])
            numbers.append(np.full(inside.sum(), number, np.int32))
            exclusions.append(excluded)
            first += len(part)
        values = [scale.standardize(part) for part in filtered]
        return cls(
            np.concatenate([np.empty((0, spec.channels), np.float32), *values]),
            np.concatenate([np.empty(0, np.int64), *starts]),
            horizon,
            np.concatenate([np.empty(0, np.int16), *labels]),
            np.concatenate([np.empty(0, np.int32), *numbers]),
            spec.segment_length,
            tuple(exclusions),
        )


def filter_recordings(
    spec: FrontendSpec, recordings: Sequence[Recording]
) -> list[npt.NDArray[np.float32]]:
    """Run the front end's fixed-point filter over recordings, each from reset.

    Returns float32 arrays, shape (n, channels), in counts.
    """
    # Short frames: the filter runs as far as frames reach, and no other stage is used.
    short = {
        "segment_length": 32, "n_fft": 32, "hop_length": 32, "step_frames": 1, "bins": (0, 17),
    }  # fmt: skip
    plain = spec.model_copy(update=short)
    twin, filtered = Twin(plain), []
    for recording in recordings:
        samples = np.pad(recording.samples, ((0, plain.hop_length), (0, 0)), mode="edge")
        values = twin.stages(samples, ("filter",)).values["filter"][:, : len(recording.samples)]
        filtered.append((values.T / np.float32(_Q12)).astype(np.float32))
    return filtered


def compand(values: npt.NDArray[np.floating]) -> npt.NDArray[np.int8]:
    """Code standardized samples in int8, finely if they are small (mu-law, ITU-T G.711).

    ``code = round(127 sign(x) log(1 + 512 |x| / 64) / log(513))``: a step is 0.006 deviations
    around 0 and 5 % of a large sample; 64 deviations are the largest.
    """
    bounded = np.clip(values, -LARGEST, LARGEST)
    log = np.log1p(np.abs(bounded) * np.float32(_MU / LARGEST)) * np.float32(_CODES / np.log1p(_MU))
    codes: npt.NDArray[np.int8] = np.rint(np.copysign(log, bounded)).astype(np.int8)
    return codes


def expand(codes: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Samples that codes represent: the inverse of `compand`."""
    real = np.abs(codes.astype(np.float64)) / _CODES
    size = np.expm1(real * np.log1p(_MU)) * LARGEST / _MU
    values: npt.NDArray[np.float64] = np.copysign(size, codes.astype(np.float64))
    return values
