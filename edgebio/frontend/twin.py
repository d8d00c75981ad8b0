"""The host twin: the firmware's own front end and CMSIS-DSP's own FFT, compiled for this machine.

One library for each core class, built once into the user's cache; it holds no arithmetic of its
own, so what it computes is what the chip computes. Where there is no C compiler, the scalar class
falls back on PyPI's ``cmsisdsp``.
"""

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.frontend import cmsisdsp
from edgebio.frontend.constants import Constants, constants
from edgebio.frontend.spec import FftNumerics, FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.processes import host_compiler
from edgebio.processes.worker_pool import available_cores, map_in_order

STAGES: dict[str, tuple[int, type[np.generic]]] = {
    "filter": (0, np.int32),
    "window": (1, np.int32),
    "scale": (2, np.int16),
    "exponent": (3, np.int32),
    "fft": (4, np.int16),
    "power": (5, np.uint32),
    "log": (6, np.int16),
    "image": (7, np.int8),
}
"""Stages of a column in their order: number in eb_frontend.h and type of their values."""


HELIUM_READS_AHEAD = 80
"""Bytes behind its frame that Helium's FFT loads ahead, and does not use."""


def numerics_flags(core_class: FftNumerics, *, helium: bool = False) -> tuple[str, ...]:
    """Compiler definitions that make CMSIS-DSP compute as `core_class`, on any machine.

    Parameters
    ----------
    core_class
        Numerics of the model.
    helium
        The core has Helium; only a model of class ``mve`` lets it be used.
    """
    numerics = f"-DEB_CORE_CLASS_DSP={int(core_class != 'scalar')}"
    if uses_helium(core_class, helium):
        return (numerics, f"-DEB_FRONTEND_AHEAD={HELIUM_READS_AHEAD}u")
    return (numerics, "-DARM_MATH_AUTOVECTORIZE")  # CMSIS-DSP's name for no intrinsics of Helium


def uses_helium(core_class: FftNumerics, helium: bool) -> bool:
    """Whether a core computes a model's FFT by Helium's intrinsics, which the twin only nears."""
    return helium and core_class == "mve"


def railed_samples(samples: npt.NDArray[np.int16]) -> int:
    """Samples at an end of int16: the converter was probably overdriven."""
    return int(np.count_nonzero((samples == 32767) | (samples == -32768)))


@dataclass(frozen=True, eq=False)
class Stages:
    """What every stage of one recording computed.

    Attributes
    ----------
    values
        By stage name: shape (channels, n, ...), where ``filter`` has one value a sample and all
        others one row a column.
    images
        int8, shape (images, columns, bins, channels).
    railed
        Samples at the ends of int16: the converter was probably overdriven.
    """

    values: dict[str, npt.NDArray[Any]]
    images: npt.NDArray[np.int8]
    railed: int


