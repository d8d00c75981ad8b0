"""Cost of a network on a board: executed instructions by layer and function, flash and RAM.

Instructions are counted exactly, by a plugin of QEMU, the same in every run; they are not cycles.
If QEMU takes no plugins, a timer of the emulated board, which QEMU drives by the number of
instructions, is read between the layers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from edgebio import compiler, tflite
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.firmware import batch, counting, cpu_timings, elf, flash_stalls
from edgebio.firmware.bench_stream import StreamCost, bench_stream
from edgebio.firmware.image import SPEED, Budget, model_file
from edgebio.firmware.manifest import Flash, Ram
from edgebio.firmware.stand_in import emulated_board
from edgebio.firmware.time_and_energy import (
    InferenceEnergy,
    InferenceTime,
    energy_of,
    time_of,
    waiting_memory,
)
from edgebio.section import Section
from edgebio.tflite.edges import inputs_of

_OUTSIDE, _INVOKE, _LAYERS = 1, 2, 3  # stretches of the program for the plugin
_SHIFT = 6  # of -icount: an instruction takes 2^6 ns
_RANDOM_INPUTS = 16


class LayerCost(Section):
    """Executed layer: rounded mean instructions of an inference, and its share of `Cycles`."""

    index: int
    operator: str
    description: str
    kernel: str
    instructions: int
    macs: int
    cycles: int | None = None


class Cycles(Section):
    """Estimated mean cycles of an inference, with memory that answers at once."""

    estimate: int
    source: str  # of the cycles of each instruction
    leaves_out: str = (
        "flash wait states, bus contention; jumps and divisions are taken at a middle cost"
    )
    instructions: dict[str, int]  # of an inference, by class


class FunctionCost(Section):
    """C function: rounded mean instructions of an inference, and its size."""

    name: str
    instructions: int
    bytes: int


class Bench(Section):
    """Cost of an inference, and of the image: the network, its kernels and a minimal application.

    The method is "exact" by the plugin, or "clock" with up to 64 instructions too many per layer,
    which counts no functions and cycles.
    """

    old_keys: ClassVar[Mapping[str, str]] = {"core": "cpu"}

    board: str
    cpu: str
    model: str
    inputs: Annotated[int, Field(gt=0)]  # instructions are their mean
    random_inputs: bool
    method: Literal["exact", "clock"]
    instructions: int
    macs: int
    cycles: Cycles | None
    time_us: InferenceTime | None = None
    energy_uj: InferenceEnergy | None = None
    counted_on: str = ""  # the board whose emulator executed the instructions
    flash: Flash
    ram: Ram
    layers: list[LayerCost]  # without the calls between them
    functions: list[FunctionCost]  # the most expensive first
    stream: StreamCost | None = None  # a decision that computes only what is new


def bench(
    board: Board,
    model: Path,
    x: batch.NamedInputs | None = None,
    budget: Budget = SPEED,
    hop: int | None = None,
) -> Bench:
    """Count what one inference of a model costs on an emulated board.

    For a board that QEMU does not emulate, one with the same CPU is: flash and RAM are those of an
    image for that.

    Parameters
    ----------
    model
        A .tflite, or the folder of a run.
    x : ndarray (n, height, width, channels), or a mapping
        Inputs to average over, by name if there are several; None for 16 random ones, the same in
        every call. A network with a state gets them in order.
    hop
        Frames between windows, to count a decision that computes only what is new, too.

    Raises
    ------
    EdgebioError
        If the inputs do not fit the model, or consecutive windows share nothing; `DeviceError`
        if the emulated board fails.
    """
    path = model_file(model)
    program = compiler.compile_model(path, board.isa)
    edges = inputs_of(tflite.read(path))
    inputs = edges.random(_RANDOM_INPUTS) if x is None else edges.named(x)
    count = len(next(iter(inputs.values())))
    if not count:
        raise EdgebioError("no inputs to count instructions over")
    plugin = counting.plugin()
    functions: list[FunctionCost] = []
    estimate, layer_cycles, time, energy = None, None, None, None
    emulated = emulated_board(board)
    with batch.prepare(emulated, path, timed=plugin is None, budget=budget) as target:
        manifest = target.manifest
        if plugin:
            image = elf.Image(target.elf)
            total, layers, functions, by_address = _count(
                target, image, plugin, (inputs, count), len(program.calls)
            )
            estimate, layer_cycles = _cycles(board, image, by_address, count, len(program.calls))
            stalls = _stalls(board, program, by_address, count)
            time = time_of(board, estimate.estimate + stalls)
            energy = energy_of(board, estimate.estimate + stalls)
        else:
            micros = target.micros(inputs, ("-icount", f"shift={_SHIFT}")).mean(axis=0)
            costs = micros * 1000 / 2**_SHIFT
            total, layers = costs.sum(), costs[:-1]
    return Bench(
        board=board.name,
        cpu=board.cpu,
        model=path.name,
        inputs=count,
        random_inputs=x is None,
        method="exact" if plugin else "clock",
        instructions=round(total),
        macs=program.macs,
        cycles=estimate,
        time_us=time,
        energy_uj=energy,
        counted_on=emulated.name,
        flash=manifest.flash,
        ram=manifest.ram,
        layers=[
            LayerCost(
                index=index,
                operator=call.layer.kind,
                description=compiler.describe_call(program, call),
                kernel=kernel,
                instructions=round(cost),
                macs=call.layer.macs,
                cycles=layer_cycles[index] if layer_cycles else None,
            )
            for index, (call, kernel, cost) in enumerate(
                zip(program.calls, manifest.kernels, layers, strict=True)
            )
        ],
        functions=functions,
        stream=None if hop is None else bench_stream(board, emulated, path, hop, budget),
    )


def _count(
    target: batch.EmulatedModel,
    image: elf.Image,
    plugin: Path,
    x: tuple[batch.NamedInputs, int],
    layers: int,
) -> tuple[float, npt.NDArray[np.float64], list[FunctionCost], counting.Table]:
    """Count mean instructions in total, of each layer and function; and executions by address.

    `x` are the inputs and their number. A layer that does not run has no function.
    """
    inputs, number = x
    marks = {"eb_model_invoke": _INVOKE, "eb_batch_invoked": _OUTSIDE}
    names = {f"eb_model_layer_{index}": _LAYERS + index for index in range(layers)}
    marks |= {name: stretch for name, stretch in names.items() if image.symbol(name)}
    table, by_address = counting.run(
        plugin, image, marks, lambda options: target.network_named(inputs, options)
    )
    by_layer = np.zeros(layers, np.int64)
    by_function = np.zeros(len(image.functions) + 1, np.int64)
    invoke = 1 + next(i for i, f in enumerate(image.functions) if f.name == "eb_model_invoke")
    for stretch, function, count, entries in table:
        if stretch < _INVOKE:
            continue
        if entries != number:
            raise EdgebioError(f"stretch {stretch} ran {entries} times for {number} inputs")
        by_function[function] += count
        # A layer's stretch lasts until the next one begins, and contains the call of that.
        if stretch >= _LAYERS and function != invoke:
            by_layer[stretch - _LAYERS] += count
    functions = [
        FunctionCost(name=f.name, instructions=round(count / number), bytes=f.size)
        for f, count in zip(image.functions, by_function[1:], strict=True)
        if count
    ]
    functions.sort(key=lambda cost: -cost.instructions)
    return by_function.sum() / number, by_layer / number, functions, by_address


def _cycles(
    board: Board, image: elf.Image, by_address: counting.Table, inputs: int, layers: int
) -> tuple[Cycles, list[int]]:
    """Estimate mean cycles of the inference, and of each layer."""
    inside = by_address[by_address[:, 0] >= _INVOKE]
    timings = cpu_timings.TIMINGS[board.cpu]
    by_stretch, classes = timings.estimate(image, inside)
    total = Cycles(
        source=timings.source,
        estimate=round(sum(by_stretch.values()) / inputs),
        instructions={kind: round(count / inputs) for kind, count in sorted(classes.items())},
    )
    return total, [round(by_stretch.get(_LAYERS + i, 0) / inputs) for i in range(layers)]


def _stalls(
    board: Board, program: compiler.Program, by_address: counting.Table, inputs: int
) -> int:
    """Mean cycles of an inference that wait for flash."""
    inside = by_address[by_address[:, 0] >= _INVOKE]
    timing = waiting_memory(board, inside, program)
    if timing is None:
        return 0
    entries = dict.fromkeys(inside[:, 0].tolist(), inputs)
    code = flash_stalls.code_stalls(timing, inside, entries, inputs)
    return round(code / inputs) + flash_stalls.constant_stalls(timing, program)
