"""The decision's host twin: the firmware's own C, compiled for the host."""

import ctypes
from ctypes import c_bool, c_int16, c_size_t, c_uint8, c_uint16, c_uint32, c_void_p
from dataclasses import astuple, dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.decision.outputs import Outputs, constants
from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.processes import host_compiler


class ConfigC(ctypes.Structure):
    """``eb_decision_config``."""

    _fields_ = (
        ("classes", c_uint16),
        ("votes", c_uint8),
        ("hold", c_uint8),
        ("rest", c_uint8),
        ("least", c_int16),
        ("exponential", ctypes.POINTER(c_uint16)),
        ("limit", c_uint32),
        ("onset", c_uint32),
        ("timeout_ms", c_uint16),
    )


class StateC(ctypes.Structure):
    """``eb_decision_state``."""

    _fields_ = (
        ("recent", c_uint8 * 31),
        ("count", c_uint8),
        ("next", c_uint8),
        ("last", c_uint8),
        ("hold_count", c_uint8),
    )


class ActivityC(ctypes.Structure):
    """``eb_host_activity``."""

    _fields_ = (("sum", c_uint32), ("count", c_uint16), ("started", c_bool), ("due", c_size_t))


@dataclass(frozen=True, eq=False)
class Decisions:
    """Decisions of a stream of segments.

    Attributes
    ----------
    winners
        uint8, shape (n,): vote of each segment: a class, `spec.REST` or `spec.REJECTED`.
    decisions
        uint8, shape (n,): decision after the vote: a class, `spec.REST` or `spec.REJECTED`.
    reasons
        uint8, shape (n,): ``eb_decision_reason`` of eb_decision.h.
    """

    winners: npt.NDArray[np.uint8]
    decisions: npt.NDArray[np.uint8]
    reasons: npt.NDArray[np.uint8]


class Decider:
    """The decision as a stream of segments goes on.

    Parameters
    ----------
    settings, outputs
        The model's.
    """

    def __init__(self, settings: DecisionSettings, outputs: Outputs) -> None:
        self._outputs = outputs
        c = constants(settings, outputs)
        table = (c_uint16 * len(c.exponential))(*c.exponential) if c.exponential else None
        self._config = ConfigC(*astuple(replace(c, exponential=None)))
        self._config.exponential = table
        self._state = StateC()
        self.reset()

    def reset(self) -> None:
        """Forget the votes, as the device does after a gap or time-out."""
        _library().eb_decision_reset(ctypes.byref(self._state))

    def decide(
        self, outputs: npt.NDArray[np.int8], activity: npt.NDArray[np.uint32] | None = None
    ) -> Decisions:
        """Decide the next segments.

        Parameters
        ----------
        outputs
            int8, shape (n, classes): the network's outputs.
        activity
            uint32, shape (n,), see `activity`; None: never quiet.

        Raises
        ------
        EdgebioError
            If an array has another shape or type.
        """
        classes = self._outputs.classes
        if outputs.dtype != np.int8 or outputs.ndim != 2 or outputs.shape[1] != classes:
            raise EdgebioError(
                f"the decision takes int8 outputs of shape (n, {classes}), "
                f"not {outputs.dtype} {outputs.shape}"
            )
        outputs = np.ascontiguousarray(outputs)
        if activity is not None:
            activity = np.ascontiguousarray(activity, np.uint32)
            if activity.shape != (len(outputs),):
                raise EdgebioError(f"{len(outputs)} segments, but activity of {activity.shape}")
        results = np.empty((len(outputs), 3), np.uint8)
        _library().eb_decision_host_run(
            ctypes.byref(self._config), ctypes.byref(self._state), outputs.ctypes.data,
            None if activity is None else activity.ctypes.data, len(outputs), results.ctypes.data,
        )  # fmt: skip
        return Decisions(*results.T.copy())


def activity(
    samples: npt.NDArray[np.int16], segment_length: int, step: int
) -> npt.NDArray[np.uint32]:
    """Activity of each segment of a stream from reset, as the device measures it.

    Parameters
    ----------
    samples
        int16, shape (n, channels).
    segment_length, step
        Samples of a segment, and between segments.

    Returns
    -------
    ndarray of uint32 (segments,)
        Mean absolute difference of consecutive samples over all channels since the previous
        segment, in sixteenths of a count.
    """
    return ActivityStream(samples.shape[1], segment_length, step).push(samples)


class ActivityStream:
    """Activity of each segment of a signal that goes on; see `activity`."""

    def __init__(self, channels: int, segment_length: int, step: int) -> None:
        self._segment_length, self._step = segment_length, step
        self._state = ActivityC()
        self._before = np.zeros(channels, np.int16)
        self.reset()

    def reset(self) -> None:
        """Begin again: the next sample is the first."""
        _library().eb_activity_host_reset(ctypes.byref(self._state), self._segment_length)

    def push(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.uint32]:
        """Activity of the segments that the next samples, shape (n, channels), complete."""
        samples = np.ascontiguousarray(samples, np.int16)
        result = np.empty(len(samples) // self._step + 1, np.uint32)
        count = _library().eb_activity_host_push(
            ctypes.byref(self._state), samples.ctypes.data, len(samples), samples.shape[1],
            self._step, self._before.ctypes.data, result.ctypes.data,
        )  # fmt: skip
        return result[:count]


@cache
def _library() -> ctypes.CDLL:
    folder = storage.assets("firmware_assets") / "decision"
    library = host_compiler.load_library(
        "decision", [folder / "eb_decision.c", folder / "eb_decision_host.c"], [folder]
    )
    library.eb_decision_reset.argtypes = (c_void_p,)
    library.eb_decision_host_run.argtypes = (*(c_void_p,) * 4, c_size_t, c_void_p)
    library.eb_activity_host_reset.argtypes = (c_void_p, c_size_t)
    library.eb_activity_host_push.restype = c_size_t
    library.eb_activity_host_push.argtypes = (
        c_void_p, c_void_p, c_size_t, c_uint16, c_size_t, c_void_p, c_void_p
    )  # fmt: skip
    return library
