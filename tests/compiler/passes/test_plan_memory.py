"""Memory plans overwrite nothing that is in use, align every buffer, and waste little."""

import dataclasses
import itertools
import math
from typing import get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio.compiler.ir.kernel_call import KernelCall, Overlay, Value
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.ir.memory_plan import ALIGNMENT, STATE_ALIGNMENT, Buffer, MemoryPlan
from edgebio.compiler.ir.network import Network
from edgebio.compiler.passes.plan_memory import plan_memory
from edgebio.tflite import Tensor


def tensor(index: int, size: int) -> Tensor:
    none = np.zeros(0)
    return Tensor(index, "", (1, size), "int8", none, none, 0, None)  # type: ignore[arg-type]


def copy_layer(source: int, target: int, start: int, count: int, whole: int) -> KernelLayer:
    """A copy of so many neighbors of a tensor."""
    parameters: dict[str, Value] = {"start": start, "size": (1, 1, 1, count), "step": (0, 0, 0, 1)}
    return KernelLayer(
        (), "COPY", (source,), target, kernel="copy", parameters=parameters,
        elements=((whole,), count),
    )  # fmt: skip


@st.composite
def programs(draw: st.DrawFn) -> tuple[Network, list[KernelCall]]:
    """A chain with skips: layer i reads one or two of the tensors before it.

    Some layers copy neighbors, read a state or assign one.
    """
    count = draw(st.integers(1, 14))
    states = draw(st.integers(0, 2))
    any_size = st.sampled_from([8, 8, 8]) | st.integers(1, 40)  # often the same
    sizes = draw(st.lists(any_size, min_size=count + 1, max_size=count + 1))
    state_sizes: dict[int, int] = {}
    calls = []
    for index in range(1, count + 1):
        inputs = draw(st.lists(st.integers(0, index - 1), min_size=1, max_size=2))
        inputs[0] = draw(st.sampled_from([inputs[0], index - 1]))
        kind = draw(st.sampled_from(["layer", "layer", "copy", "read", "assign"]))
        if kind == "copy":
            start = draw(st.integers(0, sizes[inputs[0]] - 1)) & draw(st.sampled_from([-1, -4]))
            sizes[index] = min(sizes[index], sizes[inputs[0]] - start)
            copied = copy_layer(inputs[0], index, start, sizes[index], sizes[inputs[0]])
            calls.append(KernelCall(copied, "", ()))
            continue
        if kind in ("read", "assign") and states:
            state = count + 1 + draw(st.integers(0, states - 1))
            if kind == "assign" and state_sizes.setdefault(state, sizes[inputs[0]]) == (
                size := sizes[inputs[0]]
            ):
                calls.append(KernelCall(copy_layer(inputs[0], state, 0, size, size), "", ()))
            else:
                size = sizes[index] = state_sizes.setdefault(state, sizes[index])
                calls.append(KernelCall(copy_layer(state, index, 0, size, size), "", ()))
                continue
        layer = Layer((index,), "ADD", tuple(inputs), index)
        scratch = draw(st.sampled_from([0, 0, 1, 7, 30]))
        # As kernels do: over inputs that are not smaller or, to end with them, not larger.
        overlay: Overlay = draw(st.sampled_from(get_args(Overlay)))
        fits = tuple(
            position
            for position, source in enumerate(inputs)
            if (
                sizes[source] <= sizes[index] if overlay == "end" else sizes[source] >= sizes[index]
            )
        )
        calls.append(
            KernelCall(
                layer,
                "",
                (),
                scratch=scratch,
                in_place=draw(st.sampled_from([(), fits])),
                overlay=overlay,
            )
        )
    tensors = [tensor(index, size) for index, size in enumerate(sizes)]
    tensors += [
        dataclasses.replace(tensor(state, state_sizes.get(state, 1)), variable=True)
        for state in range(count + 1, count + 1 + states)
    ]
    layers = tuple(c.layer for c in calls)
    return Network(tuple(tensors), layers, (0,), (count,), (0,), ""), calls


