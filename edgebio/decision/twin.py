"""The host twin of the decision: the firmware's own C, compiled for this machine."""

import ctypes
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.decision.outputs import Constants, Outputs, constants
from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.processes import host_compiler


@dataclass(frozen=True, eq=False)
class Decided:
    """What became of a stream of windows.

    Attributes
    ----------
    winners
        uint8, shape (n,): what each window votes for: a class, `spec.REST` or `spec.REJECTED`.
    decisions
        uint8, shape (n,): class after the vote, `spec.REST` or `spec.REJECTED`.
    reasons
        uint8, shape (n,): why, as eb_decision.h's ``eb_decision_reason``.
    """

    winners: npt.NDArray[np.uint8]
    decisions: npt.NDArray[np.uint8]
    reasons: npt.NDArray[np.uint8]


class Decider:
    """The decision, window by window, for as long as a stream lasts.

    Parameters
    ----------
    settings, outputs
        The model's.
    """

    def __init__(self, settings: DecisionSettings, outputs: Outputs) -> None:
        self._outputs = outputs
        self._config = _config(constants(settings, outputs))
        self._state = _State()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget the votes, as the device does after a gap and after a time-out."""
        _library().eb_decision_reset(ctypes.byref(self._state))

    def take(
        self, stream: npt.NDArray[np.int8], activity: npt.NDArray[np.uint32] | None = None
    ) -> Decided:
        """Decide the next windows.

        Parameters
        ----------
        stream
            int8, shape (n, classes): the network's outputs, window by window.
        activity
            uint32, shape (n,): see `activity`; None: never quiet.

        Raises
        ------
        EdgebioError
            Where the stream has another shape or type.
        """
        classes = self._outputs.classes
        if stream.dtype != np.int8 or stream.ndim != 2 or stream.shape[1] != classes:
            raise EdgebioError(
                f"the decision takes int8 outputs of shape (n, {classes}), "
                f"not {stream.dtype} {stream.shape}"
            )
        stream = np.ascontiguousarray(stream)
        if activity is not None:
            activity = np.ascontiguousarray(activity, np.uint32)
            if activity.shape != (len(stream),):
                raise EdgebioError(f"{len(stream)} windows, but activity of {activity.shape}")
        made = np.empty((len(stream), 3), np.uint8)
        _library().eb_decision_host_run(
            ctypes.byref(self._config), ctypes.byref(self._state), stream.ctypes.data,
            None if activity is None else activity.ctypes.data, len(stream), made.ctypes.data,
        )  # fmt: skip
        return Decided(*made.T.copy())


def decide(
    settings: DecisionSettings,
    outputs: Outputs,
    stream: npt.NDArray[np.int8],
    activity: npt.NDArray[np.uint32] | None = None,
) -> Decided:
    """Decisions of a stream of windows, from reset, as the device makes them: see `Decider`."""
    return Decider(settings, outputs).take(stream, activity)


def activity(samples: npt.NDArray[np.int16], window: int, step: int) -> npt.NDArray[np.uint32]:
    """Activity of each window of a stream from reset, as the device measures it.

    Parameters
    ----------
    samples
        int16, shape (n, channels).
    window, step
        Samples to the first window, and from one to the next.

    Returns
    -------
    ndarray of uint32 (windows,)
        Mean absolute difference from one sample to the next, over all channels, since the window
        before, in sixteenths of a count.
    """
    samples = np.ascontiguousarray(samples, np.int16)
    found = np.empty(max(0, (len(samples) - window) // step + 1), np.uint32)
    before = np.zeros(samples.shape[1], np.int16)
    _library().eb_activity_host_run(
        samples.ctypes.data, len(samples), samples.shape[1], window, step, before.ctypes.data,
        found.ctypes.data,
    )  # fmt: skip
    return found


class _Config(ctypes.Structure):  # eb_decision_config
    _fields_ = (
        ("classes", ctypes.c_uint16),
        ("votes", ctypes.c_uint8),
        ("hold", ctypes.c_uint8),
        ("rest", ctypes.c_uint8),
        ("least", ctypes.c_int16),
        ("exponential", ctypes.POINTER(ctypes.c_uint16)),
        ("limit", ctypes.c_uint32),
        ("onset", ctypes.c_uint32),
        ("timeout_ms", ctypes.c_uint16),
    )


class _State(ctypes.Structure):  # eb_decision_state
    _fields_ = (
        ("recent", ctypes.c_uint8 * 31),
        ("count", ctypes.c_uint8),
        ("next", ctypes.c_uint8),
        ("last", ctypes.c_uint8),
        ("held", ctypes.c_uint8),
    )


def _config(c: Constants) -> _Config:
    table = (ctypes.c_uint16 * len(c.exponential))(*c.exponential) if c.exponential else None
    return _Config(
        c.classes, c.votes, c.hold, c.rest, c.least, table, c.limit, c.onset, c.timeout
    )  # fmt: skip


@cache
def _library() -> ctypes.CDLL:
    folder = storage.assets("firmware_assets") / "decision"
    library = host_compiler.load_library(
        "decision", [folder / "eb_decision.c", folder / "eb_decision_host.c"], [folder]
    )
    library.eb_decision_host_run.restype = None
    library.eb_decision_host_run.argtypes = (
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t,
        ctypes.c_void_p,
    )  # fmt: skip
    library.eb_activity_host_run.restype = None
    library.eb_activity_host_run.argtypes = (
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint16, ctypes.c_size_t, ctypes.c_size_t,
        ctypes.c_void_p, ctypes.c_void_p,
    )  # fmt: skip
    library.eb_decision_reset.restype = None
    library.eb_decision_reset.argtypes = (ctypes.c_void_p,)
    return library
