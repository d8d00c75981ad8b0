"""The fixed-point twin: the firmware's own front end and CMSIS-DSP's FFT, compiled for the host.

The twin has no arithmetic of its own, so what it computes is what the chip computes. Without a C
compiler, numerics ``scalar`` are computed by PyPI's ``cmsisdsp`` instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.frontend import reference, twin_library
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.stages import STAGE_NUMBERS, STAGES, Stages
from edgebio.frontend.standardization import Standardization
from edgebio.processes import host_compiler
from edgebio.processes.worker_pool import available_cores, map_in_order


@dataclass(frozen=True, eq=False)
class Twin:
    """Host twin of one front end.

    Attributes
    ----------
    spec
        Front end, with its FFT numerics.
    standardization
        Offset and gain of the pixels; needed for images, not for log magnitudes.
    """

    spec: FrontendSpec
    standardization: Standardization | None = None
    _config: twin_library.Config = field(init=False, repr=False)

    def __post_init__(self) -> None:
        config = twin_library.Config(self.spec, self.standardization)
        object.__setattr__(self, "_config", config)

    @cached_property
    def _single_frames(self) -> "Twin":
        """The same front end with images of one frame."""
        single = {"segment_length": self.spec.n_fft, "step_frames": 1}
        return Twin(self.spec.model_copy(update=single), self.standardization)

    @property
    def state_bytes(self) -> int:
        """RAM of the front end's state, the same on every CPU."""
        library = twin_library.load(self.spec.fft_numerics)
        size: int = library.eb_frontend_host_bytes(self._config.pointer)
        return size

    def _new_state(self) -> npt.NDArray[np.uint64]:
        return np.zeros(self.state_bytes // 8 + 1, np.uint64)

    def log_magnitudes(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Log magnitudes of a recording (n, channels) streamed from reset.

        Returns
        -------
        ndarray
            int16, shape (frames, bins, channels): log2 of the magnitude in counts, Q10.
        """
        log = self.stages(samples, ("log",)).values["log"]
        return np.ascontiguousarray(np.moveaxis(log, 0, -1))

    def images(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
        """Images of a recording streamed from reset: int8, shape (n, frames, bins, channels)."""
        return self.stages(samples, ()).images

    def stream(self) -> "TwinStream":
        """Images of a signal as it goes on."""
        return TwinStream(self)

    def pixels(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
        """Pixels of a recording streamed from reset, which its images share.

        They are int8, shape (frames, bins, channels): `Standardization.apply` of `log_magnitudes`.
        """
        return self._single_frames.images(samples)[:, 0]

    def segment_images(
        self, segments: npt.NDArray[np.int16], cores: int | None = None
    ) -> npt.NDArray[np.int8]:
        """Images of separate segments, each streamed from reset.

        Parameters
        ----------
        segments
            int16, shape (n, segment_length, channels).
        cores
            Cores to use; None: all that this process may.

        Returns
        -------
        ndarray
            int8, shape (n, frames, bins, channels).

        Raises
        ------
        EdgebioError
            If the segments have another type or shape, or the twin has no standardization.
        """
        spec = self.spec
        shape = (spec.segment_length, spec.channels)
        if segments.dtype != np.int16 or segments.shape[1:] != shape:
            raise EdgebioError(
                f"the front end takes int16 segments of shape (n, {spec.segment_length}, "
                f"{spec.channels}), not {segments.dtype} {segments.shape}"
            )
        if self.standardization is None:
            raise EdgebioError("images need a standardization; log magnitudes do not")
        segments = np.ascontiguousarray(segments)
        images = np.empty((len(segments), *spec.image_shape), dtype=np.int8)
        if not host_compiler.is_available():
            for image, segment in zip(images, segments, strict=True):
                image[...] = self.images(segment)[0]
            return images
        library = twin_library.load(spec.fft_numerics)

        def run(part: slice) -> None:
            state = self._new_state()
            library.eb_frontend_host_segments(
                self._config.pointer, state.ctypes.data, segments[part].ctypes.data,
                len(segments[part]), spec.segment_length, images[part].ctypes.data,
            )  # fmt: skip

        # Small parts, so that a slow core delays the others little.
        size = max(1, min(256, len(segments) // (4 * (cores or available_cores()))))
        parts = [slice(i, i + size) for i in range(0, len(segments), size)]
        for _ in map_in_order(run, parts, cores):
            pass
        return images

    def stages(
        self, samples: npt.NDArray[np.int16], wanted: Sequence[str] = tuple(STAGES)
    ) -> Stages:
        """Stream a recording from reset and keep the values of the `wanted` stages.

        Raises
        ------
        EdgebioError
            If the samples are not int16 of shape (n, channels).
        """
        spec = self.spec
        if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != spec.channels:
            raise EdgebioError(
                f"the front end takes int16 samples of shape (n, {spec.channels}), "
                f"not {samples.dtype} {samples.shape}"
            )
        if not host_compiler.is_available():
            computed = reference.stages_without_compiler(spec, self.standardization, samples)
            return replace(computed, values={name: computed.values[name] for name in wanted})
        samples = np.ascontiguousarray(samples)
        frames = spec.frames_in(len(samples))
        count = max(0, (frames - spec.frames) // spec.step_frames + 1)
        rows = {
            "filter": (len(samples),),
            "window": (frames, spec.n_fft),
            "scale": (frames, spec.n_fft),
            "exponent": (frames,),
            "fft": (frames, spec.n_fft + 2),
        }
        used = np.zeros((len(STAGES), spec.channels), dtype=np.uintp)
        streams = (twin_library.StreamC * len(STAGES))()
        values: dict[str, npt.NDArray[Any]] = {}
        for name in wanted:
            number = STAGE_NUMBERS[name]
            shape = (spec.channels, *rows.get(name, (frames, spec.n_bins)))
            values[name] = array = np.zeros(shape, STAGES[name])
            streams[number] = twin_library.StreamC(
                array.ctypes.data, array.nbytes // spec.channels, used[number:].ctypes.data
            )
        images = np.empty((count if self.standardization else 0, *spec.image_shape), np.int8)
        state = self._new_state()
        due = twin_library.load(spec.fft_numerics).eb_frontend_host_run(
            self._config.pointer, state.ctypes.data, samples.ctypes.data, len(samples), streams,
            images.ctypes.data if self.standardization else None,
        )  # fmt: skip
        if due != count:
            raise AssertionError(f"the front end computed {due} images, not {count}")
        if "filter" in values:  # the last samples wait for their hop and are not filtered yet
            values["filter"] = values["filter"][:, : used[0, 0] // 4]
        return Stages(values, images, twin_library.HeadC.from_buffer(state.data).clipped)


class TwinStream:
    """The twin at work on a signal that goes on: it computes each frame once.

    Raises
    ------
    MissingToolError
        If there is no C compiler.
    EdgebioError
        If the twin has no standardization.
    """

    def __init__(self, twin: Twin) -> None:
        if twin.standardization is None:
            raise EdgebioError("images need a standardization; log magnitudes do not")
        self._spec, self._config = twin.spec, twin._config
        self._library = twin_library.load(twin.spec.fft_numerics)
        self._state = twin._new_state()
        self.reset()

    def reset(self) -> None:
        """Begin again: the next sample is the first."""
        self._library.eb_frontend_reset(self._config.pointer, self._state.ctypes.data)

    def push(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
        """Images that the next samples complete.

        Parameters
        ----------
        samples
            int16, shape (n, channels).

        Returns
        -------
        ndarray of int8 (images, frames, bins, channels)
        """
        spec = self._spec
        if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != spec.channels:
            raise EdgebioError(
                f"the front end takes int16 samples of shape (n, {spec.channels}), "
                f"not {samples.dtype} {samples.shape}"
            )
        samples = np.ascontiguousarray(samples)
        images = np.empty((len(samples) // spec.step + 1, *spec.image_shape), np.int8)
        due = self._library.eb_frontend_host_push(
            self._config.pointer, self._state.ctypes.data, samples.ctypes.data, len(samples),
            images.ctypes.data,
        )  # fmt: skip
        return images[:due]
