"""Memory plan: one block for all activations and scratch, every buffer at a fixed offset."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from edgebio.compiler.ir.kernel_call import Overlay

ALIGNMENT: Final = 4
"""Alignment of every buffer, in bytes: kernels may read words."""

STATE_ALIGNMENT: Final = 16
"""Alignment of the whole block, which the caller provides."""


def round_up(size: int, alignment: int = ALIGNMENT) -> int:
    """Smallest multiple of `alignment` that is at least `size`."""
    return -(-size // alignment) * alignment


@dataclass(frozen=True)
class Buffer:
    """One buffer of the plan.

    Attributes
    ----------
    tensor : int or None
        The tensor that it holds; None for scratch.
    offset, bytes : int
        Its place in the block.
    first, last : int
        Kernel calls between which it is in use, both included.
    over : tuple of int
        Tensors that it may overlap at call `first`.
    overlay : {"start", "same", "end"}
        Where it may overlap them; see `KernelCall`.
    """

    tensor: int | None
    offset: int
    bytes: int
    first: int
    last: int
    over: tuple[int, ...] = ()
    overlay: Overlay = "start"

    @property
    def end(self) -> int:
        """Aligned offset behind it."""
        return round_up(self.offset + self.bytes)

    def may_overlap(self, other: "Buffer", offset: int, other_offset: int) -> bool:
        """Whether it may overlap `other` if they begin at these offsets."""
        if other.tensor not in self.over:
            return False
        latest = other_offset + other.bytes - self.bytes if self.overlay == "end" else other_offset
        return offset == latest if self.overlay == "same" else offset <= latest

    def meets(self, other: "Buffer") -> bool:
        """Whether both are in use during some call."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Part:
    """A tensor that is some bytes of another one, from `offset` on, and has no buffer of its own.

    The other one is not a part, and may be the caller's memory.
    """

    tensor: int
    source: int
    offset: int


@dataclass(frozen=True)
class MemoryPlan:
    """Place of every buffer.

    Attributes
    ----------
    buffers : tuple of Buffer
        In the order of their first use.
    total : int
        Bytes of the block, a multiple of 16.
    activations : int
        Bytes up to the end of the last activation.
    lower_bound : int
        Most bytes in use during one call; no plan of these calls can be smaller.
    states : int
        Bytes at the beginning of the block that hold the states of the network: the caller keeps
        them from one inference to the next.
    parts : tuple of Part
        Outputs of layers that need not run.
    """

    buffers: tuple[Buffer, ...]
    total: int
    activations: int
    lower_bound: int
    states: int = 0
    parts: tuple[Part, ...] = ()

    @property
    def scratch(self) -> int:
        """Bytes that scratch adds to the activations."""
        return self.total - self.activations

    def offset(self, tensor: int) -> int | None:
        """Offset of a tensor; None if it is not in the block."""
        return next((b.offset for b in self.buffers if b.tensor == tensor), None)

    def part(self, tensor: int) -> Part | None:
        """The part that a tensor is of another one; None if it has its own memory."""
        return next((part for part in self.parts if part.tensor == tensor), None)

    def scratch_offset(self, call: int) -> int | None:
        """Offset of a call's scratch; None if it has none."""
        return next((b.offset for b in self.buffers if b.tensor is None and b.first == call), None)

    def document(self) -> dict[str, Any]:
        """The plan as a JSON document."""
        return {**asdict(self), "scratch": self.scratch}
