"""Every constant of a front end, computed once for the host twin and the firmware."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.frontend import cmsisdsp
from edgebio.frontend.spec import FrontendSpec

Q15 = 1 << 15
Q30 = 1 << 30
WINDOW_SHIFT = 11
"""Fractional bits of a windowed sample, as in eb_frontend.c."""
NOTCH_WIDTH = 2.0
"""Width of the mains notch at -3 dB, in Hz."""
PEAK_GAIN = 8
"""Limit of the filters' gain: above it their 32-bit samples could overflow."""


class Biquad(NamedTuple):
    """One second-order section in Q30, the fields of ``eb_biquad``."""

    b0: int
    b1: int
    minus_a1: int
    minus_a2: int
    passes_dc: int


@dataclass(frozen=True)
class Constants:
    """Arrays and numbers of the C configuration ``eb_frontend_config``.

    Attributes
    ----------
    window_function
        int16, shape (n_fft,): Q15.
    filter
        Biquads, in the order of filtering.
    floor, floor_exponent
        Squared floor in units of the FFT's power at block exponent ``floor_exponent``, the largest
        exponent with a floor below 2**30.
    headroom
        Bits that a scaled frame leaves free so that it cannot saturate the FFT. Two samples make
        one complex value of up to sqrt(2) times the frame's peak, and a rotation can move all of
        it into one part. Each stage halves its sums, so the rotated values are means of the
        windowed frame: they fit if the window function's mean is below 1 / sqrt(2), otherwise they
        need one bit.
    twiddles, bit_reversal
        int16 and uint16: tables of the complex FFT of ``n_fft / 2`` points.
    real_a, real_b
        int16, shape (n_fft,): coefficients of the split stage, every ``8192 / n_fft``-th complex
        entry of CMSIS-DSP's, so that its modifier is 1.
    """

    window_function: npt.NDArray[np.int16]
    filter: tuple[Biquad, ...]
    floor: int
    floor_exponent: int
    headroom: int
    twiddles: npt.NDArray[np.int16]
    bit_reversal: npt.NDArray[np.uint16]
    real_a: npt.NDArray[np.int16]
    real_b: npt.NDArray[np.int16]


