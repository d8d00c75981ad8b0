"""Recordings as raw, filtered, standardised signals, for networks that take no images."""

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
from edgebio.training.segments import cut

_Q12 = 1 << 12  # of the filter's output, as in eb_frontend.c
LARGEST = 64.0
"""Standard deviations that the last code stands for."""
_MU = 512.0
_CODES = 127


class Scale(BaseModel):
    """Mean and deviation of every channel after the filter, in counts.

    Attributes
    ----------
    mean, deviation : tuple of float
        By channel.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: tuple[float, ...]
    deviation: tuple[Annotated[float, Field(gt=0)], ...]

    @classmethod
    def learn(cls, filtered: Sequence[npt.NDArray[np.float32]]) -> Self:
        """Learn both from the training side's signals, each of shape (n, channels)."""
        count = sum(len(part) for part in filtered)
        if not count:
            raise EdgebioError("no recording has a sample to learn the signal's scale from")
        mean = sum(part.sum(axis=0, dtype=np.float64) for part in filtered) / count
        power = sum(np.square(part - mean).sum(axis=0) for part in filtered) / count
        # A channel without signal has no deviation; a count is the least that it can show.
        deviation = np.sqrt(np.maximum(power, 1.0))
        return cls(mean=tuple(mean.tolist()), deviation=tuple(deviation.tolist()))

    def apply(self, filtered: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Samples in standard deviations: float32, of the same shape."""
        standardised = (filtered - np.array(self.mean)) / np.array(self.deviation)
        values: npt.NDArray[np.float32] = standardised.astype(np.float32)
        return values


@dataclass(frozen=True, eq=False)
class Signals:
    """Labelled windows of standardised signals, kept as the signals that they overlap in.

    Attributes
    ----------
    values
        float32, shape (n_samples, channels): all recordings one after the other, in deviations.
    starts
        int64, shape (n,): first sample of every window that is seen.
    ahead
        Samples from there to the window whose features and class are to be told.
    labels
        int16, shape (n,): class of the window that is to be told.
    recordings
        int32, shape (n,): number of the recording that every window was cut from.
    window
        Samples of a window.
    left_out
        By recording: artefacts, see `edgebio.training.segments.cut`.
    """

    values: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    ahead: int
    labels: npt.NDArray[np.int16]
    recordings: npt.NDArray[np.int32]
    window: int
    left_out: tuple[dict[str, int], ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    def seen(self, index: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.float32]:
        """Windows by their numbers: float32, shape (len(index), channels, window)."""
        return self._at(self.starts[index])

    def told(self, index: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.float32]:
        """Windows whose features are to be told, for those that are seen; see `seen`."""
        return self._at(self.starts[index] + self.ahead)

    def _at(self, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        view = np.lib.stride_tricks.sliding_window_view(self.values, self.window, axis=0)
        windows: npt.NDArray[np.float32] = view[starts]
        return windows

    @classmethod
    def of(
        cls,
        spec: FrontendSpec,
        recordings: Sequence[Recording],
        filtered: Sequence[npt.NDArray[np.float32]],
        scale: Scale,
        data: DataSettings,
        ahead: int,
    ) -> Self:
        """Cut recordings into windows, one every ``spec.step_frames`` columns.

        Parameters
        ----------
        spec
            Window and distance of windows.
        recordings, filtered
            What to cut, and its signals after the filter.
        scale
            What makes them deviations.
        data
            Which windows, see `edgebio.training.segments.cut`.
        ahead
            Samples to the window that is to be told; both lie in one recording.
        """
        starts, labels, numbers, left_out, first = [], [], [], [], 0
        for number, (recording, part) in enumerate(zip(recordings, filtered, strict=True)):
            columns, label, without = cut(recording, spec, spec.step_frames, data)
            told = columns * spec.hop_length
            inside = told >= ahead
            starts.append(first + told[inside] - ahead)
            labels.append(label[inside])
            numbers.append(np.full(inside.sum(), number, np.int32))
            left_out.append(without)
            first += len(part)
        values = [scale.apply(part) for part in filtered]
        channels = spec.channels
        return cls(
            np.concatenate([np.empty((0, channels), np.float32), *values]),
            np.concatenate([np.empty(0, np.int64), *starts]),
            ahead,
            np.concatenate([np.empty(0, np.int16), *labels]),
            np.concatenate([np.empty(0, np.int32), *numbers]),
            spec.segment_length,
            tuple(left_out),
        )


def filtered(spec: FrontendSpec, recordings: Sequence[Recording]) -> list[npt.NDArray[np.float32]]:
    """Run the front end's fixed-point filter over recordings, each from reset.

    Returns
    -------
    list of ndarray
        float32, shape (n, channels), in counts.
    """
    # Short frames: the filter runs as far as frames reach, and no other stage is kept.
    plain = spec.model_copy(
        update={
                "segment_length": 32, "n_fft": 32, "hop_length": 32, "step_frames": 1, "bins": (0, 17)
            }  # fmt: skip
    )
    twin, found = Twin(plain), []
    for recording in recordings:
        samples = np.pad(recording.samples, ((0, plain.hop_length), (0, 0)), mode="edge")
        made = twin.stages(samples, ("filter",)).values["filter"][:, : len(recording.samples)]
        found.append((made.T / np.float32(_Q12)).astype(np.float32))
    return found


def compand(values: npt.NDArray[np.floating]) -> npt.NDArray[np.int8]:
    """Code standardised samples in int8, finely where they are small (mu-law, ITU-T G.711).

    ``code = round(127 sign(x) log(1 + 512 |x| / 64) / log(513))``: a step is 0.006 deviations
    around 0 and 5 % of a large sample; 64 deviations are the largest.
    """
    bounded = np.clip(values, -LARGEST, LARGEST)
    log = np.log1p(np.abs(bounded) * np.float32(_MU / LARGEST)) * np.float32(_CODES / np.log1p(_MU))
    codes: npt.NDArray[np.int8] = np.rint(np.copysign(log, bounded)).astype(np.int8)
    return codes


def expand(codes: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Samples that codes stand for: the inverse of `compand`."""
    real = np.abs(codes.astype(np.float64)) / _CODES
    size = np.expm1(real * np.log1p(_MU)) * LARGEST / _MU
    values: npt.NDArray[np.float64] = np.copysign(size, codes.astype(np.float64))
    return values