@given(programs())
@settings(max_examples=300, deadline=None)
def test_every_call_reads_what_was_written(program: tuple[Network, list[KernelCall]]) -> None:
    """Run the plan on a memory in which each byte knows which call has made it, and its place."""
    network, calls = program
    plan = plan_memory(network, calls)
    memory: list[tuple[int, int] | None] = [None] * plan.total
    content = {index: [(index, byte) for byte in range(network.bytes(index))] for index in (0,)}

    def address(index: int) -> int | None:
        """Place in the memory; None in the caller's."""
        part = plan.part(index)
        if part:
            source = plan.offset(part.source)
            return None if source is None else source + part.offset
        return plan.offset(index)

    for state in network.states:
        start = plan.offset(state)
        assert start is not None
        assert start + network.bytes(state) <= plan.states
        content[state] = [(state, byte) for byte in range(network.bytes(state))]
        memory[start : start + network.bytes(state)] = content[state]
    for index, call in enumerate(calls):
        layer = call.layer
        scratch = plan.scratch_offset(index)
        if call.scratch:
            assert scratch is not None
            for byte in range(call.scratch):
                memory[scratch + byte] = None
        size = network.bytes(layer.output)
        before = dict(content)
        content[layer.output] = [(100 + index, byte) for byte in range(size)]
        if isinstance(layer, KernelLayer):
            first = layer.parameters["start"]
            assert isinstance(first, int)
            content[layer.output] = before[layer.inputs[0]][first : first + size]
        start = address(layer.output)
        runs = plan.part(layer.output) is None
        # In place, an output byte is written while inputs from this share on are still needed; with
        # the same offset, channel after channel, while those of all others are. A layer that is not
        # in place may need all of its inputs to its end.
        order = sorted(range(size), key=lambda byte: (byte % 3, byte))
        written: set[int] = set()
        for count, byte in enumerate(order if call.overlay == "same" else range(size)):
            for position, source in enumerate(layer.inputs):
                offset = address(source)
                if offset is None:
                    assert source in (*network.inputs, *network.outputs) or plan.part(source)
                    continue
                whole = network.bytes(source)
                done: set[int] = set()
                if position in call.in_place and call.overlay == "end":
                    done = set(range(-(-(count + 1) * whole // size)))  # its share is read first
                elif position in call.in_place:
                    done = written
                for read in set(range(whole)) - done:
                    assert memory[offset + read] == before[source][read]
            written.add(byte)
            if start is not None and runs:
                memory[start + byte] = content[layer.output][byte]


@given(programs())
@settings(max_examples=150, deadline=None)
def test_bounds_and_alignment(program: tuple[Network, list[KernelCall]]) -> None:
    network, calls = program
    plan = plan_memory(network, calls)
    assert plan.total % STATE_ALIGNMENT == 0
    assert plan.total >= plan.lower_bound
    for buffer in plan.buffers:
        assert buffer.offset % ALIGNMENT == 0
        assert buffer.offset >= 0
        assert buffer.offset + buffer.bytes <= plan.total
    for a, b in itertools.combinations(plan.buffers, 2):
        assert not a.meets(b) or are_clear(a, b)
    assert plan == plan_memory(network, calls)  # the same every time
    everything = sum(math.ceil(b.bytes / ALIGNMENT) * ALIGNMENT for b in plan.buffers)
    assert plan.total <= everything + STATE_ALIGNMENT
    assert plan.document()["total"] == plan.total


def are_clear(a: Buffer, b: Buffer) -> bool:
    """Whether they are apart, or overlap as a kernel that works in place allows."""
    if a.offset + a.bytes <= b.offset or b.offset + b.bytes <= a.offset:
        return True
    first, second = sorted((a, b), key=lambda buffer: buffer.first)
    return second.may_overlap(first, second.offset, first.offset)


def chain(
    sizes: list[int], in_place: tuple[int, ...] = (), overlay: Overlay = "start"
) -> MemoryPlan:
    tensors = tuple(tensor(index, size) for index, size in enumerate(sizes))
    layers = tuple(Layer((i,), "RELU", (i - 1,), i) for i in range(1, len(sizes)))
    calls = [KernelCall(layer, "", (), in_place=in_place, overlay=overlay) for layer in layers]
    return plan_memory(Network(tensors, layers, (0,), (len(sizes) - 1,), (0,), ""), calls)


def test_chain_takes_its_two_largest_neighbors() -> None:
    plan = chain([5, 100, 60, 200, 40, 8])
    assert plan.lower_bound == 260
    assert plan.total == 272  # a multiple of 16


def test_in_place_calls_take_one_buffer() -> None:
    assert chain([64] * 6, in_place=(0,)).total == 64


def test_in_place_calls_at_the_same_offset_take_one_buffer() -> None:
    plan = chain([64, 64, 64, 32, 32, 8], in_place=(0,), overlay="same")
    assert plan.total == 64
    assert {buffer.offset for buffer in plan.buffers} == {0}


def test_growing_in_place_output_takes_only_its_own_bytes() -> None:
    plan = chain([8, 32, 64, 120, 8], in_place=(0,), overlay="end")
    assert plan.activations == 120


def network_of(calls: list[KernelCall], sizes: dict[int, int], state: int = -1) -> Network:
    """A network of calls whose last one writes the output."""
    tensors = [
        dataclasses.replace(tensor(index, sizes.get(index, 8)), variable=index == state)
        for index in range(max(sizes) + 1)
    ]
    layers = tuple(call.layer for call in calls)
    return Network(tuple(tensors), layers, (0,), (layers[-1].output,), (0,), "")


def test_what_is_read_of_a_state_is_copied_if_it_is_used_after_the_next_assignment() -> None:
    def plan(*, late: bool) -> MemoryPlan:
        use = KernelCall(Layer((1,), "ADD", (1,), 2), "", ())
        assign = KernelCall(copy_layer(0, 5, 0, 8, 8), "", ())
        calls = [
            KernelCall(copy_layer(5, 1, 0, 8, 8), "", ()),
            *([assign, use] if late else [use, assign]),
            KernelCall(Layer((2,), "ADD", (2,), 3), "", ()),
        ]
        return plan_memory(network_of(calls, {5: 8}, 5), calls)

    assert not plan(late=True).parts
    assert [part.source for part in plan(late=False).parts] == [5]


def test_nothing_is_written_over_a_tensor_of_which_the_same_call_reads_a_part() -> None:
    calls = [
        KernelCall(Layer((1,), "RELU", (0,), 1), "", ()),
        KernelCall(copy_layer(1, 2, 4, 4, 8), "", ()),
        KernelCall(Layer((2,), "ADD", (1, 2), 3), "", (), in_place=(0,)),
        KernelCall(Layer((3,), "RELU", (3,), 4), "", ()),
    ]
    plan = plan_memory(network_of(calls, {2: 4, 4: 8}), calls)
    places = {buffer.tensor: buffer for buffer in plan.buffers}
    assert places[3].over == () or not plan.parts
    assert plan.total == 16


def test_a_part_that_would_take_more_memory_is_a_copy() -> None:
    # Large until the end for the sake of 4 bytes.
    calls = [
        KernelCall(Layer((1,), "RELU", (0,), 1), "", ()),
        KernelCall(copy_layer(1, 2, 0, 4, 64), "", ()),
        KernelCall(Layer((2,), "RELU", (0,), 3), "", ()),
        KernelCall(Layer((3,), "ADD", (2, 3), 4), "", ()),
    ]
    plan = plan_memory(network_of(calls, {1: 64, 2: 4, 3: 64, 4: 8}), calls)
    assert not plan.parts
    assert plan.total == 80


def test_input_and_output_take_no_memory() -> None:
    assert chain([1000, 1000]).buffers == ()
    assert dataclasses.asdict(chain([1000, 1000]))["activations"] == 0
