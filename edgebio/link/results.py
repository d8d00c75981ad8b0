"""Answers and events as typed values; their fields are those of the messages."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio.decision.outputs import Constants
from edgebio.link.messages import CODES, Record


@dataclass(frozen=True)
class Identity:
    """Answer to ``identify``."""

    board: str
    cpu: str
    clock_hz: int
    build: bytes
    receive_bytes: int
    payload_bytes: int


@dataclass(frozen=True)
class Description:
    """Answer to ``describe``."""

    model_sha256: bytes
    input_bytes: int
    output_bytes: int
    layers: int
    frontend: int
    rate_millihz: int
    channels: int
    segment_length: int
    step: int
    votes: int
    decision_slots: int
    standalone: int
    source: str
    sink: str

    @property
    def rate(self) -> float:
        """Sampling rate in Hz."""
        return self.rate_millihz / 1000


@dataclass(frozen=True)
class Statistics:
    """Answer to ``statistics``."""

    time_us: int
    frames: int
    damaged_frames: int
    repeated_requests: int
    stale_requests: int
    overrun_bytes: int
    gaps: int
    images: int
    slowest_us: int
    stack_used: int
    stack_size: int
    start_cause: int
    fault_pc: int
    fault_lr: int
    fault_status: int
    fault_address: int
    clock: int
    source_frames: int
    source_lost: int
    decisions: int
    dropped_records: int


@dataclass(frozen=True)
class FlashImage:
    """Answer to ``image``: bytes of the image in flash and their SHA-256."""

    size: int
    sha256: bytes


@dataclass(frozen=True)
class CueTime:
    """Answer to ``cue``: device time, and number of the next sample frame."""

    time_us: int
    next_frame: int


@dataclass(frozen=True, eq=False)
class ImageRun:
    """Answer to ``run_image``: `output` is int8, shape (output bytes,)."""

    output: npt.NDArray[np.int8]
    model_us: int


@dataclass(frozen=True, eq=False)
class SegmentRun(ImageRun):
    """Answer to ``run_segment``; `image_crc` is the CRC-32 of the image."""

    image_crc: int
    frontend_us: int


@dataclass(frozen=True, eq=False)
class DecisionEvent:
    """Event ``decision``: `logits` is int8, shape (classes,); `reason` is a name of its table."""

    index: int
    origin: int
    end: int
    time_us: int
    frontend_us: int
    compute_us: int
    image_crc: int
    activity: int
    vote_resets: int
    winner: int
    decision: int
    reason: str
    logits: npt.NDArray[np.int8]

    @classmethod
    def of(cls, values: Record) -> Self:
        """Event with these fields."""
        logits = np.frombuffer(values["logits"], np.int8)
        return cls(**values | {"logits": logits, "reason": reason_name(values["reason"])})


@dataclass(frozen=True)
class RestEvent:
    """Event ``rest``, and answer to ``current_decision``; `reason` is a name of its table."""

    time_us: int
    next_sample: int
    decision: int
    reason: str

    @classmethod
    def of(cls, values: Record) -> Self:
        """Event with these fields."""
        return cls(**values | {"reason": reason_name(values["reason"])})


@dataclass(frozen=True)
class Settings:
    """Answer to ``settings``, and request ``configure``."""

    votes: int
    hold: int
    rest: int
    least: int
    limit: int
    onset: int
    timeout_ms: int

    @classmethod
    def of(cls, c: Constants) -> Self:
        """Settings with which a device decides by these constants."""
        return cls(c.votes, c.hold, c.rest, c.least + 128, c.limit, c.onset, c.timeout_ms)


def reason_name(code: int) -> str:
    """Name of a reason; its number if this edgebio does not know it."""
    entry = CODES["reason"].find(code)
    return entry[0] if entry else f"reason {code}"
