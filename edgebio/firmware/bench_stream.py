"""Cost of a decision of a network that computes only what new frames change."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio import compiler, tflite
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.firmware import batch, counting, elf, flash_stalls
from edgebio.firmware.image import Budget
from edgebio.firmware.manifest import Flash, Ram
from edgebio.firmware.time_and_energy import (
    CountedRun,
    InferenceEnergy,
    InferenceTime,
    energy_of,
    mean_cycles,
    time_of,
    waiting_memory,
)
from edgebio.section import Section
from edgebio.tflite.metadata import read_metadata

_OUTSIDE, _PUSH, _LAYERS = 1, 2, 3  # stretches of the program for the plugin
_DECISIONS = 16


class StreamLayerCost(Section):
    """Layer in the steady state: rows along time, and instructions of a decision."""

    index: int
    operator: str
    columns_reused: int
    columns_recomputed: int
    instructions: int
    macs: int
    state_bytes: int
    reason: str  # why it is computed from the whole window; empty if it is not


class StreamCost(Section):
    """One decision in the steady state, `hop_frames` new frames of the input's first axis.

    Instructions are the mean of some decisions on random frames, counted exactly. `state_bytes`
    are kept from one decision to the next, `memory_bytes` are all that the stream takes in RAM;
    flash and RAM are those of an image that has the whole window's form, too.
    """

    hop_frames: int
    window_frames: int
    instructions: int
    macs: int
    state_bytes: int
    memory_bytes: int
    flash: Flash
    ram: Ram
    cycles: int = 0  # estimated, with memory that answers at once
    time_us: InferenceTime | None = None
    energy_uj: InferenceEnergy | None = None
    layers: list[StreamLayerCost]


def choose_hop(graph: tflite.Graph, hop: int | None) -> int:
    """The hop that is asked for, else the step of the model's front end, else 1 frame."""
    if hop is not None:
        return hop
    metadata = read_metadata(graph)
    return metadata.frontend.step_frames if metadata else 1


def bench_stream(
    board: Board, emulated: Board, model: Path, hop: int, budget: Budget
) -> StreamCost:
    """Count what one decision costs on a board, whose code `emulated` executes.

    Raises
    ------
    EdgebioError
        If consecutive windows share nothing, or if QEMU takes no plugins.
    """
    plugin = counting.plugin()
    if plugin is None:
        raise EdgebioError("a stream's instructions are counted by a plugin, which QEMU lacks")
    program = compiler.compile_model(model, board.isa, hop=hop)
    stream = program.stream
    assert stream is not None
    first = stream.pushes + stream.phases
    decisions = -(-_DECISIONS // stream.phases) * stream.phases
    with batch.prepare(emulated, model, budget=budget, hop=hop) as target:
        image = elf.Image(target.elf)
        frames = _random_frames(program, (first + decisions) * hop)
        (few, start), (many, run) = (
            _count(target, image, plugin, frames[: pushes * hop], hop, len(stream.layers))
            for pushes in (first, first + decisions)
        )
        manifest = target.manifest
        timing = waiting_memory(board, run.by_address, program)
        cycles = mean_cycles(board, None, image, (start, run))
        waited = mean_cycles(board, timing, image, (start, run)) if timing else cycles
    waited += flash_stalls.constant_stalls(timing, program) if timing else 0
    total, *costs = (round(count / decisions) for count in (many - few).tolist())
    return StreamCost(
        hop_frames=hop,
        window_frames=stream.window,
        instructions=total,
        macs=stream.macs,
        state_bytes=stream.state,
        memory_bytes=stream.plan.total,
        flash=manifest.flash,
        ram=manifest.ram,
        cycles=cycles,
        time_us=time_of(board, waited),
        energy_uj=energy_of(board, waited),
        layers=[
            StreamLayerCost(
                index=index,
                operator=call.layer.kind,
                columns_reused=layer.reused,
                columns_recomputed=layer.recomputed,
                instructions=cost,
                macs=layer.macs,
                state_bytes=layer.state,
                reason=layer.reason,
            )
            for index, (call, layer, cost) in enumerate(
                zip(program.calls, stream.layers, costs, strict=True)
            )
        ],
    )


def _random_frames(program: compiler.Program, count: int) -> npt.NDArray[np.generic]:
    source = program.network.tensors[program.network.input]
    random, shape = np.random.default_rng(0), (count, *source.shape[2:])
    if source.dtype == "int8":
        return random.integers(-128, 128, shape, np.int8)
    return random.standard_normal(shape).astype(source.dtype)


def _count(
    target: batch.EmulatedModel, image: elf.Image, plugin: Path,
    frames: npt.NDArray[np.generic], hop: int, layers: int,
) -> tuple[npt.NDArray[np.int64], CountedRun]:  # fmt: skip
    """Instructions in total, and of each layer; and the run."""
    marks = {"eb_model_push": _PUSH, "eb_batch_invoked": _OUTSIDE}
    marks |= {f"eb_model_push_{index}": _LAYERS + index for index in range(layers)}
    table, by_address = counting.run(
        plugin, image, marks, lambda options: target.stream(frames, hop, options)
    )
    push = 1 + next(i for i, f in enumerate(image.functions) if f.name == "eb_model_push")
    counts = np.zeros(1 + layers, np.int64)
    for stretch, function, count, _ in table.tolist():
        if stretch >= _PUSH:
            counts[0] += count
        # A layer's stretch lasts until the next one begins, and contains the call of that.
        if stretch >= _LAYERS and function != push:
            counts[1 + stretch - _LAYERS] += count
    entries = {int(stretch): int(count) for stretch, _, _, count in table.tolist()}
    inside = by_address[by_address[:, 0] >= _PUSH]
    return counts, CountedRun(inside, entries, len(frames) // hop)
