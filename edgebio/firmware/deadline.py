"""Whether a board makes a decision before the next one is due, by an estimate.

The instructions of front end and network are counted on an emulated board with the board's CPU, in
an image with the same kernels. Their cycles, with the waits for flash, at the board's clock are the
time; nothing has been measured on hardware. Link, decision and sink are left out, and a converter
that DMA serves.
"""

import hashlib
import json
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from edgebio import compiler, storage
from edgebio.boards import Board
from edgebio.errors import EdgebioWarning, MissingToolError
from edgebio.firmware import (
    batch,
    counting,
    cpu_timings,
    cycles,
    elf,
    flash_stalls,
    sources,
    time_and_energy,
)
from edgebio.firmware.image import Budget
from edgebio.firmware.manifest import Deadline
from edgebio.firmware.stand_in import stand_in
from edgebio.firmware.time_and_energy import CountedRun, mean_cycles, waiting_memory
from edgebio.frontend.spec import FrontendSpec

_OUTSIDE, _COUNTED = 1, 2  # stretches of the program for the plugin
_STEPS = 2  # decisions that are counted
_NOISE = 300.0  # counts

# Cycles without an emulator: the most of two models, per MAC of the network and per pixel of the
# front end, that were counted on Cortex-M0+, M4 and M55 (14.2 and 1247, 4.2 and 308, 0.8 and 243).
_TABLE_MAC: Final[dict[str, float]] = {"portable": 15.0, "dsp": 4.5, "mve": 1.0}
_TABLE_PIXEL: Final[dict[str, float]] = {"portable": 1300.0, "dsp": 320.0, "mve": 250.0}


@dataclass(frozen=True)
class _Cost:
    """Cycles of the front end from one decision to the next, and of the network."""

    frontend: int
    network: int


@dataclass(frozen=True)
class TimeEstimate:
    """Time of a decision, with kernels whose constants have `weights` bytes."""

    deadline: Deadline
    weights: int


def estimate(
    model: Path,
    board: Board,
    spec: FrontendSpec,
    budget: Budget,
    *,
    hop: int | None = None,
    busy: float = 0.0,
) -> TimeEstimate:
    """Estimate the time of a decision of a model on a board.

    Parameters
    ----------
    budget
        What the kernels of the network are chosen for.
    hop
        Frames between windows, for a network that computes only what is new.
    busy
        Share of the CPU's time that the sample source's interrupt takes.
    """
    if _plugin():
        cost, program = _counted(model, board, budget, hop)
        timings = cpu_timings.TIMINGS[board.cpu]
        memory = board.timing.source if board.timing else "memory that does not wait"
        note = f"{timings.source}; {memory}"
    else:
        program = compiler.compile_model(model, board.isa, hop=hop)
        cost = _table(program, board, spec)
        note = "a table of cycles per MAC; install qemu-system-arm to count instructions"
        warnings.warn(
            f"the time of a decision is taken from {note}", category=EdgebioWarning, stacklevel=2
        )
    due = round(spec.step / spec.rate * 1e6)
    rate = board.clock_hz * (1 - busy) / 1e6
    taken = round((cost.frontend + cost.network) / rate)
    if busy:
        note += f"; sampling takes {busy:.0%}"
    deadline = Deadline(
        due_us=due,
        estimated_us=taken,
        frontend_us=round(cost.frontend / rate),
        network_us=round(cost.network / rate),
        ok=taken <= due,
        method="counted" if _plugin() else "table",
        note=note,
    )
    return TimeEstimate(deadline, program.constant_bytes)


@cache
def _plugin() -> Path | None:
    try:
        return counting.plugin()
    except MissingToolError:
        return None


def _counted(
    model: Path, board: Board, budget: Budget, hop: int | None
) -> tuple[_Cost, compiler.Program]:
    """Count on the stand-in, or read an earlier count of the same code from the cache."""
    with tempfile.TemporaryDirectory(prefix="edgebio-deadline-") as scratch:
        root, goal = Path(scratch), compiler.Goal(budget.optimize, budget.weights)
        written = sources.write(root, model, stand_in(board), "batch", "none", goal, hop=hop)
        program, build = written.program, written.build
    path = storage.cache("deadlines") / f"{_digest(build, board)}.json"
    try:
        return _Cost(**json.loads(path.read_bytes())), program
    except (OSError, TypeError, ValueError):
        pass
    cost = _count(model, board, budget, program, hop)
    storage.write_json(path, {"frontend": cost.frontend, "network": cost.network})
    return cost, program