@cache
def constants(spec: FrontendSpec) -> Constants:
    """Compute the constants of `spec`.

    Raises
    ------
    EdgebioError
        If the filter could overflow its arithmetic.
    """
    floor, exponent = _floor(spec)
    filters = cascade(spec)
    if (gain := peak_gain(filters)) >= PEAK_GAIN:
        raise EdgebioError(
            f"the filter can amplify {gain:.1f} times; its arithmetic holds {PEAK_GAIN}"
        )
    weights = q15_window_function(spec)
    half = spec.n_fft // 2
    step = 2 * (8192 // spec.n_fft)
    real = {
        name: cmsisdsp.table(name).reshape(-1, 2)[:: step // 2][:half].ravel().astype(np.int16)
        for name in ("realCoefAQ15", "realCoefBQ15")
    }
    return Constants(
        window_function=weights,
        filter=filters,
        floor=floor,
        floor_exponent=exponent,
        headroom=int(weights.mean() / Q15 > math.sqrt(0.5)),
        twiddles=cmsisdsp.table(f"twiddleCoef_{half}_q15").astype(np.int16),
        bit_reversal=cmsisdsp.table(f"armBitRevIndexTable_fixed_{half}").astype(np.uint16),
        real_a=real["realCoefAQ15"],
        real_b=real["realCoefBQ15"],
    )


def config_numbers(spec: FrontendSpec, pixels: npt.NDArray[np.int16]) -> dict[str, int]:
    """Integer fields of ``eb_frontend_config`` for `pixels` of shape (bins or 1, channels or 1, 2).

    Raises
    ------
    EdgebioError
        If the pixels do not fit the front end.
    """
    c = constants(spec)
    bins, channels, _ = pixels.shape
    if bins not in (1, spec.n_bins) or channels not in (1, spec.channels):
        raise EdgebioError(
            f"standardization of shape {(bins, channels)} does not fit images of "
            f"{spec.n_bins} bins and {spec.channels} channels"
        )
    return {
        "channels": spec.channels,
        "n_fft": spec.n_fft,
        "log2_n_fft": spec.n_fft.bit_length() - 1,
        "hop_length": spec.hop_length,
        "frames": spec.frames,
        "step_frames": spec.step_frames,
        "first_bin": spec.bins[0],
        "n_bins": spec.n_bins,
        "sections": len(c.filter),
        "bin_stride": channels if bins > 1 else 0,
        "channel_stride": 1 if channels > 1 else 0,
        "headroom": c.headroom,
        "floor_exponent": c.floor_exponent,
        "floor": c.floor,
    }


def q15_window_function(spec: FrontendSpec) -> npt.NDArray[np.int16]:
    """Window function in Q15, periodic, as for spectral analysis; shape (n_fft,)."""
    phase = 2 * np.pi * np.arange(spec.n_fft) / spec.n_fft
    match spec.window_function:
        case "hann":
            weights = 0.5 - 0.5 * np.cos(phase)
        case "hamming":
            weights = 0.54 - 0.46 * np.cos(phase)
        case "none":
            weights = np.ones(spec.n_fft)
    quantized: npt.NDArray[np.int16] = np.minimum(np.rint(weights * Q15), Q15 - 1).astype(np.int16)
    return quantized


def cascade(spec: FrontendSpec) -> tuple[Biquad, ...]:
    """Filters of `spec` in order: high-pass, notch, low-pass."""
    filters = []
    if spec.highpass:
        filters.append(_butterworth(spec.highpass, spec.rate, passes_dc=0))
    if spec.notch:
        filters.append(_notch(spec.notch, spec.rate))
    if spec.lowpass:
        filters.append(_butterworth(spec.lowpass, spec.rate, passes_dc=1))
    return tuple(filters)


def _butterworth(corner: float, rate: float, passes_dc: int) -> Biquad:
    """Second-order Butterworth high-pass or low-pass by the bilinear transform.

    The numerator is exactly ``b0 (1, -2, 1)`` or ``b0 (1, 2, 1)``: a high-pass removes a constant
    without a remainder.
    """
    k = math.tan(math.pi * corner / rate)
    norm = 1 / (1 + math.sqrt(2) * k + k * k)
    b0 = round((k * k if passes_dc else 1.0) * norm * Q30)
    minus_a1 = round(2 * (1 - k * k) * norm * Q30)
    minus_a2 = -round((1 - math.sqrt(2) * k + k * k) * norm * Q30)
    return Biquad(b0, 2 * b0 if passes_dc else -2 * b0, minus_a1, minus_a2, passes_dc)


def _notch(mains: float, rate: float) -> Biquad:
    """Second-order notch of `NOTCH_WIDTH` Hz (Orfanidis 2010, 11.3)."""
    omega = 2 * math.pi * mains / rate
    alpha = math.tan(math.pi * NOTCH_WIDTH / rate)
    norm = 1 / (1 + alpha)
    b0, b1 = round(norm * Q30), round(-2 * math.cos(omega) * norm * Q30)
    return Biquad(b0, b1, -b1, -round((1 - alpha) * norm * Q30), passes_dc=1)


def peak_gain(filters: Sequence[Biquad]) -> float:
    """Largest sample in a cascade for inputs within 1: the sum of the impulse response."""
    response = [1.0] + [0.0] * 16383
    largest = 1.0
    for q in filters:
        b0, b1, m1, m2 = (x / Q30 for x in q[:4])
        x1 = x2 = y1 = y2 = 0.0
        for i, x0 in enumerate(response):
            y0 = b0 * (x0 + x2) + b1 * x1 + m1 * y1 + m2 * y2
            response[i] = y0
            x2, x1, y2, y1 = x1, x0, y1, y0
        largest = max(largest, sum(map(abs, response)))
    return largest


def _floor(spec: FrontendSpec) -> tuple[int, int]:
    """Squared floor in the FFT's unit, and the block exponent of that unit."""
    at_zero = spec.floor**2 * 4.0 ** (WINDOW_SHIFT - spec.n_fft.bit_length() + 1)
    exponent = math.floor((30 - math.log2(at_zero)) / 2)
    return min(round(at_zero * 4.0**exponent), (1 << 30) - 1), exponent
