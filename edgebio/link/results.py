"""What a device says, as plain values; the fields are those of the messages (WIRE.md)."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio.decision.outputs import Constants
from edgebio.decision.spec import REJECTED
from edgebio.link.messages import CODES


@dataclass(frozen=True)
class Identity:
    """Answer to ``identify``."""

    board: str
    core: str
    clock: int
    build: bytes
    receive_bytes: int
    payload_bytes: int


@dataclass(frozen=True)
class Description:
    """Answer to ``describe``; `model` is the SHA-256 of model.tflite, `rate` is in mHz."""

    model: bytes
    input_bytes: int
    output_bytes: int
    layers: int
    frontend: int
    rate: int
    channels: int
    window: int
    step: int
    votes: int
    kept: int


@dataclass(frozen=True)
class Statistics:
    """Answer to ``statistics``."""

    time: int
    frames: int
    damaged: int
    repeated: int
    stale: int
    overruns: int
    gaps: int
    images: int
    slowest: int
    stack_used: int
    stack_size: int
    start: int
    fault_pc: int
    fault_lr: int
    fault_status: int
    fault_address: int


@dataclass(frozen=True)
class FlashImage:
    """Answer to ``image``: bytes of the image in flash and their SHA-256."""

    size: int
    sha256: bytes


@dataclass(frozen=True, eq=False)
class ImageRun:
    """Answer to ``run_image``: `output` is int8, shape (output bytes,)."""

    output: npt.NDArray[np.int8]
    model_us: int


@dataclass(frozen=True, eq=False)
class WindowRun:
    """Answer to ``run_window``: as `ImageRun`, with the CRC-32 of the image."""

    output: npt.NDArray[np.int8]
    image_crc: int
    frontend_us: int
    model_us: int


@dataclass(frozen=True, eq=False)
class Decision:
    """Event ``decision``: `logits` is int8, shape (classes,); the times are in microseconds.

    `reason` is the name in the wire's table of reasons.
    """

    index: int
    origin: int
    end: int
    time: int
    frontend_us: int
    compute_us: int
    image_crc: int
    activity: int
    anew: int
    winner: int
    decision: int
    reason: str
    logits: npt.NDArray[np.int8]

    @property
    def rejected(self) -> bool:
        """Whether the device decided for no class."""
        return self.decision == REJECTED


@dataclass(frozen=True)
class Rest:
    """Event ``rest``, and answer to ``stream_now``: what is decided without a window, and why."""

    time: int
    sample: int
    decision: int
    reason: str


@dataclass(frozen=True)
class Settings:
    """Answer to ``settings``, and what ``configure`` sets (WIRE.md)."""

    votes: int
    hold: int
    rest: int
    least: int
    limit: int
    onset: int
    timeout: int

    @classmethod
    def of(cls, c: Constants) -> Self:
        """Return what a device is told so that it decides by these constants."""
        return cls(c.votes, c.hold, c.rest, c.least + 128, c.limit, c.onset, c.timeout)


def reason(code: int) -> str:
    """Name of a reason; its number where this edgebio does not know it."""
    found = CODES["reason"].find(code)
    return found[0] if found else f"reason {code}"


@dataclass(frozen=True)
class StreamEnd:
    """Answer to ``stream_stop``: what the device has counted in the stream."""

    samples: int
    decisions: int
    gaps: int
