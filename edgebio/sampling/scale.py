"""From a converter's codes to the model's counts, by the firmware's own C compiled for the host."""

import ctypes
import math
from ctypes import c_bool, c_int32, c_int64, c_size_t, c_uint8, c_void_p
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.processes import host_compiler

HIGHPASS_MAX = 30
"""Largest exponent of the high-pass."""

_MULTIPLIER_BITS = 31
_SHIFT_MAX = 55


class ScaleC(ctypes.Structure):
    """``eb_scale``."""

    _fields_ = (
        ("zero", c_int32),
        ("multiplier", c_int32),
        ("shift", c_uint8),
        ("highpass", c_uint8),
    )


class HighpassC(ctypes.Structure):
    """``eb_highpass``."""

    _fields_ = (("sum", c_int64), ("started", c_bool))


@dataclass(frozen=True)
class Scale:
    """``eb_scale`` of eb_scale.h: count = (code - zero) * multiplier / 2^shift, rounded half up.

    Attributes
    ----------
    zero
        Code of 0 V.
    multiplier, shift
        The factor: `multiplier` of 31 bits, over 2^`shift`.
    highpass
        Time constant of the high-pass is 2^`highpass` samples; 0: none.
    """

    zero: int
    multiplier: int
    shift: int
    highpass: int = 0

    @classmethod
    def from_volts(
        cls,
        volts_per_code: Fraction,
        volts_per_count: Fraction,
        *,
        zero: int = 0,
        highpass: int = 0,
    ) -> "Scale":
        """Scale of a converter for a model.

        The factor is within 2^-31 of the exact quotient, so that counts are off by less than 2^-15
        before they are rounded.

        Raises
        ------
        EdgebioError
            If the steps differ by more than a factor of 2^24.
        """
        ratio = volts_per_code / volts_per_count
        if not Fraction(1, 1 << 24) <= ratio <= 1 << 24:
            raise EdgebioError(
                f"one code of the converter is {float(volts_per_code):.3g} V, one count of the "
                f"model {float(volts_per_count):.3g} V; check the model's units"
            )
        shift = _MULTIPLIER_BITS - 1 - math.floor(math.log2(ratio))
        while shift > 1 and round(ratio * (1 << shift)) >= 1 << _MULTIPLIER_BITS:
            shift -= 1
        shift = min(shift, _SHIFT_MAX)
        return cls(zero, round(ratio * (1 << shift)), shift, highpass)

    @property
    def factor(self) -> Fraction:
        """Counts of a code."""
        return Fraction(self.multiplier, 1 << self.shift)

    def stream(self, channels: int) -> "CountStream":
        """Counts of a signal as it goes on."""
        return CountStream(self, channels)


class CountStream:
    """Counts of codes as the device computes them, from its start on.

    Parameters
    ----------
    scale
        Of all channels.
    channels
        Their number.
    """

    def __init__(self, scale: Scale, channels: int) -> None:
        self._scale = ScaleC(scale.zero, scale.multiplier, scale.shift, scale.highpass)
        self._states = (HighpassC * channels)()

    def counts(self, codes: npt.NDArray[np.integer]) -> npt.NDArray[np.int16]:
        """Counts of the next codes.

        Parameters
        ----------
        codes
            Shape (n, channels): codes of the converter, at most 24 bits.

        Returns
        -------
        ndarray of int16 (n, channels)

        Raises
        ------
        EdgebioError
            If the shape or the range is wrong.
        """
        channels = len(self._states)
        if codes.ndim != 2 or codes.shape[1] != channels or codes.dtype.kind not in "iu":
            raise EdgebioError(
                f"codes are {codes.dtype} of shape {codes.shape}; expected integers of shape "
                f"(n, {channels})"
            )
        if codes.size and not -(1 << 23) <= codes.min() <= codes.max() < 1 << 23:
            raise EdgebioError(f"codes {codes.min()} to {codes.max()} do not fit 24 bits")
        narrow = np.ascontiguousarray(codes, np.int32)
        result = np.empty(narrow.shape, np.int16)
        _library().eb_scale_host_run(
            ctypes.byref(self._scale), self._states, narrow.ctypes.data,
            len(narrow), channels, result.ctypes.data,
        )  # fmt: skip
        return result


def highpass_corner(exponent: int, rate: float) -> float:
    """Frequency in Hz where the high-pass has half its power, of a constant of 2^exponent samples.

    From y[n] = x[n] - m[n], m[n+1] = m[n] + a y[n], a = 2^-exponent:
    H(z) = (1 - z^-1) / (1 - (1 - a) z^-1), so that sin(pi f / rate) = a / (2 sqrt(1 + a)).
    """
    a = 2.0**-exponent
    return rate * math.asin(a / (2 * math.sqrt(1 + a))) / math.pi


def highpass_exponent(corner: float, rate: float) -> int:
    """Exponent of the high-pass whose corner is next to `corner` Hz, in octaves.

    Raises
    ------
    EdgebioError
        If the corner is beyond what it can be at this rate.
    """
    low, high = highpass_corner(HIGHPASS_MAX, rate), highpass_corner(1, rate)
    if not low <= corner <= high:
        raise EdgebioError(
            f"highpass {corner:g} Hz; at {rate:g} Hz it can be {low:.2g} to {high:.3g} Hz"
        )
    return min(
        range(1, HIGHPASS_MAX + 1),
        key=lambda exponent: abs(math.log2(highpass_corner(exponent, rate) / corner)),
    )


@cache
def _library() -> ctypes.CDLL:
    folder = storage.assets("firmware_assets") / "sources"
    library = host_compiler.load_library("scale", [folder / "eb_scale_host.c"], [folder])
    library.eb_scale_host_run.argtypes = (*(c_void_p,) * 3, c_size_t, c_size_t, c_void_p)
    return library
