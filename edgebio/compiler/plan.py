"""Plan memory: one block for all activations and scratch, every buffer at a fixed offset.

Buffers that are never needed at the same time share bytes. A buffer lives from the step that
writes it to the last step that reads it; the model's input and output are the caller's memory and
take none. A step that works in place may put its output over an input that nobody reads later,
where its kernel never overwrites what it has yet to read. Placement is greedy by size (Pisarchyk &
Lee 2020, arXiv:2001.03288), tried in a few orders of which the best is taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from edgebio.compiler import network as net
from edgebio.compiler.step import Overlay, Step

ALIGNMENT: Final = 4
"""Of every buffer, in bytes: kernels may read words."""

STATE_ALIGNMENT: Final = 16
"""Of the whole block, which the caller gives."""


@dataclass(frozen=True)
class Buffer:
    """One buffer of the plan.

    Attributes
    ----------
    tensor : int or None
        The tensor that lives in it; None for scratch.
    offset, bytes : int
        Where it lies in the block.
    first, last : int
        Steps between which it is in use, both included.
    over : tuple of int
        Tensors that it may overlap at step `first`.
    overlay : {"start", "same", "end"}
        Where it may: beginning where they do or before, just there, or ending where they do or
        before.
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
        """First byte behind it, aligned."""
        return _round_up(self.offset + self.bytes, ALIGNMENT)

    def may_lie_over(self, other: "Buffer", offset: int, other_offset: int) -> bool:
        """Whether it may lie over `other`, given where both begin."""
        if other.tensor not in self.over:
            return False
        latest = other_offset + other.bytes - self.bytes if self.overlay == "end" else other_offset
        return offset == latest if self.overlay == "same" else offset <= latest

    def meets(self, other: "Buffer") -> bool:
        """Whether both are in use at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Plan:
    """Where everything lies.

    Attributes
    ----------
    buffers : tuple of Buffer
        In the order of their first use.
    total : int
        Bytes of the block, a multiple of 16.
    activations : int
        Bytes up to the end of the last activation.
    lower_bound : int
        Most bytes in use at one step; no plan of these steps can be smaller.
    """

    buffers: tuple[Buffer, ...]
    total: int
    activations: int
    lower_bound: int

    @property
    def scratch(self) -> int:
        """Bytes that scratch adds to the activations."""
        return self.total - self.activations

    def offset(self, tensor: int) -> int | None:
        """Offset of a tensor; None where it is not in the block."""
        return next((b.offset for b in self.buffers if b.tensor == tensor), None)

    def scratch_offset(self, step: int) -> int | None:
        """Offset of a step's scratch; None where it has none."""
        return next((b.offset for b in self.buffers if b.tensor is None and b.first == step), None)

    def document(self) -> dict[str, Any]:
        """Give the plan as a JSON document."""
        return {**asdict(self), "scratch": self.scratch}


def plan(network: net.Network, steps: Sequence[Step]) -> Plan:
    """Place the buffers of `steps`."""
    wanted = _buffers(network, steps)
    orders: tuple[Callable[[Buffer], Any], ...] = (
        lambda b: (-b.bytes, b.first),
        lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
        lambda b: (b.first, -b.bytes),
        lambda b: (-b.last, -b.bytes),
    )
    placed = min((_place(sorted(wanted, key=order)) for order in orders), key=_end)
    return Plan(
        buffers=tuple(sorted(placed, key=lambda b: (b.first, b.offset))),
        total=max(_round_up(_end(placed), STATE_ALIGNMENT), STATE_ALIGNMENT),
        activations=_end([buffer for buffer in placed if buffer.tensor is not None]),
        lower_bound=max((_in_use(placed, step) for step in range(len(steps))), default=0),
    )


def _round_up(size: int, to: int) -> int:
    return -(-size // to) * to


def _end(buffers: Sequence[Buffer]) -> int:
    return max((b.end for b in buffers), default=0)


def _buffers(network: net.Network, steps: Sequence[Step]) -> list[Buffer]:
    """List what needs memory, each at offset 0."""
    last: dict[int, int] = {}
    for position, step in enumerate(steps):
        for index in step.layer.inputs:
            last[index] = position
    buffers: list[Buffer] = []
    for position, step in enumerate(steps):
        layer = step.layer
        if step.scratch:
            buffers.append(Buffer(None, 0, step.scratch, position, position))
        if layer.output != network.output:
            inputs = {layer.inputs[choice] for choice in step.in_place}
            over = tuple(sorted(index for index in inputs if last[index] == position))
            size = network.bytes(layer.output)
            end = last.get(layer.output, position)
            buffers.append(Buffer(layer.output, 0, size, position, end, over, step.overlay))
    return buffers


def _place(order: Sequence[Buffer]) -> list[Buffer]:
    """Give each buffer in turn the lowest offset where it is clear of those placed before."""
    placed: list[Buffer] = []
    for buffer in order:
        others = sorted((b for b in placed if b.meets(buffer)), key=lambda b: b.offset)
        placed.append(replace(buffer, offset=_lowest(buffer, others)))
    return placed


def _lowest(buffer: Buffer, others: Sequence[Buffer]) -> int:
    """Lowest offset of `buffer` that is clear of `others`, which are sorted by theirs."""
    offset, moved = 0, True
    while moved:  # again only where it lay over another and has moved away from it
        moved = False
        for other in others:
            if offset + buffer.bytes <= other.offset or other.end <= offset:
                continue
            if buffer.may_lie_over(other, offset, other.offset):
                continue
            if other.may_lie_over(buffer, other.offset, offset):
                continue
            offset = _next(buffer, other, offset)
            moved = True
    return offset


def _next(buffer: Buffer, other: Buffer, offset: int) -> int:
    """Lowest offset above `offset` where `buffer` may lie over `other` or under it, or behind."""
    if buffer.tensor in other.over:
        behind = other.bytes - buffer.bytes if other.overlay == "end" else 0
        under = _round_up(other.offset + behind, ALIGNMENT)
        if offset < under < other.end:
            return under
    if other.tensor in buffer.over and buffer.overlay == "same" and offset < other.offset:
        return other.offset
    return other.end


def _in_use(buffers: Sequence[Buffer], step: int) -> int:
    alive = {b.tensor: b for b in buffers if b.first <= step <= b.last and b.tensor is not None}
    total = sum(_round_up(b.bytes, ALIGNMENT) for b in buffers if b.first <= step <= b.last)
    shared = (
        min(
            _round_up(b.bytes, ALIGNMENT),
            sum(_round_up(alive[index].bytes, ALIGNMENT) for index in b.over if index in alive),
        )
        for b in alive.values()
        if b.first == step and b.over
    )
    return total - sum(shared)
