"""Settings of the fixed-point STFT, as a recipe and model.tflite hold them."""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from edgebio.section import Section

FftNumerics = Literal["scalar", "dsp", "mve"]
"""Arithmetic of CMSIS-DSP's q15 FFT: in the order of plain C or of the SIMD32 instructions.

A model chooses it, and every CPU computes either bit for bit: M0, M0+ and M3 are faster with
``scalar``, M4, M7 and M33 with ``dsp``. ``mve`` is ``dsp``, except on a CPU with Helium (M55):
CMSIS-DSP's Helium intrinsics are about four times faster and a few steps off, within the limits of
the board file.
"""


FftLength = Literal[32, 64, 128, 256, 512]
"""Points of the FFT, for which the firmware has tables."""


class FrontendSettings(Section):
    """Settings of the front end that are independent of the recording.

    Attributes
    ----------
    segment_length : int
        Samples that one image and decision cover: ``n_fft`` plus a multiple of ``hop_length``.
    hop_length : int
        Samples between frames of the STFT.
    n_fft : int
        Samples of a frame and points of its real FFT: 32, 64, 128, 256 or 512.
    step_frames : int
        Frames between decisions, at most those of an image.
    window_function : {"hann", "hamming", "none"}
        Window function of a frame, periodic.
    highpass, lowpass : float
        Corners of 2nd-order Butterworth filters in Hz; 0 for none.
    notch : float
        Mains frequency to remove, 50 or 60 Hz, with a notch 2 Hz wide; 0 for none.
    bins : tuple of int
        First bin and one past the last, of ``n_fft / 2 + 1``.
    floor : float
        Magnitude in counts added in power before the logarithm, which keeps silence flat:
        ``log2(sqrt(|X|^2 + floor^2))`` with ``X`` the unnormalized DFT.
    standardization : {"bin", "channel", "none"}
        What shares a mean and deviation: each bin of a channel has its own, each channel, or none.
    fft_numerics : {"scalar", "dsp", "mve"}
        See `FftNumerics`.
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
    n_fft: FftLength = 64
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
    def _check(self) -> Self:
        length, hop, n_fft = self.segment_length, self.hop_length, self.n_fft
        if hop > length:
            raise ValueError(f"hop_length {hop} is longer than the segment of {length} samples")
        rest = length - n_fft
        if rest < 0:
            raise ValueError(f"segment_length {length} is shorter than the FFT of {n_fft} points")
        if rest % hop:
            below = n_fft + rest // hop * hop
            raise ValueError(
                f"segment_length {length} is not n_fft + a multiple of hop_length; "
                f"the nearest are {below} and {below + hop}"
            )
        if self.step_frames > self.frames:
            raise ValueError(
                f"step_frames {self.step_frames} skips frames: an image has only {self.frames}"
            )
        first, end = self.bins
        if not 0 <= first < end <= n_fft // 2 + 1:
            raise ValueError(
                f"bins {first} to {end} are not within 0 to {n_fft // 2 + 1} of a {n_fft}-point FFT"
            )
        return self

    @property
    def frames(self) -> int:
        """STFT frames of one image."""
        return (self.segment_length - self.n_fft) // self.hop_length + 1

    def frames_in(self, samples: int) -> int:
        """STFT frames that `samples` samples complete."""
        return (samples - self.n_fft) // self.hop_length + 1 if samples >= self.n_fft else 0

    @property
    def n_bins(self) -> int:
        """Frequency bins of one image."""
        return self.bins[1] - self.bins[0]

    @property
    def step(self) -> int:
        """Samples between decisions."""
        return self.step_frames * self.hop_length


class FrontendSpec(FrontendSettings):
    """Settings for a signal of ``channels`` channels at ``rate`` Hz."""

    rate: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    channels: Annotated[int, Field(gt=0, le=256)]

    @model_validator(mode="after")
    def _below_nyquist(self) -> Self:
        for name in ("highpass", "lowpass", "notch"):
            corner = getattr(self, name)
            if corner and not corner < self.rate / 2:
                raise ValueError(f"{name} {corner:g} Hz is not below half the rate")
            # Below this, Q30 coefficients are too coarse for the poles.
            if corner and math.tan(math.pi * corner / self.rate) < 1e-4:
                raise ValueError(f"{name} {corner:g} Hz is too low for {self.rate:g} Hz")
        if self.lowpass and not self.highpass < self.lowpass:
            raise ValueError(
                f"lowpass {self.lowpass:g} Hz is not above highpass {self.highpass:g} Hz"
            )
        return self

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of one image: (frames, bins, channels)."""
        return (self.frames, self.n_bins, self.channels)

    def settings(self) -> FrontendSettings:
        """Settings without rate and channels."""
        return FrontendSettings(**self.model_dump(include=set(FrontendSettings.model_fields)))