def _digest(build: str, board: Board) -> str:
    """Hash of the code, of the board's timing, and of the models of both."""
    digest = hashlib.sha256(f"{build}\0{board.cpu}\0{board.timing!r}".encode())
    for module in (cycles, cpu_timings, flash_stalls, time_and_energy):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()[:32]


def _count(
    model: Path, board: Board, budget: Budget, program: compiler.Program, hop: int | None
) -> _Cost:
    with batch.prepare(stand_in(board), model, budget=budget, hop=hop) as target:
        image = elf.Image(target.elf)
        front, network = _frontend_runs(target, image), _network_runs(target, image, program)
        addresses = np.concatenate([run.by_address for run in (*front, *network)])
        timing = waiting_memory(board, addresses, program)
        read = flash_stalls.constant_stalls(timing, program) if timing else 0
        return _Cost(
            frontend=mean_cycles(board, timing, image, front),
            network=mean_cycles(board, timing, image, network) + read,
        )


def _run(
    image: elf.Image, marks: dict[str, int], job: Callable[[Sequence[str]], object], decisions: int
) -> CountedRun:
    plugin = counting.plugin()
    assert plugin is not None
    table, by_address = counting.run(plugin, image, marks, job)
    entries = {int(stretch): int(count) for stretch, _, _, count in table.tolist()}
    return CountedRun(by_address[by_address[:, 0] > _OUTSIDE], entries, decisions)


def _frontend_runs(target: batch.EmulatedModel, image: elf.Image) -> tuple[CountedRun, CountedRun]:
    spec = target.spec()
    marks = {"eb_frontend_push": _COUNTED, "eb_batch_pushed": _OUTSIDE}
    ends = [spec.segment_length + steps * spec.step for steps in (0, _STEPS)]
    random = np.random.default_rng(0)
    samples = random.normal(scale=_NOISE, size=(ends[1], spec.channels)).astype(np.int16)
    short, long = (
        _run(image, marks, partial(target.images, samples[:end]), 1 + steps)
        for end, steps in zip(ends, (0, _STEPS), strict=True)
    )
    return short, long


def _network_runs(
    target: batch.EmulatedModel, image: elf.Image, program: compiler.Program
) -> tuple[CountedRun, CountedRun]:
    stream = program.stream
    if stream is None:
        first, decisions, size = 1, _STEPS, program.network.tensors[program.network.input].shape[1:]
        name, layer = "eb_model_invoke", "eb_model_layer_"
        call: Callable[[npt.NDArray[np.generic], Sequence[str]], object] = target.network
    else:
        first, decisions = stream.pushes + stream.phases, -(-_STEPS // stream.phases)
        decisions *= stream.phases
        size = (stream.hop, *program.network.tensors[program.network.input].shape[2:])
        name, layer = "eb_model_push", "eb_model_push_"
        call = partial(_push, target, stream.hop)
    marks = {name: _COUNTED, "eb_batch_invoked": _OUTSIDE}
    marks |= {f"{layer}{i}": _COUNTED + 1 + i for i in range(len(program.calls))}
    dtype = program.network.tensors[program.network.input].dtype
    x = np.random.default_rng(0).integers(-128, 128, (first + decisions, *size)).astype(dtype)
    short, long = (
        _run(image, marks, partial(call, x[:count]), count) for count in (first, first + decisions)
    )
    return short, long


def _push(
    target: batch.EmulatedModel, hop: int, x: npt.NDArray[np.generic], options: Sequence[str]
) -> object:
    return target.stream(x.reshape(-1, *x.shape[2:]), hop, options)


def _table(program: compiler.Program, board: Board, spec: FrontendSpec) -> _Cost:
    """Cost by the number of MACs and pixels."""
    pixels = spec.step_frames * spec.n_bins * spec.channels
    return _Cost(
        frontend=round(pixels * _TABLE_PIXEL[board.isa]),
        network=round((program.stream or program).macs * _TABLE_MAC[board.isa]),
    )
