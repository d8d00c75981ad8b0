"""What a network costs on a board: executed instructions by layer and function, flash and RAM.

Instructions are counted exactly, by a plugin of the emulator, the same in every run; they are not
cycles. Where the emulator takes no plugin, its instruction clock stands in: a board's own timer,
driven by the number of instructions, read between the layers.
"""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from edgebio import compiler, tflite
from edgebio.boards import Board
from edgebio.compiler import emit
from edgebio.errors import EdgebioError
from edgebio.firmware import batch, counting, cycles, elf
from edgebio.firmware.image import SPEED, Budget, model_file
from edgebio.firmware.manifest import Flash, Ram
from edgebio.firmware.sources import KERNELS

_OUTSIDE, _INVOKE, _LAYERS = 1, 2, 3  # stretches, as the plugin calls them
_SHIFT = 6  # of -icount: an instruction takes 2^6 ns
_RANDOM_INPUTS = 16


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LayerCost(_Section):
    """One executed layer: mean instructions of an inference, rounded, and its share of `Cycles`."""

    index: int
    operator: str
    description: str
    kernel: str
    instructions: int
    macs: int
    cycles: int | None = None


class Cycles(_Section):
    """Cycles of an inference on a Cortex-M4, estimated from executed instructions.

    Attributes
    ----------
    estimate : int
        Mean of an inference, with memory that answers at once.
    leaves_out : str
        What it does not hold.
    instructions : dict
        Instructions of an inference by class.
    """

    estimate: int
    leaves_out: str = (
        "flash wait states, bus contention; jumps and divisions are taken at a middle cost"
    )
    instructions: dict[str, int]


class FunctionCost(_Section):
    """One function, by its symbol: mean instructions of an inference, rounded, and its size."""

    name: str
    instructions: int
    bytes: int


class Bench(_Section):
    """What a network costs on a board.

    Attributes
    ----------
    board, core, model : str
        What ran where.
    inputs : int
        Inputs that the instructions are the mean of.
    random_inputs : bool
        Whether these were random, for want of real ones.
    method : {"exact", "clock"}
        Counted by the plugin; or by the instruction clock, which reads up to 64 too many a layer.
    instructions, macs : int
        Of one inference.
    cycles
        Estimated, for Cortex-M4 by the exact method only.
    flash, ram
        Of the image that was counted: the network, its kernels and a minimal application.
    layers, functions : list
        Where the instructions go; what `layers` leave out is the calls between them. Functions
        are known to the exact method only, the costliest first.
    """

    board: str
    core: str
    model: str
    inputs: Annotated[int, Field(gt=0)]
    random_inputs: bool
    method: Literal["exact", "clock"]
    instructions: int
    macs: int
    cycles: Cycles | None
    flash: Flash
    ram: Ram
    layers: list[LayerCost]
    functions: list[FunctionCost]


