"""Estimates of the cycles that executed instructions take on a Cortex-M4.

Timings are those of Arm's Cortex-M4 Technical Reference Manual (DDI 0439, "Instruction set summary"
and "Load/store timings"), with memory that answers at once. What makes it an estimate:

* flash wait states, caches and prefetch of the microcontroller and other bus masters are left out;
* the refill after a jump takes 1 to 3 cycles depending on the target's alignment: `REFILL` here;
* a division takes 2 to 12 cycles depending on its operands: `DIVISION` here;
* the stall of an address that depends on the preceding instruction is left out.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from edgebio.firmware.disassembly import disassemble, registers
from edgebio.firmware.elf import Image

REFILL: Final = 2
DIVISION: Final = 7

_CONDITIONS: Final = "eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al"
_LOAD: Final = re.compile(rf"^ldr(s?[bh])?({_CONDITIONS})?$")
_STORE: Final = re.compile(rf"^str[bh]?({_CONDITIONS})?$")
_DOUBLE: Final = re.compile(rf"^(ldrd|strd)({_CONDITIONS})?$")
_MULTIPLE: Final = re.compile(rf"^(v?ldm|v?stm|v?push|v?pop)(ia|db|fd|ea)?({_CONDITIONS})?$")
_BRANCH: Final = re.compile(rf"^(b|bl|bx|blx|cbz|cbnz)({_CONDITIONS})?$")
_SLOW: Final = {
    "udiv": DIVISION, "sdiv": DIVISION,
    "vdiv": 14, "vsqrt": 14, "vmla": 3, "vmls": 3, "vfma": 3, "vfms": 3, "vldr": 2, "vstr": 2,
}  # fmt: skip
_MULTIPLY: Final = re.compile(r"^(mul|ml[as]|[us]m[ul]|sml|smm|smu|smla|umaal)")


@dataclass(frozen=True)
class Timing:
    """Class of an instruction, its cycles, and additional cycles if it jumps."""

    kind: str
    cycles: float
    jump: float = 0


TimingFunction = Callable[[str, str, str], Timing]
"""Timing of an instruction by its name, its operands, and the register that a load before loads."""


def timings(image: Image, timing_of: TimingFunction | None = None) -> dict[int, Timing]:
    """Timings of all instructions of an image, by address; on a Cortex-M4 by default."""
    timing_of = timing_of or timing
    by_address = {}
    loaded = ""  # register that the preceding instruction loads, if it is a single load
    for instruction in disassemble(image):
        name, operands = instruction.name, instruction.operands
        if instruction.after_gap:
            loaded = ""
        by_address[instruction.address] = timing_of(name, operands, loaded)
        is_load = _LOAD.match(name) and not operands.startswith("pc,")
        loaded = operands.partition(",")[0] if is_load else ""
    return by_address


def timing(name: str, operands: str, loaded: str = "") -> Timing:
    """Timing of one instruction.

    After a single load, of register `loaded`, a load or store whose address does not depend on that
    takes a cycle less.
    """
    _, _, address = operands.partition("[")
    follows = bool(loaded) and not re.search(rf"\b{loaded}\b", address)
    if _LOAD.match(name):
        if operands.startswith("pc,"):
            return Timing("jump", 2, 3)
        return Timing("load", 1 if follows else 2)
    if _STORE.match(name):
        by_register = re.search(r"\[\w+, [a-z]", operands) is not None
        return Timing("store", 2 if by_register and not follows else 1)
    if _DOUBLE.match(name):
        return Timing("load" if name.startswith("l") else "store", 3)
    if _MULTIPLE.match(name):
        kind = "load" if re.match("v?(ldm|pop)", name) else "store"
        return Timing(kind, 1 + len(registers(operands)), REFILL)
    if _BRANCH.match(name):
        return Timing("jump", 1, REFILL)
    if name in ("tbb", "tbh"):
        return Timing("jump", 3, 3)
    stem = re.sub(rf"({_CONDITIONS})$", "", name) if name not in _SLOW else name
    slow = _SLOW.get(stem) or _SLOW.get(name)
    if slow:
        return Timing("float" if name.startswith("v") else "divide", slow)
    if name.startswith("v"):
        return Timing("float", 1)
    return Timing("multiply" if _MULTIPLY.match(name) else "other", 1)


def estimate(
    image: Image, by_address: npt.NDArray[np.int64], timing_of: TimingFunction | None = None
) -> tuple[dict[int, int], Mapping[str, int]]:
    """Estimate cycles by stretch, and count instructions by class.

    Parameters
    ----------
    by_address : ndarray of int64 (n, 4)
        Rows of stretch, address, executions and jumps, by `edgebio.firmware.counting.run`.
    timing_of
        Timings of the CPU; those of a Cortex-M4 by default.
    """
    by_instruction = timings(image, timing_of)
    cycles: dict[int, float] = defaultdict(float)
    classes: Counter[str] = Counter()
    for stretch, address, executed, jumped in by_address.tolist():
        instruction = by_instruction.get(address, Timing("other", 1))
        cycles[stretch] += executed * instruction.cycles + jumped * instruction.jump
        classes[instruction.kind] += executed
    return {stretch: round(count) for stretch, count in cycles.items()}, classes
