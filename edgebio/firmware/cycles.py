"""Cycles that executed instructions take on a Cortex-M4, estimated from its manual.

Timings are those of Arm's Cortex-M4 Technical Reference Manual (DDI 0439, "Instruction set summary"
and "Load/store timings"), with memory that answers at once. An estimate, for what it leaves out:

* flash wait states, caches and prefetch of the microcontroller, and what other bus masters take;
* the refill after a jump takes 1 to 3 cycles by the target's alignment: `REFILL` is taken;
* a division takes 2 to 12 cycles by its operands: `DIVISION` is taken;
* an address that depends on the instruction before it stalls for a cycle: not counted.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from edgebio.firmware import toolchain
from edgebio.firmware.elf import Image
from edgebio.processes.programs import run_compiler

CORE: Final = "cortex-m4"
"""The core that the table is of."""

REFILL: Final = 2
DIVISION: Final = 7

_LINE: Final = re.compile(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(\S+)\s*([^;@]*)")
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
    """What one instruction takes: its class, cycles, and cycles more where it jumps."""

    kind: str
    cycles: int
    jump: int = 0


def timings(image: Image) -> dict[int, Timing]:
    """Timing of every instruction of an image, by address."""
    text = run_compiler(toolchain.tool("objdump"), "-d", "-w", str(image.path))
    found: dict[int, Timing] = {}
    loaded = ""  # destination of the load before, "" where it was none
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            loaded = ""  # a function begins, or a gap
            continue
        name, operands = match[2].split(".")[0], match[3].strip()
        found[int(match[1], 16)] = timing(name, operands, loaded)
        loads = _LOAD.match(name) and not operands.startswith("pc,")
        loaded = operands.partition(",")[0] if loads else ""
    return found


def timing(name: str, operands: str, loaded: str = "") -> Timing:
    """Timing of one instruction.

    Parameters
    ----------
    name, operands
        As the disassembler writes them, without a width.
    loaded
        Register that the instruction before it loads, if that is a single load: a load or store
        whose address does not need it takes a cycle less.
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
        return Timing(kind, 1 + _registers(operands), REFILL)
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


def _registers(operands: str) -> int:
    """Count the registers of a list like {r4, r5-r7, lr}."""
    listed = operands[operands.find("{") + 1 : operands.find("}")]
    count = 0
    for part in listed.split(","):
        ends = re.findall(r"[rsd](\d+)", part)
        count += int(ends[1]) - int(ends[0]) + 1 if len(ends) == 2 else 1
    return count


def estimate(
    image: Image, by_address: npt.NDArray[np.int64]
) -> tuple[dict[int, int], Mapping[str, int]]:
    """Estimate the cycles of what was executed.

    Parameters
    ----------
    image
        What was executed.
    by_address : ndarray of int64 (n, 4)
        Rows of stretch, address, executions and jumps, by `counting.run`.

    Returns
    -------
    cycles : dict
        Cycles of each stretch.
    classes : mapping
        Executed instructions of each class.
    """
    known = timings(image)
    cycles: Counter[int] = Counter()
    classes: Counter[str] = Counter()
    for stretch, address, executed, jumped in by_address.tolist():
        one = known.get(address, Timing("other", 1))
        cycles[stretch] += executed * one.cycles + jumped * one.jump
        classes[one.kind] += executed
    return dict(cycles), classes
