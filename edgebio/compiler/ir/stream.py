"""Stream: the form of a program that takes new frames and computes only what they change."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgebio.compiler.ir.kernel_call import KernelCall
from edgebio.compiler.ir.layers import Mean
from edgebio.compiler.ir.memory_plan import MemoryPlan
from edgebio.compiler.ir.network import Network


@dataclass(frozen=True)
class Rows:
    """Rows of a tensor that the stream holds.

    Attributes
    ----------
    first, last : int
        First row, and the row behind the last one.
    bytes : int
        Size of a row.
    persistent : bool
        Whether later windows read them again.
    phases : int
        Copies that take turns from window to window.
    """

    first: int
    last: int
    bytes: int
    persistent: bool
    phases: int = 1

    @property
    def size(self) -> int:
        """Bytes of one copy."""
        return (self.last - self.first) * self.bytes


@dataclass(frozen=True)
class View:
    """A tensor that is some rows of another one, from byte `offset` of what is held of it."""

    tensor: int
    offset: int


@dataclass(frozen=True)
class Move:
    """Move `bytes` held of a tensor down, from `source` to `target`."""

    tensor: int
    target: int
    source: int
    bytes: int


@dataclass(frozen=True)
class AddPixels:
    """Add pixels of a tensor to sums, one a channel, or subtract them; `dsp` if by that kernel."""

    sums: int
    pixels: int
    count: int
    channels: int
    dsp: bool
    subtract: bool = False


@dataclass(frozen=True)
class CopySums:
    """Copy the sums of so many channels."""

    target: int
    source: int
    channels: int


@dataclass(frozen=True, eq=False)
class FinishMean:
    """Requantize sums to the output of a MEAN."""

    layer: Mean
    sums: int


Step = Move | AddPixels | CopySums | FinishMean | KernelCall
"""What a layer does for each window, in order."""


@dataclass(frozen=True, eq=False)
class StreamLayer:
    """A layer of the network in the stream.

    Attributes
    ----------
    steps : tuple of Step
        A kernel call of the whole program is the same object as there.
    reused, recomputed : int
        Rows of its output.
    macs : int
        Multiply-accumulates for each window.
    state : int
        Bytes that it keeps for later windows.
    reason : str
        Why it is computed from the whole window; empty if it is not.
    """

    steps: tuple[Step, ...]
    reused: int
    recomputed: int
    macs: int
    state: int
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Stream:
    """A network as a stream of frames.

    Attributes
    ----------
    hop, window : int
        Frames between the beginnings of two windows, and of a window.
    network : Network
        With more tensors: views of rows, and sums.
    views, rows : mapping
        By tensor.
    input_steps : tuple of Step
        Before the new frames are copied behind those that are kept.
    layers : tuple of StreamLayer
        In the order of the network.
    counters : int
        Tensor of two counters: pushes, until a window is complete, and the phase.
    plan : MemoryPlan
    """

    hop: int
    window: int
    network: Network
    views: Mapping[int, View]
    rows: Mapping[int, Rows]
    input_steps: tuple[Step, ...]
    layers: tuple[StreamLayer, ...]
    counters: int
    plan: MemoryPlan

    @property
    def pushes(self) -> int:
        """Pushes after which there is a whole window."""
        return -(-self.window // self.hop)

    @property
    def phases(self) -> int:
        """Windows after which all tensors are in the same phase again."""
        return math.lcm(*(rows.phases for rows in self.rows.values()))

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a decision."""
        return sum(layer.macs for layer in self.layers)

    @property
    def state(self) -> int:
        """Bytes that are kept from window to window."""
        return sum(rows.size * rows.phases for rows in self.rows.values() if rows.persistent)

    @property
    def sources(self) -> set[str]:
        """C files and headers that the steps need."""
        needed = {"eb_stream.c", *(source for call in self.calls for source in call.sources)}
        steps = (step for layer in self.layers for step in (*self.input_steps, *layer.steps))
        if any(isinstance(step, AddPixels) and step.dsp for step in steps):
            needed |= {"eb_stream_dsp.c", "eb_sums_dsp.h", "eb_dsp.h"}
        return needed

    @property
    def calls(self) -> tuple[KernelCall, ...]:
        """All kernel calls."""
        steps = (step for layer in self.layers for step in layer.steps)
        return tuple(step for step in steps if isinstance(step, KernelCall))

    def document(self) -> dict[str, Any]:
        """Sizes, rows of every layer and memory plan as a JSON document."""
        return {
            "hop_frames": self.hop,
            "window_frames": self.window,
            "macs": self.macs,
            "state_bytes": self.state,
            "layers": [
                {
                    "index": index,
                    "columns_reused": layer.reused,
                    "columns_recomputed": layer.recomputed,
                    "macs": layer.macs,
                    "state_bytes": layer.state,
                    "reason": layer.reason,
                }
                for index, layer in enumerate(self.layers)
            ],
            "plan": self.plan.document(),
        }
