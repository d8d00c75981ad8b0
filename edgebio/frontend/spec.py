"""What the fixed-point STFT computes: the settings that a recipe holds and model.tflite carries."""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from edgebio.section import Section

FftNumerics = Literal["scalar", "dsp", "mve"]
"""Numerics of CMSIS-DSP's q15 FFT: plain C (M0, M0+, M3) or SIMD32 order (M4, M7, M33, M55 exact).

It is the model's, not the board's: every core computes either class in every bit, its own class
with its own instructions and the other one in portable C.

``mve`` lets a core that has them (M55) take CMSIS-DSP's Helium intrinsics, some four times faster
and a few steps off; everywhere else, in the host twin too, it is ``dsp``. The board file bounds
the difference.
"""


class FrontendSettings(Section):
    """Settings of the front end that do not depend on the recording.

    Attributes
    ----------
    segment_length : int
        Samples of one image; ``fft`` plus a multiple of ``hop``.
    hop_length : int
        Samples from one STFT column to the next.
    n_fft : int
        Points of the real FFT: 32, 64, 128, 256 or 512.
    step_frames : int
        Columns from one decision to the next, at most those of an image.
    window_function : {"hann", "hamming", "none"}
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
    standardization : {"bin", "channel", "none"}
        Mean and deviation learned from training, per bin and channel, per channel, or one for all.
    fft_numerics : {"scalar", "dsp", "mve"}
        Numerics of the FFT, see `FftNumerics`.
    """

    old_keys: ClassVar[dict[str, str]] = {
        "window": "segment_length",
        "hop": "hop_length",
        "fft": "n_fft",
        "stride": "step_frames",
        "taper": "window_function",
        "standardise": "standardization",
        "core_class": "fft_numerics",
    }

    segment_length: Annotated[int, Field(gt=0, le=65536)] = 200
    hop_length: Annotated[int, Field(gt=0, le=65536)] = 17
    n_fft: Literal[32, 64, 128, 256, 512] = 64
    step_frames: Annotated[int, Field(gt=0, le=4096)] = 3
    window_function: Literal["hann", "hamming", "none"] = "hann"
    highpass: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 20.0
    lowpass: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    notch: Literal[0, 50, 60] = 0
    bins: tuple[int, int] = (1, 33)
    floor: Annotated[float, Field(gt=0, le=4096, allow_inf_nan=False)] = 64.0
    standardization: Literal["bin", "channel", "none"] = "bin"
    fft_numerics: FftNumerics = "dsp"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.hop_length > self.segment_length:
            raise ValueError(
                f"hop {self.hop_length} is longer than the window of {self.segment_length} samples"
            )
        rest = self.segment_length - self.n_fft
        if rest < 0:
            raise ValueError(
                f"window {self.segment_length} is shorter than the FFT of {self.n_fft} points"
            )
        if rest % self.hop_length:
            below = self.n_fft + rest // self.hop_length * self.hop_length
            raise ValueError(
                f"window {self.segment_length} is not fft + a multiple of hop; "
                f"the nearest are {below} and {below + self.hop_length}"
            )
        if self.step_frames > self.frames:
            raise ValueError(
                f"stride {self.step_frames} skips columns: an image has only {self.frames} of them"
            )
        first, end = self.bins
        if not 0 <= first < end <= self.n_fft // 2 + 1:
            raise ValueError(
                f"bins {first} to {end} are not within 0 to {self.n_fft // 2 + 1} of a "
                f"{self.n_fft}-point FFT"
            )
        return self

    @property
    def frames(self) -> int:
        """STFT columns of one image."""
        return (self.segment_length - self.n_fft) // self.hop_length + 1

    def frames_in(self, samples: int) -> int:
        """STFT columns that a run of `samples` completes."""
        return (samples - self.n_fft) // self.hop_length + 1 if samples >= self.n_fft else 0

    @property
    def n_bins(self) -> int:
        """Frequency bins of the image."""
        return self.bins[1] - self.bins[0]

    @property
    def step(self) -> int:
        """Samples from one decision to the next."""
        return self.step_frames * self.hop_length


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
        return (self.frames, self.n_bins, self.channels)

    def settings(self) -> FrontendSettings:
        """Return the settings alone."""
        return FrontendSettings(**self.model_dump(include=set(FrontendSettings.model_fields)))