@dataclass(frozen=True, eq=False)
class Twin:
    """Host twin of one front end.

    Attributes
    ----------
    spec
        What to compute, and for which core class.
    standard
        Offset and gain of the pixels; needed for images, not for log magnitudes.
    """

    spec: FrontendSpec
    standard: Standardization | None = None
    _config: "_Config" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_config", _Config(self.spec, self.standard))

    @cached_property
    def _of_one_column(self) -> "Twin":
        """The same front end with images of one column."""
        return Twin(
            self.spec.model_copy(update={"segment_length": self.spec.n_fft, "step_frames": 1}),
            self.standard,
        )

    @property
    def state_bytes(self) -> int:
        """RAM that the front end's state takes, here as on any core."""
        size: int = _library(self.spec.fft_numerics).eb_frontend_host_bytes(self._config.pointer)
        return size

    def columns(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Log magnitudes of a recording streamed from reset.

        Parameters
        ----------
        samples
            int16, shape (n, channels).

        Returns
        -------
        ndarray
            int16, shape (columns, bins, channels), log2 of the magnitude in counts, Q10.
        """
        log = self.stages(samples, ("log",)).values["log"]
        return np.ascontiguousarray(np.moveaxis(log, 0, -1))

    def columns_of(
        self, recordings: Iterable[npt.NDArray[np.int16]]
    ) -> Iterator[npt.NDArray[np.int16]]:
        """`columns` of many recordings, in their order, on all cores; few are held at a time."""
        return map_in_order(self.columns, recordings)

    def images(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
        """Images of a recording streamed from reset: int8, shape (n, columns, bins, channels)."""
        return self.stages(samples, ()).images

    def pixels(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
        """Pixels of every column of a recording streamed from reset, which its images share.

        Returns
        -------
        ndarray
            int8, shape (columns, bins, channels), as `Standardization.apply` makes of `columns`.
        """
        return self._of_one_column.images(samples)[:, 0]

    def pixels_of(
        self, recordings: Iterable[npt.NDArray[np.int16]]
    ) -> Iterator[npt.NDArray[np.int8]]:
        """`pixels` of many recordings, in their order, on all cores; few are held at a time."""
        return map_in_order(self.pixels, recordings)

    def windows(
        self, samples: npt.NDArray[np.int16], cores: int | None = None
    ) -> npt.NDArray[np.int8]:
        """Images of windows that are cut already, each streamed from reset.

        Parameters
        ----------
        samples
            int16, shape (n, window, channels).
        cores
            Cores to use; None: all that this process may.

        Returns
        -------
        ndarray
            int8, shape (n, columns, bins, channels).

        Raises
        ------
        EdgebioError
            Where the samples have another type or shape, or the twin has no standardisation.
        """
        spec = self.spec
        shape = (spec.segment_length, spec.channels)
        if samples.dtype != np.int16 or samples.shape[1:] != shape:
            raise EdgebioError(
                f"the front end takes windows of int16 and shape (n, {spec.segment_length}, "
                f"{spec.channels}), not {samples.dtype} {samples.shape}"
            )
        if self.standard is None:
            raise EdgebioError("images need a standardisation; log magnitudes do not")
        samples = np.ascontiguousarray(samples)
        out = np.empty((len(samples), *spec.image_shape), dtype=np.int8)
        if not host_compiler.is_available():
            for image, window in zip(out, samples, strict=True):
                image[...] = self.images(window)[0]
            return out
        library = _library(spec.fft_numerics)

        def run(part: slice) -> None:
            state = np.zeros(self.state_bytes // 8 + 1, np.uint64)
            library.eb_frontend_host_windows(
                self._config.pointer, state.ctypes.data, samples[part].ctypes.data,
                len(samples[part]), spec.segment_length, out[part].ctypes.data,
            )  # fmt: skip

        # Parts small enough that a core which is late holds up the others little.
        size = max(1, min(256, len(samples) // (4 * (cores or available_cores()))))
        parts = [slice(i, i + size) for i in range(0, len(samples), size)]
        for _ in map_in_order(run, parts, cores):
            pass
        return out

    def stages(
        self, samples: npt.NDArray[np.int16], wanted: Sequence[str] = tuple(STAGES)
    ) -> Stages:
        """Stream a recording from reset and keep what the `wanted` stages computed.

        Raises
        ------
        EdgebioError
            Where the samples are not int16 of shape (n, channels).
        """
        spec = self.spec
        if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != spec.channels:
            raise EdgebioError(
                f"the front end takes int16 samples of shape (n, {spec.channels}), "
                f"not {samples.dtype} {samples.shape}"
            )
        if not host_compiler.is_available():
            from edgebio.frontend import fallback

            slow = fallback.stages(spec, self.standard, samples)
            return Stages({name: slow.values[name] for name in wanted}, slow.images, slow.railed)
        samples = np.ascontiguousarray(samples)
        n = len(samples)
        columns = spec.frames_in(n)
        images = (
            max(0, (columns - spec.frames) // spec.step_frames + 1) if columns >= spec.frames else 0
        )
        rows = {
            "filter": (n,),
            "window": (columns, spec.n_fft),
            "scale": (columns, spec.n_fft),
            "exponent": (columns,),
            "fft": (columns, spec.n_fft + 2),
            "power": (columns, spec.n_bins),
            "log": (columns, spec.n_bins),
            "image": (columns, spec.n_bins),
        }
        values: dict[str, npt.NDArray[Any]] = {}
        used = np.zeros((len(STAGES), spec.channels), dtype=np.uintp)
        streams = (_Stream * len(STAGES))()
        for name in wanted:
            number, dtype = STAGES[name]
            values[name] = array = np.zeros((spec.channels, *rows[name]), dtype=dtype)
            streams[number] = _Stream(
                array.ctypes.data, array.nbytes // spec.channels, used[number:].ctypes.data
            )
        out = np.empty((images, *spec.image_shape), dtype=np.int8)
        library = _library(spec.fft_numerics)
        state = np.zeros(library.eb_frontend_host_bytes(self._config.pointer) // 8 + 1, np.uint64)
        made = library.eb_frontend_host_run(
            self._config.pointer, state.ctypes.data, samples.ctypes.data, n, streams,
            out.ctypes.data if self.standard else None,
        )  # fmt: skip
        if made != images:
            raise AssertionError(f"the front end made {made} images, not {images}")
        if self.standard is None:
            out = out[:0]
        # Of the last samples those that wait for their hop have not been filtered.
        if "filter" in values:
            values["filter"] = values["filter"][:, : used[0, 0] // 4]
        head = state.view(np.uint32)
        return Stages(values, out, railed=int(head[5]))


class _Stream(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("capacity", ctypes.c_size_t),
        ("used", ctypes.c_void_p),
    )


class _BiquadC(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_int32) for name in ("b0", "b1", "minus_a1", "minus_a2", "passes_dc")
    )


class _CfftC(ctypes.Structure):  # arm_cfft_instance_q15
    _fields_ = (
        ("length", ctypes.c_uint16),
        ("twiddles", ctypes.c_void_p),
        ("bit_reversal", ctypes.c_void_p),
        ("bit_reversal_length", ctypes.c_uint16),
    )


class _RfftC(ctypes.Structure):  # arm_rfft_instance_q15
    _fields_ = (
        ("length", ctypes.c_uint32),
        ("inverse", ctypes.c_uint8),
        ("bit_reverse", ctypes.c_uint8),
        ("modifier", ctypes.c_uint32),
        ("real_a", ctypes.c_void_p),
        ("real_b", ctypes.c_void_p),
        ("cfft", ctypes.POINTER(_CfftC)),
    )


class _ConfigC(ctypes.Structure):  # eb_frontend_config
    _fields_ = (
        *(
            (name, ctypes.c_uint16)
            for name in (
                "channels", "fft", "log2fft", "hop", "columns", "stride", "first_bin", "bins",
                "sections", "bin_stride", "channel_stride", "headroom",
            )
        ),
        ("floor_exponent", ctypes.c_int16),
        ("floor", ctypes.c_uint32),
        ("taper", ctypes.c_void_p),
        ("filter", ctypes.c_void_p),
        ("pixels", ctypes.c_void_p),
        ("rfft", ctypes.POINTER(_RfftC)),
    )  # fmt: skip


class _Config:
    """The C configuration of a front end, and the arrays that it points into."""

    def __init__(self, spec: FrontendSpec, standard: Standardization | None) -> None:
        self.constants: Constants = constants(spec)
        self.pixels = standard.pixels() if standard else np.zeros((1, 1, 2), np.int16)
        bins, channels, _ = self.pixels.shape
        if bins not in (1, spec.n_bins) or channels not in (1, spec.channels):
            raise EdgebioError(
                f"standardisation of shape {(bins, channels)} does not fit images of "
                f"{spec.n_bins} bins and {spec.channels} channels"
            )
        c = self.constants
        self._filter = (_BiquadC * len(c.filter))(
            *(_BiquadC(b.b0, b.b1, b.minus_a1, b.minus_a2, b.passes_dc) for b in c.filter)
        )
        self._cfft = _CfftC(
            spec.n_fft // 2, c.twiddles.ctypes.data, c.bit_reversal.ctypes.data, len(c.bit_reversal)
        )
        self._rfft = _RfftC(
            spec.n_fft, 0, 1, 1, c.real_a.ctypes.data, c.real_b.ctypes.data,
            ctypes.pointer(self._cfft),
        )  # fmt: skip
        self._config = _ConfigC(
            channels=spec.channels,
            fft=spec.n_fft,
            log2fft=spec.n_fft.bit_length() - 1,
            hop=spec.hop_length,
            columns=spec.frames,
            stride=spec.step_frames,
            first_bin=spec.bins[0],
            bins=spec.n_bins,
            sections=len(c.filter),
            bin_stride=channels if bins > 1 else 0,
            channel_stride=1 if channels > 1 else 0,
            headroom=c.headroom,
            floor_exponent=c.floor_exponent,
            floor=c.floor,
            taper=c.taper.ctypes.data,
            filter=ctypes.addressof(self._filter),
            pixels=self.pixels.ctypes.data,
            rfft=ctypes.pointer(self._rfft),
        )
        self.pointer = ctypes.byref(self._config)


@cache
def _library(core_class: FftNumerics) -> ctypes.CDLL:
    own = storage.assets("firmware_assets") / "frontend"
    cmsis = cmsisdsp.source()
    flags = ["-std=gnu11", "-O3", "-DEB_FRONTEND_TRACED", *numerics_flags(core_class)]
    flags += [f"-isystem{folder}" for folder in cmsisdsp.include()]
    sources = [own / "eb_frontend.c", own / "eb_frontend_host.c"]
    sources += [cmsis / name for name in cmsisdsp.RFFT_Q15]
    library = host_compiler.load_library(f"frontend-{core_class}", sources, [own], flags)
    library.eb_frontend_host_run.restype = ctypes.c_size_t
    library.eb_frontend_host_run.argtypes = (
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p,
        ctypes.c_void_p,
    )  # fmt: skip
    library.eb_frontend_host_windows.restype = None
    library.eb_frontend_host_windows.argtypes = (
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t,
        ctypes.c_void_p,
    )  # fmt: skip
    library.eb_frontend_host_bytes.restype = ctypes.c_size_t
    library.eb_frontend_host_bytes.argtypes = (ctypes.c_void_p,)
    return library
