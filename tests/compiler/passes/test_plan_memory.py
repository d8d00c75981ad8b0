"""Memory plans overwrite nothing that is in use, align every buffer, and waste little."""

import dataclasses
import itertools
import math
from typing import get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio.compiler.ir.kernel_call import KernelCall, Overlay
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.memory_plan import ALIGNMENT, STATE_ALIGNMENT, Buffer, MemoryPlan
from edgebio.compiler.ir.network import Network
from edgebio.compiler.passes.plan_memory import plan_memory
from edgebio.tflite import Tensor


def tensor(index: int, size: int) -> Tensor:
    none = np.zeros(0)
    return Tensor(index, "", (1, size), "int8", none, none, 0, None)  # type: ignore[arg-type]


@st.composite
def programs(draw: st.DrawFn) -> tuple[Network, list[KernelCall]]:
    """A chain with skips: layer i reads one or two of the tensors before it."""
    count = draw(st.integers(1, 14))
    sizes = draw(st.lists(st.integers(1, 40), min_size=count + 1, max_size=count + 1))
    calls = []
    for index in range(1, count + 1):
        inputs = draw(st.lists(st.integers(0, index - 1), min_size=1, max_size=2))
        inputs[0] = draw(st.sampled_from([inputs[0], index - 1]))
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
    tensors = tuple(tensor(index, size) for index, size in enumerate(sizes))
    network = Network(tensors, tuple(c.layer for c in calls), 0, count, 0, "")
    return network, calls


@given(programs())
@settings(max_examples=150, deadline=None)
def test_every_call_reads_what_was_written(program: tuple[Network, list[KernelCall]]) -> None:
    """Run the plan on a memory in which each byte knows its tensor and its place in it."""
    network, calls = program
    plan = plan_memory(network, calls)
    memory: list[tuple[int, int] | None] = [None] * plan.total
    for index, call in enumerate(calls):
        layer = call.layer
        scratch = plan.scratch_offset(index)
        if call.scratch:
            assert scratch is not None
            for byte in range(call.scratch):
                memory[scratch + byte] = None
        size = network.bytes(layer.output)
        start = plan.offset(layer.output)
        inputs = [i for i in layer.inputs if i != network.input]
        # In place, an output byte is written while inputs from this share on are still needed; with
        # the same offset, channel after channel, while those of all others are. A layer that is not
        # in place may need all of its inputs to its end.
        order = sorted(range(size), key=lambda byte: (byte % 3, byte))
        written: set[int] = set()
        for count, byte in enumerate(order if call.overlay == "same" else range(size)):
            for position, source in enumerate(layer.inputs):
                if source not in inputs:
                    continue
                offset = plan.offset(source)
                assert offset is not None
                whole = network.bytes(source)
                done: set[int] = set()
                if position in call.in_place and call.overlay == "end":
                    done = set(range(-(-(count + 1) * whole // size)))  # its share is read first
                elif position in call.in_place:
                    done = written
                for read in set(range(whole)) - done:
                    assert memory[offset + read] == (source, read)
            written.add(byte)
            if layer.output != network.output:
                assert start is not None
                memory[start + byte] = (layer.output, byte)


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
    return plan_memory(Network(tensors, layers, 0, len(sizes) - 1, 0, ""), calls)


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


def test_input_and_output_take_no_memory() -> None:
    assert chain([1000, 1000]).buffers == ()
    assert dataclasses.asdict(chain([1000, 1000]))["activations"] == 0
