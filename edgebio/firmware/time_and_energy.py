"""Time and energy of a decision on a board: estimates from counted instructions.

Neither is ever measured here. Time is cycles, with the waits for flash, at the board's clock;
energy is these cycles times the energy of a cycle that was measured on the board's chip and
published.
"""

from dataclasses import dataclass

from edgebio.boards import Board
from edgebio.boards.flash_timing import FlashTiming
from edgebio.compiler import Program
from edgebio.firmware import cpu_timings, elf, flash_stalls
from edgebio.firmware.counting import Table
from edgebio.section import Section


class InferenceTime(Section):
    """Estimated mean microseconds of an inference on the board, at its clock."""

    estimate: int
    note: str  # what the estimate is based on


class InferenceEnergy(Section):
    """Estimated mean microjoules of an inference on the board: CPU, flash and RAM of the chip."""

    low: float
    high: float
    source: str  # of the energy of a cycle


@dataclass(frozen=True)
class CountedRun:
    """Instructions of a run by stretch and address, and how often each stretch began."""

    by_address: Table
    entries: dict[int, int]
    decisions: int


def mean_cycles(
    board: Board, timing: FlashTiming | None, image: elf.Image, runs: tuple[CountedRun, CountedRun]
) -> int:
    """Cycles of a decision: a longer run minus a shorter one, as both contain the start.

    Constants that are read from flash are left out.
    """
    taken = []
    for run in runs:
        by_stretch, _ = cpu_timings.TIMINGS[board.cpu].estimate(image, run.by_address)
        total = sum(by_stretch.values())
        if timing:
            total += flash_stalls.code_stalls(timing, run.by_address, run.entries, run.decisions)
        taken.append(total)
    return round((taken[1] - taken[0]) / (runs[1].decisions - runs[0].decisions))


def waiting_memory(board: Board, by_address: Table, program: Program) -> FlashTiming | None:
    """Timing of the board's flash; None where nothing waits for it."""
    timing = board.timing
    if timing is None or flash_stalls.fits_cache(timing, by_address, program):
        return None
    return timing


def time_of(board: Board, cycles: int) -> InferenceTime:
    """Time that cycles, with the waits for flash, take."""
    memory = board.timing.source if board.timing else "memory that does not wait"
    note = f"{cpu_timings.TIMINGS[board.cpu].source}; {memory}"
    return InferenceTime(estimate=round(cycles / board.clock_hz * 1e6), note=note)


def energy_of(board: Board, cycles: int) -> InferenceEnergy | None:
    """Energy that cycles, with the waits for flash, take; None where no figure is published."""
    if board.energy is None:
        return None
    low, high = (round(cycles * pj / 1e6, 2) for pj in board.energy.pj_per_cycle)
    return InferenceEnergy(low=low, high=high, source=board.energy.source)
