"""Plan memory: buffers that are never in use at the same time share bytes.

A buffer lives from the call that writes it to the last call that reads it; that of a state lives
always, and the model's inputs and outputs are the caller's memory and take none. A layer that only
copies neighboring bytes does not run, and its output is part of its input, unless that took more
memory. A call that works in place may put its output over an
input that is not read later, if its kernel never overwrites what it has yet to read. Placement is
greedy by size (Pisarchyk & Lee 2020, arXiv:2001.03288), tried in several orders; the best is taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from edgebio.compiler.ir.kernel_call import KernelCall
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.ir.memory_plan import (
    ALIGNMENT,
    STATE_ALIGNMENT,
    Buffer,
    MemoryPlan,
    Part,
    round_up,
)
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.view import View

_MAX_TRIALS: Final = 16


def plan_memory(
    network: Network, calls: Sequence[KernelCall], *, with_parts: bool = True
) -> MemoryPlan:
    """Place the buffers of `calls`.

    Without `with_parts`, every layer runs, those too that only copy neighboring bytes.
    """

    def plan(parts: Sequence[Part]) -> MemoryPlan:
        return place(_buffers(network, calls, parts), len(calls), network.states, parts)

    best = plan(())
    candidates = find_parts(network, calls) if with_parts else []
    whole = plan(_resolved(candidates)) if candidates else best
    if whole.total <= best.total:
        return whole
    chosen: list[Part] = []
    for candidate in candidates[:_MAX_TRIALS]:
        trial = plan(_resolved([*chosen, candidate]))
        if trial.total <= best.total:
            chosen.append(candidate)
            best = trial
    return best


def place(
    buffers: Sequence[Buffer],
    calls: int,
    states: Sequence[int] = (),
    parts: Sequence[Part] = (),
) -> MemoryPlan:
    """Place buffers, whose offsets are ignored, of a program of so many calls.

    Those of `states` come first.
    """
    orders: tuple[Callable[[Buffer], Any], ...] = (
        lambda b: (-b.bytes, b.first),
        lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
        lambda b: (b.first, -b.bytes),
        lambda b: (-b.last, -b.bytes),
    )
    lasting = _place([buffer for buffer in buffers if buffer.tensor in states], [])
    others = [buffer for buffer in buffers if buffer.tensor not in states]
    placed = min((_place(sorted(others, key=order), lasting) for order in orders), key=_end)
    return MemoryPlan(
        buffers=tuple(sorted(placed, key=lambda b: (b.first, b.offset))),
        total=max(round_up(_end(placed), STATE_ALIGNMENT), STATE_ALIGNMENT),
        activations=_end([buffer for buffer in placed if buffer.tensor is not None]),
        lower_bound=max((_in_use(placed, call) for call in range(calls)), default=0),
        states=_end(lasting),
        parts=tuple(parts),
    )


def _end(buffers: Sequence[Buffer]) -> int:
    return max((b.end for b in buffers), default=0)


def find_parts(network: Network, calls: Sequence[KernelCall]) -> list[Part]:
    """Outputs of layers that only copy neighboring bytes of a tensor that stays as it is.

    A source may be such an output itself.
    """
    parts: list[Part] = []
    written = _writes(network)
    for position, call in enumerate(calls):
        layer = call.layer
        if not isinstance(layer, KernelLayer) or layer.kernel != "copy":
            continue
        view, (source,) = _copied(layer), layer.inputs
        if (
            view.has_neighbors_only
            and view.start % ALIGNMENT == 0
            and layer.output not in network.outputs
            and layer.output not in network.states
            and not network.is_constant(source)
        ):
            part = Part(layer.output, source, view.start)
            (root,) = _resolved([*parts, part])[-1:]
            last = _last_use(calls, layer.output, position)
            # A state may be assigned before the last use of what was read of it.
            if not any(position < write <= last for write in written.get(root.source, ())):
                parts.append(part)
    return parts


def _copied(layer: KernelLayer) -> View:
    """The view that a layer copies."""
    parameters: Any = layer.parameters
    return View.of(parameters["start"], parameters["size"], parameters["step"])


def _resolved(parts: Sequence[Part]) -> list[Part]:
    """The same with sources that have memory of their own."""
    resolved: dict[int, Part] = {}
    for part in parts:
        outer = resolved.get(part.source)
        if outer:
            part = Part(part.tensor, outer.source, outer.offset + part.offset)
        resolved[part.tensor] = part
    return list(resolved.values())


def _writes(network: Network) -> dict[int, list[int]]:
    """Calls that write each state."""
    writes: dict[int, list[int]] = {index: [] for index in network.states}
    for position, layer in enumerate(network.layers):
        for index in (layer.output, *layer.states):
            if index in writes:
                writes[index].append(position)
    return writes


def _last_use(calls: Sequence[KernelCall], tensor: int, first: int) -> int:
    """Last call that reads a tensor, or a copy of a part of it that may be a part as well."""
    last, names = first, {tensor}
    for position, call in enumerate(calls):
        if names.intersection(call.layer.inputs):
            last = position
            if isinstance(call.layer, KernelLayer) and call.layer.kernel == "copy":
                names.add(call.layer.output)
    return last


def _buffers(network: Network, calls: Sequence[KernelCall], parts: Sequence[Part]) -> list[Buffer]:
    """List what needs memory, each at offset 0."""
    sources = {part.tensor: part.source for part in parts}
    last: dict[int, int] = {}
    for position, call in enumerate(calls):
        for index in call.layer.inputs:
            last[sources.get(index, index)] = position
    end = len(calls) - 1
    buffers = [Buffer(index, 0, network.bytes(index), 0, end) for index in network.states]
    placed = {*network.outputs, *network.states, *sources}
    for position, call in enumerate(calls):
        layer = call.layer
        if call.scratch:
            buffers.append(Buffer(None, 0, call.scratch, position, position))
        if layer.output not in placed:
            inputs = {layer.inputs[choice] for choice in call.in_place} - placed
            # Not over what the call reads a part of in another order.
            inputs -= {sources.get(index) for index in layer.inputs}
            over = tuple(sorted(index for index in inputs if last[index] == position))
            size = network.bytes(layer.output)
            until = last.get(layer.output, position)
            buffers.append(Buffer(layer.output, 0, size, position, until, over, call.overlay))
    return buffers


def _place(order: Sequence[Buffer], before: Sequence[Buffer]) -> list[Buffer]:
    """Give each buffer in turn the lowest offset that is clear of those placed before."""
    placed = list(before)
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
