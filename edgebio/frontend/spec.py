"""What the fixed-point STFT computes: the settings that a recipe holds and model.tflite carries."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

CoreClass = Literal["scalar", "dsp", "mve"]
"""Numerics of CMSIS-DSP's q15 FFT: plain C (M0, M0+, M3) or SIMD32 order (M4, M7, M33, M55 exact).

It is the model's, not the board's: every core computes either class in every bit, its own class
with its own instructions and the other one in portable C.

``mve`` lets a core that has them (M55) take CMSIS-DSP's Helium intrinsics, some four times faster
and a few steps off; everywhere else, in the host twin too, it is ``dsp``. The board file bounds
the difference.
"""


class FrontendSettings(BaseModel):
    """Settings of the front end that do not depend on the recording.

    Attributes
    ----------
    window : int
        Samples of one image; ``fft`` plus a multiple of ``hop``.
    hop : int
        Samples from one STFT column to the next.
    fft : int
        Points of the real FFT: 32, 64, 128, 256 or 512.
    stride : int
        Columns from one decision to the next, at most those of an image.
    taper : {"hann", "hamming", "none"}
        Window function of a column (periodic).
    highpass, lowpass : float
        Corners of 2nd-order Butterworth filters in Hz, together a band-pass; 0 leaves one out.
    notch : float
        Mains frequency to remove, 50 or 60 Hz, 2 Hz wide; 0 leaves it out.
    bins : tuple of int
        First bin and one past the last; of ``fft / 2 + 1``.
    floor : float
        Magnitude in counts that is added (in power) before the logarithm, so that silence is
        flat: ``log2(sqrt(|X|^2 + floor^2))`` with ``X`` the unnormalised DFT.
    standardise : {"bin", "channel", "none"}
        Mean and deviation learned from training, per bin and channel, per channel, or one for all.
    core_class : {"scalar", "dsp", "mve"}
        Numerics of the FFT, see `CoreClass`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    window: Annotated[int, Field(gt=0, le=65536)] = 200
    hop: Annotated[int, Field(gt=0, le=65536)] = 17
    fft: Literal[32, 64, 128, 256, 512] = 64
    stride: Annotated[int, Field(gt=0, le=4096)] = 3
    taper: Literal["hann", "hamming", "none"] = "hann"
    highpass: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 20.0
    lowpass: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    notch: Literal[0, 50, 60] = 0
    bins: tuple[int, int] = (1, 33)
    floor: Annotated[float, Field(gt=0, le=4096, allow_inf_nan=False)] = 64.0
    standardise: Literal["bin", "channel", "none"] = "bin"
    core_class: CoreClass = "dsp"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.hop > self.window:
            raise ValueError(f"hop {self.hop} is longer than the window of {self.window} samples")
        rest = self.window - self.fft
        if rest < 0:
            raise ValueError(f"window {self.window} is shorter than the FFT of {self.fft} points")
        if rest % self.hop:
            below = self.fft + rest // self.hop * self.hop
            raise ValueError(
                f"window {self.window} is not fft + a multiple of hop; "
                f"the nearest are {below} and {below + self.hop}"
            )
        if self.stride > self.columns:
            raise ValueError(
                f"stride {self.stride} skips columns: an image has only {self.columns} of them"
            )
        first, end = self.bins
        if not 0 <= first < end <= self.fft // 2 + 1:
            raise ValueError(
                f"bins {first} to {end} are not within 0 to {self.fft // 2 + 1} of a "
                f"{self.fft}-point FFT"
            )
        return self

    @property
    def columns(self) -> int:
        """STFT columns of one image."""
        return (self.window - self.fft) // self.hop + 1

    def columns_in(self, samples: int) -> int:
        """STFT columns that a run of `samples` completes."""
        return (samples - self.fft) // self.hop + 1 if samples >= self.fft else 0

    @property
    def height(self) -> int:
        """Rows of the image: its columns in time."""
        return self.columns

    @property
    def width(self) -> int:
        """Frequency bins of the image."""
        return self.bins[1] - self.bins[0]

    @property
    def step(self) -> int:
        """Samples from one decision to the next."""
        return self.stride * self.hop


class FrontendSpec(FrontendSettings):
    """Settings together with what they are applied to: ``rate`` in Hz and ``channels``."""

    rate: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    channels: Annotated[int, Field(gt=0, le=256)]

    @model_validator(mode="after")
    def _below_nyquist(self) -> Self:
        for name in ("highpass", "lowpass", "notch"):
            corner = getattr(self, name)
            if corner and not corner < self.rate / 2:
                raise ValueError(f"{name} {corner:g} Hz is not below half the rate")
            # Below this, Q30 coefficients no longer place the poles.
            if corner and math.tan(math.pi * corner / self.rate) < 1e-4:
                raise ValueError(f"{name} {corner:g} Hz is too low for {self.rate:g} Hz")
        if self.lowpass and not self.highpass < self.lowpass:
            raise ValueError(
                f"lowpass {self.lowpass:g} Hz is not above highpass {self.highpass:g} Hz"
            )
        return self

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of one image: (columns, bins, channels)."""
        return (self.columns, self.width, self.channels)

    def settings(self) -> FrontendSettings:
        """Return the settings alone."""
        return FrontendSettings(**self.model_dump(include=set(FrontendSettings.model_fields)))
