"""Cycles of executed instructions on every CPU, with memory that answers at once: coarse models.

Arm publishes the cycles of each instruction for Cortex-M0+, M3 and M4. For M7, M33 and M55, which
issue some instructions in pairs, it does not: their scalar instructions take the cycles of a
Cortex-M4 by the ratio of the two CPUs' CoreMark/MHz in Arm's "Cortex-M Processor Comparison Table"
(M4 3.54, M7 5.29, M33 4.10, M55 4.40). A vector instruction of an M55 takes 2 cycles, as its data
path handles half of a vector a cycle (Cortex-M55 Technical Reference Manual, 101051: two beats per
tick), without overlap of a load and a multiplication.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from edgebio.boards.board import Cpu
from edgebio.firmware import cycles
from edgebio.firmware.cycles import Timing, TimingFunction
from edgebio.firmware.disassembly import registers
from edgebio.firmware.elf import Image

_M4_COREMARK: Final = 3.54
_HELIUM_CYCLES: Final = 2
_HELIUM: Final = re.compile(r"^v(?!(mov|mrs|msr|push|pop|ldm|stm|cvt|sqrt|div|cmp)$)")
_BRANCH: Final = re.compile("b(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?")
_LOOP: Final = ("le", "letp", "dls", "dlstp")
_M3_MULTIPLY: Final = {"mla": 2, "mls": 2, "smull": 4, "umull": 4, "smlal": 5, "umlal": 5}
"""Cycles of Cortex-M3 (DDI 0337, "Instruction set summary"): middle ones of its ranges."""


@dataclass(frozen=True)
class CpuTimings:
    """Timings of a CPU, and where they come from, for people."""

    timing: TimingFunction
    source: str

    def estimate(
        self, image: Image, by_address: npt.NDArray[np.int64]
    ) -> tuple[dict[int, int], Mapping[str, int]]:
        """Estimate cycles by stretch, and count instructions by class; see `cycles.estimate`."""
        return cycles.estimate(image, by_address, self.timing)


def m0plus_timing(name: str, operands: str, loaded: str = "") -> Timing:
    """Timing on a Cortex-M0+ with the fast multiplier (DDI 0484C, table 3-1)."""
    del loaded
    if name in ("push", "pop", "ldmia", "ldm", "stmia", "stm"):
        count = len(registers(operands))
        kind = "load" if name in ("pop", "ldmia", "ldm") else "store"
        return Timing(kind, 1 + count, 2 if "pc" in operands else 0)
    if name.startswith(("ldr", "str")):
        return Timing("load" if name.startswith("l") else "store", 2)
    if name == "bl":
        return Timing("jump", 2, 1)
    if name in ("bx", "blx") or _BRANCH.fullmatch(name):
        return Timing("jump", 1, 1)
    if name in ("mrs", "msr", "dmb", "dsb", "isb"):
        return Timing("other", 3)
    jumps = name in ("mov", "add") and operands.startswith("pc")
    return Timing("multiply" if name.startswith("mul") else "other", 1, 1 if jumps else 0)


def _m3_timing(name: str, operands: str, loaded: str = "") -> Timing:
    timing = cycles.timing(name, operands, loaded)
    return Timing("multiply", _M3_MULTIPLY[name]) if name in _M3_MULTIPLY else timing


def _by_coremark(coremark: float, helium: bool = False) -> TimingFunction:
    ratio = _M4_COREMARK / coremark

    def timing(name: str, operands: str, loaded: str = "") -> Timing:
        if name in _LOOP:
            return Timing("jump", ratio)
        if helium and _HELIUM.match(name):
            return Timing("vector", _HELIUM_CYCLES)
        base = cycles.timing(name, operands, loaded)
        return Timing(base.kind, base.cycles * ratio, base.jump * ratio)

    return timing


TIMINGS: Final[dict[Cpu, CpuTimings]] = {
    "cortex-m0plus": CpuTimings(m0plus_timing, "Arm's instruction timings"),
    "cortex-m3": CpuTimings(_m3_timing, "Arm's instruction timings"),
    "cortex-m4": CpuTimings(cycles.timing, "Arm's instruction timings"),
    "cortex-m7": CpuTimings(_by_coremark(5.29), "those of a Cortex-M4 by CoreMark/MHz"),
    "cortex-m33": CpuTimings(_by_coremark(4.10), "those of a Cortex-M4 by CoreMark/MHz"),
    "cortex-m55": CpuTimings(
        _by_coremark(4.40, helium=True), "a Cortex-M4's by CoreMark/MHz, 2 cycles a vector"
    ),
}
