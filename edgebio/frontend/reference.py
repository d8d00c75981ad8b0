"""An independent fixed-point chain: NumPy around unmodified CMSIS-DSP.

Rung 2 of the ladder compares the twin with it: its stages share no code with eb_frontend.c, and
CMSIS-DSP itself initializes the FFT, with its full tables. Around PyPI's ``cmsisdsp`` it replaces
the twin, slower, where there is no C compiler.
"""

import ctypes
import importlib.util
import platform
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import MissingToolError
from edgebio.frontend import cmsisdsp
from edgebio.frontend.constants import WINDOW_SHIFT, Biquad, constants
from edgebio.frontend.numerics import numerics_flags
from edgebio.frontend.spec import FftNumerics, FrontendSpec
from edgebio.frontend.stages import Stages, count_clipped
from edgebio.frontend.standardization import Standardization, images
from edgebio.processes import host_compiler

Frames = npt.NDArray[np.int16]
Rfft = Callable[[Frames], Frames]
"""From int16 frames (n, n_fft) to int16 spectra (n, n_fft + 2): re, im, re, im, ..."""


def compute_stages(
    spec: FrontendSpec,
    samples: npt.NDArray[np.int16],
    standardization: Standardization | None = None,
    rfft: Rfft | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """Run a recording through the chain, streamed from reset.

    Parameters
    ----------
    spec
        Front end.
    samples
        int16, shape (n, channels).
    standardization
        Offset and gain of the pixels; None leaves ``image`` out.
    rfft
        FFT to use; by default `cmsis_rfft` of the specification's FFT numerics.

    Returns
    -------
    dict
        By stage name, shape (channels, n, ...), see `Stages`.
    """
    c = constants(spec)
    transform = rfft or (lambda frames: cmsis_rfft(frames, spec.fft_numerics))
    level = _filtered(spec, samples)
    starts = np.arange(spec.frames_in(len(samples))) * spec.hop_length
    frames = level[:, starts[:, None] + np.arange(spec.n_fft)]
    window = (frames * c.window_function.astype(np.int64)) >> 16
    bits = _bit_length(np.bitwise_or.reduce(window ^ (window >> 63), axis=-1))
    exponent = 15 - bits - c.headroom
    left, right = np.maximum(exponent, 0)[..., None], np.maximum(-exponent, 0)[..., None]
    rounded = (window + np.where(right > 0, 1 << np.maximum(right - 1, 0), 0)) >> right
    scale = np.clip(rounded << left, -32768, 32767).astype(np.int16)
    flat = transform(scale.reshape(spec.channels * len(starts), spec.n_fft))
    fft = flat.reshape(*scale.shape[:-1], spec.n_fft + 2)
    bins = fft.reshape(*scale.shape[:-1], spec.n_fft // 2 + 1, 2)[..., slice(*spec.bins), :].astype(
        np.int64
    )
    power = np.square(bins).sum(axis=-1)
    values: dict[str, npt.NDArray[Any]] = {
        "filter": level.astype(np.int32),
        "window": window.astype(np.int32),
        "scale": scale,
        "exponent": exponent.astype(np.int32),
        "fft": fft,
        "power": power.astype(np.uint32),
        "log": _log(spec, power, exponent),
    }
    if standardization:
        pixels = standardization.apply(np.moveaxis(values["log"], 0, -1))
        values["image"] = np.moveaxis(pixels, -1, 0)
    return values


def stages_without_compiler(
    spec: FrontendSpec,
    standardization: Standardization | None,
    samples: npt.NDArray[np.int16],
) -> Stages:
    """All stages of `Twin.stages`, by `pypi_rfft`.

    Raises
    ------
    MissingToolError
        If the FFT numerics are not ``scalar``, or PyPI's ``cmsisdsp`` is not installed.
    """
    if spec.fft_numerics != "scalar":
        raise MissingToolError(
            f"fft_numerics {spec.fft_numerics} needs a C compiler: sudo apt-get install gcc"
        )
    if not wheel_is_scalar():
        raise MissingToolError(
            "without a C compiler a front end needs PyPI's cmsisdsp, on x86-64: pip install "
            '"edgebio[verify]", or a compiler: sudo apt-get install gcc'
        )
    values = compute_stages(spec, samples, standardization, pypi_rfft)
    frames, hop = spec.frames_in(len(samples)), spec.hop_length
    used = spec.n_fft + (frames - 1) * hop if frames else len(samples) // hop * hop
    values["filter"] = values["filter"][:, :used]  # the last samples wait for their hop
    values.setdefault("image", np.zeros(values["log"].shape, np.int8))
    segments = np.zeros((0, *spec.image_shape), np.int8)
    if standardization:
        segments = np.ascontiguousarray(images(spec, np.moveaxis(values["image"], 0, -1)))
    return Stages(values, segments, count_clipped(samples))


def wheel_is_scalar() -> bool:
    """Whether PyPI's cmsisdsp is installed and computes plain C; on Arm hosts it uses NEON."""
    return importlib.util.find_spec("cmsisdsp") is not None and platform.machine() == "x86_64"


def _filtered(spec: FrontendSpec, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Filtered samples, Q12 counts: int64, shape (channels, n)."""
    level: npt.NDArray[np.int64] = samples.T.astype(np.int64) << 12
    for section in constants(spec).filter:
        level = _biquad(section, level)
    return level


def cmsis_rfft(frames: Frames, numerics: FftNumerics) -> Frames:
    """``arm_rfft_q15`` of CMSIS-DSP's C, initialized by its own ``arm_rfft_init_q15``."""
    n = frames.shape[1]
    library = _library(numerics)
    instance = ctypes.create_string_buffer(64)  # arm_rfft_instance_q15 is smaller
    if library.arm_rfft_init_q15(instance, n, 0, 1):
        raise AssertionError(f"CMSIS-DSP has no real FFT of {n} points")
    work = frames.copy()
    out = np.zeros(2 * n, np.int16)
    spectra = np.empty((len(frames), n + 2), np.int16)
    for row, spectrum in zip(work, spectra, strict=True):
        library.arm_rfft_q15(
            instance, row.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p)
        )
        spectrum[:] = out[: n + 2]
    return spectra


def pypi_rfft(frames: Frames) -> Frames:
    """``arm_rfft_q15`` of PyPI's ``cmsisdsp``: FFT numerics ``scalar`` on x86-64."""
    import cmsisdsp as dsp

    n = frames.shape[1]
    instance = dsp.arm_rfft_instance_q15()
    dsp.arm_rfft_init_q15(instance, n, 0, 1)
    rows = [np.asarray(dsp.arm_rfft_q15(instance, row.copy()))[: n + 2] for row in frames]
    return np.array(rows, dtype=np.int16)


def _biquad(q: Biquad, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Direct form I, rounded once per sample; all channels at once."""
    x1 = x2 = samples[:, :1].sum(axis=1)  # 0 without samples
    y1 = y2 = x1 * q.passes_dc
    out = np.empty_like(samples)
    for i in range(samples.shape[1]):
        x0 = samples[:, i]
        total = q.b0 * (x0 + x2) + q.b1 * x1 + q.minus_a1 * y1 + q.minus_a2 * y2
        y0 = (total + (1 << 29)) >> 30
        out[:, i] = y0
        x2, x1, y2, y1 = x1, x0, y1, y0
    return out


def _bit_length(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Bits of each value: the exponent of a float64 is exact below 2**53."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def _log(
    spec: FrontendSpec, power: npt.NDArray[np.int64], exponent: npt.NDArray[np.int64]
) -> npt.NDArray[np.int16]:
    """log2 of the magnitude in counts, Q10, with the 64-entry table and its interpolation."""
    c = constants(spec)
    at = np.minimum(exponent, c.floor_exponent)[..., None]
    drop = np.minimum(2 * (exponent[..., None] - at), 31)
    floor = np.maximum(c.floor >> np.minimum(2 * (c.floor_exponent - at), 63), 1)
    value = (power >> drop) + floor
    whole = _bit_length(value) - 1
    fraction = (value << (32 - whole)) & 0xFFFFFFFF
    table = np.rint(np.log2(1 + np.arange(65) / 64) * 32768).astype(np.int64)
    index = fraction >> 26
    part = ((table[index + 1] - table[index]) * ((fraction >> 10) & 0xFFFF)) >> 16
    log = (whole << 15) + table[index] + part
    unit = (WINDOW_SHIFT + at - spec.n_fft.bit_length() + 1) << 10
    octaves: npt.NDArray[np.int16] = (((log + 32) >> 6) - unit).astype(np.int16)
    return octaves


@cache
def _library(numerics: FftNumerics) -> ctypes.CDLL:
    folder = cmsisdsp.source()
    names = [
        *cmsisdsp.RFFT_Q15,
        *cmsisdsp.TABLES,
        "Source/TransformFunctions/arm_rfft_init_q15.c",
        "Source/TransformFunctions/arm_cfft_init_q15.c",
    ]
    flags = ["-std=gnu11", *numerics_flags(numerics)]
    flags += [f"-isystem{path}" for path in cmsisdsp.include()]
    header = storage.assets("firmware_assets") / "frontend"
    library = host_compiler.load_library(
        f"cmsis-{numerics}", [folder / n for n in names], [header], flags
    )
    library.arm_rfft_init_q15.restype = ctypes.c_int8
    return library
