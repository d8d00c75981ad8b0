"""The twin's C: the front end as a shared library, one for each FFT numerics, and its structs."""

import ctypes
from ctypes import c_int16, c_int32, c_size_t, c_uint8, c_uint16, c_uint32, c_void_p
from functools import cache

import numpy as np

from edgebio import storage
from edgebio.frontend import cmsisdsp
from edgebio.frontend.constants import Biquad, config_numbers, constants
from edgebio.frontend.numerics import numerics_flags
from edgebio.frontend.spec import FftNumerics, FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.processes import host_compiler


class BiquadC(ctypes.Structure):
    """``eb_biquad``."""

    _fields_ = tuple((name, c_int32) for name in Biquad._fields)


class CfftC(ctypes.Structure):
    """``arm_cfft_instance_q15`` without Helium."""

    _fields_ = (
        ("fftLen", c_uint16),
        ("pTwiddle", c_void_p),
        ("pBitRevTable", c_void_p),
        ("bitRevLength", c_uint16),
    )


class RfftC(ctypes.Structure):
    """``arm_rfft_instance_q15`` without Helium."""

    _fields_ = (
        ("fftLenReal", c_uint32),
        ("ifftFlagR", c_uint8),
        ("bitReverseFlagR", c_uint8),
        ("twidCoefRModifier", c_uint32),
        ("pTwiddleAReal", c_void_p),
        ("pTwiddleBReal", c_void_p),
        ("pCfft", ctypes.POINTER(CfftC)),
    )


class ConfigC(ctypes.Structure):
    """``eb_frontend_config``."""

    _fields_ = (
        *(
            (name, c_uint16)
            for name in (
                "channels", "n_fft", "log2_n_fft", "hop_length", "frames", "step_frames",
                "first_bin", "n_bins", "sections", "bin_stride", "channel_stride", "headroom",
            )
        ),
        ("floor_exponent", c_int16),
        ("floor", c_uint32),
        ("window_function", c_void_p),
        ("filter", c_void_p),
        ("pixels", c_void_p),
        ("rfft", ctypes.POINTER(RfftC)),
    )  # fmt: skip


class HeadC(ctypes.Structure):
    """``eb_frontend_head``, at the start of the state."""

    _fields_ = tuple(
        (name, c_uint32)
        for name in ("pending", "next_frame", "next_image", "write", "primed", "clipped")
    )


class StreamC(ctypes.Structure):
    """``eb_host_stream``: where the values of one stage go."""

    _fields_ = (("data", c_void_p), ("capacity", c_size_t), ("used", c_void_p))


class Config:
    """The C configuration of a front end, and the arrays that it points into."""

    def __init__(self, spec: FrontendSpec, standardization: Standardization | None) -> None:
        c = constants(spec)
        pixels = standardization.pixels() if standardization else np.zeros((1, 1, 2), np.int16)
        numbers = config_numbers(spec, pixels)
        biquads = (BiquadC * len(c.filter))(*(BiquadC(*biquad) for biquad in c.filter))
        cfft = CfftC(
            spec.n_fft // 2, c.twiddles.ctypes.data, c.bit_reversal.ctypes.data, len(c.bit_reversal)
        )
        rfft = RfftC(
            spec.n_fft, 0, 1, 1, c.real_a.ctypes.data, c.real_b.ctypes.data, ctypes.pointer(cfft)
        )
        self._arrays = (c, pixels, biquads)  # C points into them
        self._config = ConfigC(
            **numbers,
            window_function=c.window_function.ctypes.data,
            filter=ctypes.addressof(biquads),
            pixels=pixels.ctypes.data,
            rfft=ctypes.pointer(rfft),
        )
        self.pointer = ctypes.byref(self._config)


@cache
def load(numerics: FftNumerics) -> ctypes.CDLL:
    """Load the front end compiled for the host, with its traces."""
    own = storage.assets("firmware_assets") / "frontend"
    flags = ["-std=gnu11", "-O3", "-DEB_FRONTEND_TRACED", *numerics_flags(numerics)]
    flags += [f"-isystem{folder}" for folder in cmsisdsp.include()]
    sources = [own / "eb_frontend.c", own / "eb_frontend_host.c"]
    sources += [cmsisdsp.source() / name for name in cmsisdsp.RFFT_Q15]
    library = host_compiler.load_library(f"frontend-{numerics}", sources, [own], flags)
    pointers = (c_void_p, c_void_p, c_void_p)
    library.eb_frontend_host_run.restype = c_size_t
    library.eb_frontend_host_run.argtypes = (*pointers, c_size_t, c_void_p, c_void_p)
    library.eb_frontend_host_push.restype = c_size_t
    library.eb_frontend_host_push.argtypes = (*pointers, c_size_t, c_void_p)
    library.eb_frontend_reset.restype = None
    library.eb_frontend_reset.argtypes = (c_void_p, c_void_p)
    library.eb_frontend_host_segments.restype = None
    library.eb_frontend_host_segments.argtypes = (*pointers, c_size_t, c_size_t, c_void_p)
    library.eb_frontend_host_bytes.restype = c_size_t
    library.eb_frontend_host_bytes.argtypes = (c_void_p,)
    return library
