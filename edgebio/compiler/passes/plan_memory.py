"""Plan memory: buffers that are never in use at the same time share bytes.

A buffer lives from the call that writes it to the last call that reads it; the model's input and
output are the caller's memory and take none. A call that works in place may put its output over an
input that is not read later, if its kernel never overwrites what it has yet to read. Placement is
greedy by size (Pisarchyk & Lee 2020, arXiv:2001.03288), tried in several orders; the best is taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from edgebio.compiler.ir.kernel_call import KernelCall
from edgebio.compiler.ir.memory_plan import STATE_ALIGNMENT, Buffer, MemoryPlan, round_up
from edgebio.compiler.ir.network import Network


def plan_memory(network: Network, calls: Sequence[KernelCall]) -> MemoryPlan:
    """Place the buffers of `calls`."""
    return place(_buffers(network, calls), len(calls))


def place(buffers: Sequence[Buffer], calls: int) -> MemoryPlan:
    """Place buffers, whose offsets are ignored, of a program of so many calls."""
    orders: tuple[Callable[[Buffer], Any], ...] = (
        lambda b: (-b.bytes, b.first),
        lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
        lambda b: (b.first, -b.bytes),
        lambda b: (-b.last, -b.bytes),
    )
    placed = min((_place(sorted(buffers, key=order)) for order in orders), key=_end)
    return MemoryPlan(
        buffers=tuple(sorted(placed, key=lambda b: (b.first, b.offset))),
        total=max(round_up(_end(placed), STATE_ALIGNMENT), STATE_ALIGNMENT),
        activations=_end([buffer for buffer in placed if buffer.tensor is not None]),
        lower_bound=max((_in_use(placed, call) for call in range(calls)), default=0),
    )


def _end(buffers: Sequence[Buffer]) -> int:
    return max((b.end for b in buffers), default=0)


def _buffers(network: Network, calls: Sequence[KernelCall]) -> list[Buffer]:
    """List what needs memory, each at offset 0."""
    last: dict[int, int] = {}
    for position, call in enumerate(calls):
        for index in call.layer.inputs:
            last[index] = position
    buffers: list[Buffer] = []
    for position, call in enumerate(calls):
        layer = call.layer
        if call.scratch:
            buffers.append(Buffer(None, 0, call.scratch, position, position))
        if layer.output != network.output:
            inputs = {layer.inputs[choice] for choice in call.in_place}
            over = tuple(sorted(index for index in inputs if last[index] == position))
            size = network.bytes(layer.output)
            end = last.get(layer.output, position)
            buffers.append(Buffer(layer.output, 0, size, position, end, over, call.overlay))
    return buffers


def _place(order: Sequence[Buffer]) -> list[Buffer]:
    """Give each buffer in turn the lowest offset that is clear of those placed before."""
    placed: list[Buffer] = []
    for buffer in order:
        neighbors = sorted((b for b in placed if b.meets(buffer)), key=lambda b: b.offset)
        placed.append(replace(buffer, offset=_lowest(buffer, neighbors)))
    return placed


def _lowest(buffer: Buffer, neighbors: Sequence[Buffer]) -> int:
    """Lowest offset of `buffer` that is clear of `neighbors`, which are sorted by offset."""
    offset, moved = 0, True
    while moved:  # again only if it overlapped another buffer and has moved away from it
        moved = False
        for other in neighbors:
            if offset + buffer.bytes <= other.offset or other.end <= offset:
                continue
            if buffer.may_overlap(other, offset, other.offset):
                continue
            if other.may_overlap(buffer, other.offset, offset):
                continue
            offset = _next(buffer, other, offset)
            moved = True
    return offset


def _next(buffer: Buffer, other: Buffer, offset: int) -> int:
    """Lowest offset above `offset` where `buffer` may overlap `other`, or is behind it."""
    if buffer.tensor in other.over:
        behind = other.bytes - buffer.bytes if other.overlay == "end" else 0
        under = round_up(other.offset + behind)
        if offset < under < other.end:
            return under
    if other.tensor in buffer.over and buffer.overlay == "same" and offset < other.offset:
        return other.offset
    return other.end


def _in_use(buffers: Sequence[Buffer], call: int) -> int:
    """Bytes that are in use during a call, buffers that may overlap counted once."""
    current = [b for b in buffers if b.first <= call <= b.last]
    sizes = {b.tensor: round_up(b.bytes) for b in current if b.tensor is not None}
    shared = (
        min(round_up(b.bytes), sum(sizes.get(index, 0) for index in b.over))
        for b in current
        if b.first == call and b.over
    )
    return sum(round_up(b.bytes) for b in current) - sum(shared)
