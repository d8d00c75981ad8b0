"""The machine code of an image as text, by the cross-compiler's objdump."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edgebio.firmware import toolchain
from edgebio.firmware.elf import Image
from edgebio.processes.programs import run_compiler

_LINE = re.compile(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(\S+)\s*([^;@]*)")


@dataclass(frozen=True)
class Instruction:
    """One instruction."""

    address: int
    name: str  # without a width such as ".w"
    operands: str
    line: str  # of the disassembly
    after_gap: bool  # no instruction on the line before it: a function starts here


def disassemble(image: Image) -> Iterator[Instruction]:
    """Yield all instructions of an image by address."""
    text = run_compiler(toolchain.tool("objdump"), "-d", "-w", image.path)
    after_gap = True
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is not None:
            name = match[2].split(".")[0]
            yield Instruction(int(match[1], 16), name, match[3].strip(), line, after_gap)
        after_gap = match is None


def registers(operands: str) -> list[str]:
    """Registers of a list such as ``{r4, r5-r7, lr}``."""
    names = []
    for part in operands[operands.index("{") + 1 : operands.index("}")].split(","):
        first, _, last = part.strip().partition("-")
        if last:
            names += [f"{first[0]}{i}" for i in range(int(first[1:]), int(last[1:]) + 1)]
        else:
            names.append(first)
    return names
