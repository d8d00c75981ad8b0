"""What a device says, as plain values; the fields are those of the messages (WIRE.md)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgebio.decision.spec import REJECTED


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
    fault_pc: int
    fault_lr: int
    fault_status: int
    fault_address: int


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
    """Event ``decision``: `logits` is int8, shape (classes,); the times are in microseconds."""

    index: int
    origin: int
    end: int
    time: int
    frontend_us: int
    compute_us: int
    image_crc: int
    winner: int
    decision: int
    logits: npt.NDArray[np.int8]

    @property
    def rejected(self) -> bool:
        """Whether the device decided for no class."""
        return self.decision == REJECTED


@dataclass(frozen=True)
class StreamEnd:
    """Answer to ``stream_stop``: what the device has counted in the stream."""

    samples: int
    decisions: int
    gaps: int
