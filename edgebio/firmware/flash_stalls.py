"""Cycles that a CPU waits for flash: a coarse model of line buffers and caches.

Code of a stretch of the program, such as a layer, that fits the cache is fetched once a decision.
Of one that does not, the lines that run most often are fetched once each time that it begins, and
every other line each time that it runs. The constants of a layer are read once if they fit the
cache; otherwise once for each `REUSE` outputs, which a kernel computes at a time. Prefetching is
left out.
"""

from collections import defaultdict
from typing import Final

import numpy as np
import numpy.typing as npt

from edgebio.boards.board import Isa
from edgebio.boards.flash_timing import FlashTiming
from edgebio.compiler import Program
from edgebio.firmware.counting import Table

REUSE: Final[dict[Isa, int]] = {"portable": 1, "dsp": 2, "mve": 2}
"""Outputs for which a kernel reads a weight once."""


def code_stalls(
    timing: FlashTiming, by_address: Table, entries: dict[int, int], decisions: int
) -> int:
    """Cycles that fetching instructions waits.

    Parameters
    ----------
    by_address
        Rows of stretch, address, executions and jumps, by `counting.run`.
    entries
        How often each stretch began.
    decisions
        Decisions of the run.
    """
    lines: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for stretch, address, executed, _ in by_address.tolist():
        line = address // timing.line_bytes
        lines[stretch][line] = max(lines[stretch][line], executed)
    capacity = timing.code_cache // timing.line_bytes
    fetched = 0
    for stretch, counts in lines.items():
        ordered = sorted(counts.values(), reverse=True)
        starts = decisions if len(ordered) <= capacity else entries[stretch]
        fetched += sum(min(count, starts) for count in ordered[:capacity])
        fetched += sum(ordered[capacity:])
    return fetched * timing.stall


def constant_stalls(timing: FlashTiming, program: Program) -> int:
    """Cycles that reading the network's constants waits, of one decision."""
    macs = [call.layer.macs for call in program.calls]
    if program.stream:
        macs = [layer.macs for layer in program.stream.layers]
    lines = 0
    for call, products in zip(program.calls, macs, strict=True):
        size = call.constant_bytes
        read = size
        if size > timing.data_cache:
            read = max(size, products // REUSE[call.isa])
        lines += -(-read // timing.line_bytes)
    return lines * timing.stall


def fits_cache(timing: FlashTiming, by_address: Table, program: Program) -> bool:
    """Whether all code and constants of a decision stay in one shared cache."""
    addresses: npt.NDArray[np.int64] = by_address[:, 1]
    code = len(np.unique(addresses // timing.line_bytes)) * timing.line_bytes
    return timing.shared and code + program.constant_bytes <= timing.code_cache
