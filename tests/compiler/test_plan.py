"""Memory plans: nothing that is in use is overwritten, everything is aligned, little is wasted."""

import dataclasses
import itertools
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio.compiler import network as net
from edgebio.compiler.plan import ALIGNMENT, STATE_ALIGNMENT, Buffer, Plan, plan
from edgebio.compiler.step import Overlay, Step
from edgebio.tflite import Tensor


def tensor(index: int, size: int) -> Tensor:
    none = np.zeros(0)
    return Tensor(index, "", (1, size), "int8", none, none, 0, None)  # type: ignore[arg-type]


@st.composite
def programs(draw: st.DrawFn) -> tuple[net.Network, list[Step]]:
    """A chain with skips: layer i reads one or two of the tensors before it."""
    count = draw(st.integers(1, 14))
    sizes = draw(st.lists(st.integers(1, 40), min_size=count + 1, max_size=count + 1))
    steps = []
    for index in range(1, count + 1):
        inputs = draw(st.lists(st.integers(0, index - 1), min_size=1, max_size=2))
        inputs[0] = draw(st.sampled_from([inputs[0], index - 1]))
        layer = net.Layer((index,), "ADD", tuple(inputs), index)
        scratch = draw(st.sampled_from([0, 0, 1, 7, 30]))
        # What the kernels promise: over inputs that are not smaller, or, to catch up, not larger.
        overlay = draw(st.sampled_from(["start", "same", "end"]))
        fits = tuple(
            position
            for position, source in enumerate(inputs)
            if (
                sizes[source] <= sizes[index] if overlay == "end" else sizes[source] >= sizes[index]
            )
        )
        steps.append(
            Step(
                layer,
                "",
                (),
                "portable",
                scratch=scratch,
                in_place=draw(st.sampled_from([(), fits])),
                overlay=overlay,
            )
        )
    tensors = tuple(tensor(index, size) for index, size in enumerate(sizes))
    network = net.Network(tensors, tuple(s.layer for s in steps), 0, count, (1, 1), "")
    return network, steps


@given(programs())
@settings(max_examples=150, deadline=None)
def test_a_run_reads_what_was_written(program: tuple[net.Network, list[Step]]) -> None:
    """Run the plan on a memory of marks: each byte knows which tensor's which byte it holds."""
    network, steps = program
    made = plan(network, steps)
    memory: list[tuple[int, int] | None] = [None] * made.total
    for index, step in enumerate(steps):
        layer = step.layer
        scratch = made.scratch_offset(index)
        if step.scratch:
            assert scratch is not None
            for byte in range(step.scratch):
                memory[scratch + byte] = None
        size = network.bytes(layer.output)
        start = made.offset(layer.output)
        inputs = [i for i in layer.inputs if i != network.input]
        # In place, an output byte is written when inputs from this share on are still needed; at
        # the same offset, channel after channel, when those of all others are. A layer that is not
        # in place may need all of its inputs until its end.
        order = sorted(range(size), key=lambda byte: (byte % 3, byte))
        written: set[int] = set()
        for count, byte in enumerate(order if step.overlay == "same" else range(size)):
            for position, source in enumerate(layer.inputs):
                if source not in inputs:
                    continue
                offset = made.offset(source)
                assert offset is not None
                whole = network.bytes(source)
                done: set[int] = set()
                if position in step.in_place and step.overlay == "end":
                    done = set(range(-(-(count + 1) * whole // size)))  # its share is read first
                elif position in step.in_place:
                    done = written
                for read in set(range(whole)) - done:
                    assert memory[offset + read] == (source, read)
            written.add(byte)
            if layer.output != network.output:
                assert start is not None
                memory[start + byte] = (layer.output, byte)


@given(programs())
@settings(max_examples=150, deadline=None)
def test_bounds_and_alignment(program: tuple[net.Network, list[Step]]) -> None:
    network, steps = program
    made = plan(network, steps)
    assert made.total % STATE_ALIGNMENT == 0
    assert made.total >= made.lower_bound
    for buffer in made.buffers:
        assert buffer.offset % ALIGNMENT == 0
        assert buffer.offset >= 0
        assert buffer.offset + buffer.bytes <= made.total
    for a, b in itertools.combinations(made.buffers, 2):
        assert not a.meets(b) or clear(a, b)
    assert made == plan(network, steps)  # the same every time
    everything = sum(math.ceil(b.bytes / ALIGNMENT) * ALIGNMENT for b in made.buffers)
    assert made.total <= everything + STATE_ALIGNMENT
    assert made.document()["total"] == made.total


def clear(a: Buffer, b: Buffer) -> bool:
    """Apart, or one laid over the other as a kernel that works in place allows."""
    if a.offset + a.bytes <= b.offset or b.offset + b.bytes <= a.offset:
        return True
    first, second = sorted((a, b), key=lambda buffer: buffer.first)
    return second.may_lie_over(first, second.offset, first.offset)


def chain(sizes: list[int], in_place: tuple[int, ...] = (), overlay: Overlay = "start") -> Plan:
    tensors = tuple(tensor(index, size) for index, size in enumerate(sizes))
    layers = tuple(net.Layer((i,), "RELU", (i - 1,), i) for i in range(1, len(sizes)))
    steps = [
        Step(
            layer,
            "",
            (),
            "portable",
            in_place=in_place,
            overlay=overlay,
        )
        for layer in layers
    ]
    return plan(net.Network(tensors, layers, 0, len(sizes) - 1, (1, 1), ""), steps)


def test_a_chain_takes_its_two_largest_neighbours() -> None:
    made = chain([5, 100, 60, 200, 40, 8])
    assert made.lower_bound == 260
    assert made.total == 272  # a multiple of 16


def test_in_place_takes_one_buffer() -> None:
    assert chain([64] * 6, in_place=(0,)).total == 64


def test_in_place_at_the_same_offset_takes_one_buffer_that_shrinks() -> None:
    made = chain([64, 64, 64, 32, 32, 8], in_place=(0,), overlay="same")
    assert made.total == 64
    assert {buffer.offset for buffer in made.buffers} == {0}


def test_an_output_that_grows_faster_takes_its_own_bytes_alone() -> None:
    made = chain([8, 32, 64, 120, 8], in_place=(0,), overlay="end")
    assert made.activations == 120


def test_the_input_and_output_take_nothing() -> None:
    assert chain([1000, 1000]).buffers == ()
    assert dataclasses.asdict(chain([1000, 1000]))["activations"] == 0