def bench(
    board: Board,
    model: Path,
    x: npt.NDArray[np.generic] | None = None,
    budget: Budget = SPEED,
) -> Bench:
    """Count what one inference of `model` costs on `board`.

    Parameters
    ----------
    board
        An emulated board.
    model
        A .tflite, or the folder of a run.
    x : ndarray (n, height, width, channels)
        Inputs to take the mean over; None for 16 random ones, the same at every call.
    budget
        What to choose the network's kernels for, and what the image may take.

    Raises
    ------
    EdgebioError
        Where the inputs are not the model's.
    DeviceError
        Where the emulated board fails.
    """
    path = model_file(model)
    program = compiler.compile_model(path, KERNELS[board.cpu])
    given = _random(tflite.read(path)) if x is None else x
    if not len(given):
        raise EdgebioError("no inputs to count instructions over")
    plugin = counting.plugin()
    functions: list[FunctionCost] = []
    taken, by_layer = None, None
    with batch.prepare(board, path, timed=plugin is None, budget=budget) as prepared:
        if plugin:
            counted = _count(prepared, plugin, given, len(program.steps))
            total, layers, functions, by_address = counted
            if board.cpu == cycles.CORE:
                image = elf.Image(prepared.elf)
                taken, by_layer = _cycles(image, by_address, len(given), len(program.steps))
        else:
            micros = prepared.micros(given, ("-icount", f"shift={_SHIFT}")).mean(axis=0)
            costs = micros * 1000 / 2**_SHIFT
            total, layers = costs.sum(), costs[:-1]
        manifest = prepared.manifest
    return Bench(
        board=board.name,
        core=board.cpu,
        model=path.name,
        inputs=len(given),
        random_inputs=x is None,
        method="exact" if plugin else "clock",
        instructions=round(total),
        macs=program.macs,
        cycles=taken,
        flash=manifest.flash,
        ram=manifest.ram,
        layers=[
            LayerCost(
                index=index,
                operator=step.layer.kind,
                description=emit.describe(program.network, step),
                kernel=kernel,
                instructions=round(cost),
                macs=step.layer.macs,
                cycles=by_layer[index] if by_layer else None,
            )
            for index, (step, kernel, cost) in enumerate(
                zip(program.steps, manifest.kernels, layers, strict=True)
            )
        ],
        functions=functions,
    )


def _random(graph: tflite.Graph) -> npt.NDArray[np.generic]:
    tensor = graph.tensors[graph.inputs[0]]
    shape = (_RANDOM_INPUTS, *tensor.shape[1:])
    random = np.random.default_rng(0)
    if tensor.dtype == "int8":
        return random.integers(-128, 128, shape, np.int8)
    return random.standard_normal(shape).astype(tensor.dtype)


def _count(
    prepared: batch.Batch, plugin: Path, x: npt.NDArray[np.generic], layers: int
) -> tuple[float, npt.NDArray[np.float64], list[FunctionCost], counting.Table]:
    """Count instructions: mean of the whole, of each layer, of each function; and by address."""
    image = elf.Image(prepared.elf)
    marks = {"eb_model_invoke": _INVOKE, "eb_batch_invoked": _OUTSIDE}
    marks |= {f"eb_model_layer_{index}": _LAYERS + index for index in range(layers)}
    table, by_address = counting.run(
        plugin, image, marks, lambda options: prepared.network(x, options)
    )
    by_layer = np.zeros(layers, np.int64)
    by_function = np.zeros(len(image.functions) + 1, np.int64)
    invoke = 1 + next(i for i, f in enumerate(image.functions) if f.name == "eb_model_invoke")
    for stretch, function, count, entries in table:
        if stretch < _INVOKE:
            continue
        if entries != len(x):
            raise EdgebioError(f"stretch {stretch} ran {entries} times for {len(x)} inputs")
        by_function[function] += count
        # A layer's stretch lasts until the next one begins; the calls between them are not its.
        if stretch >= _LAYERS and function != invoke:
            by_layer[stretch - _LAYERS] += count
    functions = [
        FunctionCost(name=f.name, instructions=round(count / len(x)), bytes=f.size)
        for f, count in zip(image.functions, by_function[1:], strict=True)
        if count
    ]
    functions.sort(key=lambda cost: -cost.instructions)
    return by_function.sum() / len(x), by_layer / len(x), functions, by_address


def _cycles(
    image: elf.Image, by_address: counting.Table, inputs: int, layers: int
) -> tuple[Cycles, list[int]]:
    """Estimate cycles: mean of the whole, and of each layer."""
    inside = by_address[by_address[:, 0] >= _INVOKE]
    by_stretch, classes = cycles.estimate(image, inside)
    whole = Cycles(
        estimate=round(sum(by_stretch.values()) / inputs),
        instructions={kind: round(count / inputs) for kind, count in sorted(classes.items())},
    )
    return whole, [round(by_stretch.get(_LAYERS + i, 0) / inputs) for i in range(layers)]
