"""From log magnitudes to pixels, by statistics of the training recordings."""

from collections.abc import Iterable
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.section import Section

PIXEL_SCALE = 1 / 32
"""Standard deviations per pixel step: the model's input scale; its zero point is 0."""

_OCTAVE = 1 << 10  # Q10, as eb_frontend.c's LOG_SHIFT
_GAIN = 1 << 8  # Q8
_SHIFT = 18
_GAIN_MAX = 32000  # keeps (log - offset) * gain + rounding inside int32 for every int16


class Standardization(Section):
    """Offset and gain of every pixel: ``pixel = round((log - offset) * gain)``, saturated to int8.

    Attributes
    ----------
    offset : tuple of tuple of int
        Mean of the log magnitude in Q10 octaves; shape (bins, channels), or 1 where an axis is
        shared.
    gain : tuple of tuple of int
        Pixel steps per octave in Q8; the same shape.
    """

    offset: tuple[tuple[int, ...], ...]
    gain: tuple[tuple[int, ...], ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        shapes = {(len(table), *{len(row) for row in table}) for table in (self.offset, self.gain)}
        if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or 0 in shape:
            raise ValueError("offset and gain must be tables of the same shape")
        if not all(-32768 <= x <= 32767 for row in self.offset for x in row):
            raise ValueError("an offset does not fit int16")
        if not all(1 <= x <= _GAIN_MAX for row in self.gain for x in row):
            raise ValueError(f"a gain is not within 1 to {_GAIN_MAX}")
        return self

    @classmethod
    def learn(cls, spec: FrontendSpec, log_magnitudes: Iterable[npt.NDArray[np.int16]]) -> Self:
        """Learn mean and deviation from the `Twin.log_magnitudes` of each training recording.

        Raises
        ------
        EdgebioError
            If no recording has a frame.
        """
        shape = (spec.n_bins, spec.channels)
        count, total, squares = 0, np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for part in log_magnitudes:
            count += len(part)
            total += part.sum(axis=0, dtype=np.int64)
            squares += np.einsum("nbc,nbc->bc", part, part, dtype=np.int64)
        if not count:
            raise EdgebioError("no recording is long enough for one STFT frame")
        axes = {"bin": (), "channel": (0,), "none": (0, 1)}[spec.standardization]
        mean = (total / _OCTAVE / count).mean(axis=axes, keepdims=True)
        power = (squares / _OCTAVE**2 / count).mean(axis=axes, keepdims=True)
        variance = power - np.square(mean)
        # A channel without signal has no deviation; this bounds its gain.
        deviation = np.sqrt(np.maximum(variance, 0.0625**2))
        gain = np.minimum(np.rint(_GAIN / (deviation * PIXEL_SCALE)), _GAIN_MAX)
        return cls(
            offset=tuple(map(tuple, np.rint(mean * _OCTAVE).astype(int).tolist())),
            gain=tuple(map(tuple, gain.astype(int).tolist())),
        )

    def pixels(self) -> npt.NDArray[np.int16]:
        """Array of ``eb_pixel``, offset and gain: int16, shape (bins or 1, channels or 1, 2)."""
        return np.ascontiguousarray(np.stack(self.tables(), axis=-1))

    def tables(self) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
        """Offset and gain as int16 arrays of shape (bins or 1, channels or 1)."""
        return np.array(self.offset, dtype=np.int16), np.array(self.gain, dtype=np.int16)

    def apply(self, log_magnitudes: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
        """Pixels of log magnitudes (n, bins, channels), bit for bit those of eb_frontend.c."""
        offset, gain = self.tables()
        difference = log_magnitudes.astype(np.int32) - offset
        value = difference * gain.astype(np.int32) + (1 << (_SHIFT - 1))
        pixels: npt.NDArray[np.int8] = np.clip(value >> _SHIFT, -128, 127).astype(np.int8)
        return pixels


def images(spec: FrontendSpec, pixels: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Images of a recording, as a view of its pixels (n, bins, channels).

    Returns
    -------
    ndarray
        int8, shape (images, frames, bins, channels); image k is due after
        ``segment_length + k * step`` samples.
    """
    if len(pixels) < spec.frames:
        return np.empty((0, *spec.image_shape), dtype=np.int8)
    view = np.lib.stride_tricks.sliding_window_view(pixels, spec.frames, axis=0)
    return np.moveaxis(view[:: spec.step_frames], -1, 1)
