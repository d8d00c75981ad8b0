"""Every constant of a front end, computed from its specification in one place.

The host twin takes them by pointer, the firmware as C arrays: the same numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.frontend import cmsisdsp
from edgebio.frontend.spec import FrontendSpec

Q15 = 1 << 15
Q30 = 1 << 30
WINDOW_SHIFT = 11
"""Fractional bits of a windowed sample (eb_frontend.c has the same name for it)."""
NOTCH_WIDTH = 2.0
"""Width of the mains notch at -3 dB, in Hz."""
PEAK_GAIN = 8
"""Bound on a filter cascade's output that its 32-bit samples rest on."""


@dataclass(frozen=True)
class Biquad:
    """One second-order section in Q30; see ``eb_biquad`` in eb_frontend.h."""

    b0: int
    b1: int
    minus_a1: int
    minus_a2: int
    passes_dc: int


@dataclass(frozen=True)
class Constants:
    """What the C front end is configured with.

    Attributes
    ----------
    taper
        int16, shape (fft,): Q15.
    filter
        Biquads in the order in which they run.
    floor, floor_exponent
        Squared floor in units of the FFT's power at block exponent ``floor_exponent``, which is
        the largest one at which it is below 2**30.
    headroom
        Bits that a scaled frame leaves free, so that no frame saturates the FFT. Two samples make
        one complex value, of up to sqrt(2) times the frame's peak, and turning it may bring all of
        that into one half. Each stage halves as it adds, so that means of the tapered frame are
        turned: with a taper whose mean is below 1 / sqrt(2) they fit, without one they need a bit.
    twiddles, bit_reversal
        int16 and uint16: tables of the complex FFT of ``fft / 2`` points.
    real_a, real_b
        int16, shape (fft / 2 * 2,): the split stage's coefficients, every ``8192 / fft``-th
        complex entry of CMSIS-DSP's, so that its modifier is 1.
    """

    taper: npt.NDArray[np.int16]
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
        Where the filter could overflow its arithmetic.
    """
    floor, exponent = _floor(spec)
    filters = cascade(spec)
    if (gain := peak_gain(filters)) >= PEAK_GAIN:
        raise EdgebioError(
            f"the filter can amplify {gain:.1f} times; its arithmetic holds {PEAK_GAIN}"
        )
    weights = taper(spec)
    half = spec.n_fft // 2
    step = 2 * (8192 // spec.n_fft)
    real = {
        name: cmsisdsp.table(name).reshape(-1, 2)[:: step // 2][:half].ravel().astype(np.int16)
        for name in ("realCoefAQ15", "realCoefBQ15")
    }
    return Constants(
        taper=weights,
        filter=filters,
        floor=floor,
        floor_exponent=exponent,
        headroom=int(weights.mean() / Q15 > math.sqrt(0.5)),
        twiddles=cmsisdsp.table(f"twiddleCoef_{half}_q15").astype(np.int16),
        bit_reversal=cmsisdsp.table(f"armBitRevIndexTable_fixed_{half}").astype(np.uint16),
        real_a=real["realCoefAQ15"],
        real_b=real["realCoefBQ15"],
    )


def taper(spec: FrontendSpec) -> npt.NDArray[np.int16]:
    """Window function in Q15, periodic (as for spectral analysis), shape (fft,)."""
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
    """List the filters of `spec` in the order in which they run: high-pass, notch, low-pass."""
    filters = []
    if spec.highpass:
        filters.append(highpass(spec.highpass, spec.rate))
    if spec.notch:
        filters.append(notch(spec.notch, spec.rate))
    if spec.lowpass:
        filters.append(lowpass(spec.lowpass, spec.rate))
    return tuple(filters)


def highpass(corner: float, rate: float) -> Biquad:
    """Second-order Butterworth high-pass by the bilinear transform, in Q30.

    Parameters
    ----------
    corner, rate
        Corner frequency (-3 dB) and sampling rate in Hz.

    Notes
    -----
    The numerator is kept at exactly ``b0 (1, -2, 1)``, so that a constant is removed exactly.
    """
    _, norm, minus_a1, minus_a2 = _butterworth(corner, rate)
    b0 = round(norm * Q30)
    return Biquad(b0, -2 * b0, minus_a1, minus_a2, passes_dc=0)


def lowpass(corner: float, rate: float) -> Biquad:
    """Second-order Butterworth low-pass by the bilinear transform, in Q30.

    Parameters
    ----------
    corner, rate
        Corner frequency (-3 dB) and sampling rate in Hz.
    """
    k, norm, minus_a1, minus_a2 = _butterworth(corner, rate)
    b0 = round(k * k * norm * Q30)
    return Biquad(b0, 2 * b0, minus_a1, minus_a2, passes_dc=1)


def notch(mains: float, rate: float) -> Biquad:
    """Second-order notch of `NOTCH_WIDTH` Hz, in Q30 (Orfanidis 2010, 11.3).

    Parameters
    ----------
    mains, rate
        Frequency to remove and sampling rate in Hz.
    """
    omega = 2 * math.pi * mains / rate
    alpha = math.tan(math.pi * NOTCH_WIDTH / rate)
    norm = 1 / (1 + alpha)
    b0, b1 = round(norm * Q30), round(-2 * math.cos(omega) * norm * Q30)
    return Biquad(b0, b1, -b1, -round((1 - alpha) * norm * Q30), passes_dc=1)


def _butterworth(corner: float, rate: float) -> tuple[float, float, int, int]:
    """Prewarped frequency, normalisation, and the feedback in Q30."""
    k = math.tan(math.pi * corner / rate)
    norm = 1 / (1 + math.sqrt(2) * k + k * k)
    minus_a1 = round(2 * (1 - k * k) * norm * Q30)
    return k, norm, minus_a1, -round((1 - math.sqrt(2) * k + k * k) * norm * Q30)


def peak_gain(filters: Sequence[Biquad]) -> float:
    """Largest sample anywhere in a cascade for inputs within 1: the sum of impulse responses."""
    response = [1.0] + [0.0] * 16383
    largest = 1.0
    for q in filters:
        b0, b1, m1, m2 = (x / Q30 for x in (q.b0, q.b1, q.minus_a1, q.minus_a2))
        x1 = x2 = y1 = y2 = 0.0
        for i, x0 in enumerate(response):
            y0 = b0 * (x0 + x2) + b1 * x1 + m1 * y1 + m2 * y2
            response[i] = y0
            x2, x1, y2, y1 = x1, x0, y1, y0
        largest = max(largest, sum(map(abs, response)))
    return largest


def _floor(spec: FrontendSpec) -> tuple[int, int]:
    """Squared floor in the FFT's unit, and the block exponent at which that unit holds."""
    at_zero = spec.floor**2 * 4.0 ** (WINDOW_SHIFT - spec.n_fft.bit_length() + 1)
    exponent = math.floor((30 - math.log2(at_zero)) / 2)
    return min(round(at_zero * 4.0**exponent), (1 << 30) - 1), exponent
