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
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from edgebio import boards, compiler, storage
from edgebio.boards import Board
from edgebio.boards.board import Cpu
from edgebio.errors import EdgebioWarning, MissingToolError
from edgebio.firmware import batch, counting, cpu_timings, cycles, elf, flash_stalls, sources
from edgebio.firmware.image import Budget
from edgebio.firmware.manifest import Deadline
from edgebio.frontend.spec import FrontendSpec

STAND_IN: Final[dict[Cpu, str]] = {
    "cortex-m0plus": "mps2-an385",  # a Cortex-M3 executes all of its instructions alike
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m33": "mps2-an505",
    "cortex-m55": "mps3-an547",
}
"""Board whose emulator executes the code of each CPU."""

_OUTSIDE, _FRONTEND, _INVOKE, _LAYERS = 1, 2, 3, 4
_STEPS = 2  # decisions that are counted
_NOISE = 300.0  # counts

# Cycles without an emulator, from its counts of the reference models and front ends: per MAC and
# layer kind it varies by two, so these are the most.
_TABLE_MAC: Final[dict[str, float]] = {"portable": 12.0, "dsp": 3.0, "mve": 1.5}
_TABLE_PIXEL: Final[dict[str, float]] = {"portable": 500.0, "dsp": 200.0, "mve": 200.0}


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
    model: Path, board: Board, spec: FrontendSpec, budget: Budget, busy: float = 0.0
) -> TimeEstimate:
    """Estimate the time of a decision of a model on a board.

    Parameters
    ----------
    budget
        What the kernels of the network are chosen for.
    busy
        Share of the CPU's time that the sample source's interrupt takes.
    """
    if _plugin():
        cost, program = _counted(model, board, budget)
        timings = cpu_timings.TIMINGS[board.cpu]
        memory = board.timing.source if board.timing else "memory that does not wait"
        note = f"{timings.source}; {memory}"
    else:
        program = compiler.compile_model(model, board.isa)
        cost = _table(program, board, spec)
        note = "a table of cycles per MAC; install qemu-system-arm to count instructions"
        warnings.warn(
            f"the time of a decision is taken from {note}", category=EdgebioWarning, stacklevel=2
        )
    due = round(spec.step / spec.rate * 1e6)
    taken = round((cost.frontend + cost.network) / board.clock_hz / (1 - busy) * 1e6)
    if busy:
        note += f"; sampling takes {busy:.0%}"
    deadline = Deadline(
        due_us=due,
        estimated_us=taken,
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


def _counted(model: Path, board: Board, budget: Budget) -> tuple[_Cost, compiler.Program]:
    """Count on the stand-in, or read an earlier count of the same code from the cache."""
    with tempfile.TemporaryDirectory(prefix="edgebio-deadline-") as scratch:
        root = Path(scratch)
        written = sources.write(
            root, model, _stand_in(board), "batch", "none",
            compiler.Goal(budget.optimize, budget.weights),
        )  # fmt: skip
        program, build = written.program, written.build
    path = storage.cache("deadlines") / f"{_digest(build, board)}.json"
    try:
        return _Cost(**json.loads(path.read_bytes())), program
    except (OSError, TypeError, ValueError):
        pass
    cost = _count(model, board, budget, program)
    storage.write_json(path, {"frontend": cost.frontend, "network": cost.network})
    return cost, program


def _digest(build: str, board: Board) -> str:
    """Hash of the code, of the board's timing, and of the models of both."""
    digest = hashlib.sha256(f"{build}\0{board.cpu}\0{board.timing!r}".encode())
    for module in (cycles, cpu_timings, flash_stalls):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()[:32]


def _stand_in(board: Board) -> Board:
    """The emulated board of the same CPU, with the compiler's settings of `board`."""
    target = boards.load(STAND_IN[board.cpu])
    settings = ("cpu", "isa", "fft_numerics", "flags", "helium")
    return target.model_copy(update={name: getattr(board, name) for name in settings})


def _count(model: Path, board: Board, budget: Budget, program: compiler.Program) -> _Cost:
    plugin = counting.plugin()
    assert plugin is not None
    marks = {"eb_frontend_push": _FRONTEND, "eb_batch_pushed": _OUTSIDE}
    marks |= {"eb_model_invoke": _INVOKE, "eb_batch_invoked": _OUTSIDE}
    marks |= {f"eb_model_layer_{i}": _LAYERS + i for i in range(len(program.calls))}
    with batch.prepare(_stand_in(board), model, budget=budget) as target:
        image = elf.Image(target.elf)
        spec = target.spec()
        samples = np.random.default_rng(0).normal(
            scale=_NOISE, size=(spec.segment_length + _STEPS * spec.step, spec.channels)
        )

        def run(steps: int) -> _Cost:
            end = spec.segment_length + steps * spec.step
            part = samples[:end].astype(np.int16)
            table, by_address = counting.run(
                plugin, image, marks, lambda options: target.images_and_outputs(part, options)
            )
            return _cycles(board, image, program, table, by_address, 1 + steps)

        # A longer run minus a shorter one: both contain the first segment.
        first, both = run(0), run(_STEPS)
    return _Cost(
        frontend=round((both.frontend - first.frontend) / _STEPS),
        network=both.network // (1 + _STEPS),
    )


def _cycles(
    board: Board,
    image: elf.Image,
    program: compiler.Program,
    table: counting.Table,
    by_address: counting.Table,
    decisions: int,
) -> _Cost:
    """Cycles of a whole run."""
    by_address = by_address[by_address[:, 0] >= _FRONTEND]
    entries = {int(stretch): int(count) for stretch, _, _, count in table.tolist()}
    costs = []
    for rows in (
        by_address[by_address[:, 0] == _FRONTEND], by_address[by_address[:, 0] > _FRONTEND],
    ):  # fmt: skip
        by_stretch, _ = cpu_timings.TIMINGS[board.cpu].estimate(image, rows)
        taken = sum(by_stretch.values())
        timing = board.timing
        if timing and not flash_stalls.fits_cache(timing, by_address, program):
            taken += flash_stalls.code_stalls(timing, rows, entries, decisions)
        costs.append(taken)
    if board.timing and not flash_stalls.fits_cache(board.timing, by_address, program):
        costs[1] += decisions * flash_stalls.constant_stalls(board.timing, program)
    return _Cost(*costs)


def _table(program: compiler.Program, board: Board, spec: FrontendSpec) -> _Cost:
    """Cost by the number of MACs and pixels."""
    pixels = spec.step_frames * spec.n_bins * spec.channels
    return _Cost(
        frontend=round(pixels * _TABLE_PIXEL[board.isa]),
        network=round(program.macs * _TABLE_MAC[board.isa]),
    )
