"""The host twin of the decision: the firmware's own C, compiled for this machine."""

import ctypes
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from edgebio import hostcc, storage
from edgebio.decision.outputs import Constants, Outputs, constants
from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError


@dataclass(frozen=True, eq=False)
class Decided:
    """What became of a stream of windows.

    Attributes
    ----------
    winners
        uint8, shape (n,): class that each window votes for, or `spec.REJECTED`.
    decisions
        uint8, shape (n,): class after the vote, or `spec.REJECTED`.
    """

    winners: npt.NDArray[np.uint8]
    decisions: npt.NDArray[np.uint8]


def decide(settings: DecisionSettings, outputs: Outputs, stream: npt.NDArray[np.int8]) -> Decided:
    """Decisions of a stream of windows, from reset, as the device makes them.

    Parameters
    ----------
    settings, outputs
        The model's.
    stream
        int8, shape (n, classes): the network's outputs, window by window.

    Raises
    ------
    EdgebioError
        Where the stream has another shape or type.
    """
    if stream.dtype != np.int8 or stream.ndim != 2 or stream.shape[1] != outputs.classes:
        raise EdgebioError(
            f"the decision takes int8 outputs of shape (n, {outputs.classes}), "
            f"not {stream.dtype} {stream.shape}"
        )
    stream = np.ascontiguousarray(stream)
    winners = np.empty(len(stream), np.uint8)
    decisions = np.empty(len(stream), np.uint8)
    _library().eb_decision_host_run(
        ctypes.byref(_config(constants(settings, outputs))),
        stream.ctypes.data, len(stream), winners.ctypes.data, decisions.ctypes.data,
    )  # fmt: skip
    return Decided(winners, decisions)


class _Config(ctypes.Structure):  # eb_decision_config
    _fields_ = (
        ("classes", ctypes.c_uint16),
        ("votes", ctypes.c_uint8),
        ("least", ctypes.c_int16),
        ("exponential", ctypes.POINTER(ctypes.c_uint16)),
        ("limit", ctypes.c_uint32),
    )


def _config(c: Constants) -> _Config:
    table = (ctypes.c_uint16 * len(c.exponential))(*c.exponential) if c.exponential else None
    return _Config(c.classes, c.votes, c.least, table, c.limit)


@cache
def _library() -> ctypes.CDLL:
    folder = storage.assets("firmware_assets") / "decision"
    library = hostcc.library(
        "decision", [folder / "eb_decision.c", folder / "eb_decision_host.c"], [folder]
    )
    library.eb_decision_host_run.restype = None
    library.eb_decision_host_run.argtypes = (
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p,
    )  # fmt: skip
    return library
