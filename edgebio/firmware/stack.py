"""Upper bound of the stack of an image, from the frames and calls in its machine code.

It covers every function of the image, including those of the C library and the compiler's own,
which ``-fstack-usage`` does not see. The bound is the deepest chain of calls from the reset vector
plus the deepest one from an interrupt; interrupts of one priority do not nest.
"""

import re
from dataclasses import dataclass, field

from edgebio.errors import EdgebioError
from edgebio.firmware.disassembly import Instruction, disassemble, registers
from edgebio.firmware.elf import Image

RESET = "cortex_m_start"
INTERRUPTS = (
    ("port_adc_irq", "port_spi_irq"),
    ("cortex_m_clock_irq", "port_uart_irq", "port_usb_irq", "port_supply_irq"),
    ("cortex_m_nmi",),
)
"""Handlers by priority; those of one line interrupt those of the lines above."""
FAULT = "fault_entry"  # a port without an NMI of its own has this one; it starts a new stack
OWN_STACK = ("fault", "call_rom")  # reached by pointer, with the whole stack for themselves

# What the CPU pushes on an exception: 8 words, 18 more with an FPU, and one to align.
_EXCEPTION_FRAME = 4 * (8 + 18 + 1)

_LITERAL = re.compile(r"\tldr(?:\.[nw])?\t(\w+), \[pc, #\d+\]\s*@ \(([0-9a-f]+)")
_TARGET = re.compile(r"([0-9a-f]+) <[^>]+>$")
_BRANCH = re.compile(r"^(bl|blx|b|b[a-z]{2}|cbn?z)$")


@dataclass
class _Function:
    name: str
    frame: int = 0
    has_dynamic_frame: bool = False
    calls: set[int] = field(default_factory=set)
    calls_pointer: bool = False
    constants: set[int] = field(default_factory=set)


def bound(image: Image) -> int:
    """Largest stack, in bytes, of an image that was linked with ``--emit-relocs``.

    `EdgebioError` if there is no bound: a function calls itself, directly or not, or has a frame
    whose size is only known at run time.
    """
    functions = _read(image)
    constants = {value for function in functions.values() for value in function.constants}
    constants |= image.pointers
    # Functions that a call by pointer may reach.
    pointed = {a for a, f in functions.items() if a | 1 in constants and f.name not in OWN_STACK}
    depths: dict[int, int] = {}
    path: list[int] = []

    def depth(address: int) -> int:
        if address in depths:
            return depths[address]
        function = functions[address]
        if address in path:
            chain = [functions[a].name for a in path[path.index(address) :]]
            raise EdgebioError(f"no bound of the stack: {' -> '.join([*chain, function.name])}")
        if function.has_dynamic_frame:
            raise EdgebioError(f"no bound of the stack: {function.name} sizes it at run time")
        path.append(address)
        callees = function.calls | (pointed if function.calls_pointer else set())
        depths[address] = function.frame + max(map(depth, callees), default=0)
        path.pop()
        return depths[address]

    by_name = {function.name: address for address, function in functions.items()}
    faults = {symbol.address for symbol in image.functions if symbol.name == FAULT}
    total = depth(by_name[RESET])
    for handlers in INTERRUPTS:
        addresses = {by_name[name] for name in handlers if name in by_name} - faults
        if addresses:
            total += _EXCEPTION_FRAME + max(map(depth, addresses))
    return -(-total // 8) * 8


def frames(image: Image) -> dict[str, int]:
    """Stack frame of each function in bytes, without those of the functions that it calls."""
    return {function.name: function.frame for function in _read(image).values()}


def _read(image: Image) -> dict[int, _Function]:
    """Functions by address, with their frames and calls."""
    functions = {symbol.address: _Function(symbol.name) for symbol in image.functions}
    current = _Function("")
    low: dict[str, int] = {}
    literals: dict[str, int] = {}
    for instruction in disassemble(image):
        current = functions.get(instruction.address, current)
        name, operands = instruction.name, instruction.operands
        if literal := _LITERAL.search(instruction.line):
            literals[literal[1]] = image.word(int(literal[2], 16))
        if name == "add" and operands.startswith("sp, r"):
            # The only way to a large frame on a Cortex-M0+: a negative number from flash.
            current.frame += max(0, -literals.get(operands[4:], 0))
            continue
        current.frame += _pushed_bytes(instruction, current)
        target = _TARGET.search(operands)
        if name in ("blx", "bx") and target is None and operands != "lr":
            current.calls_pointer = True
        elif _BRANCH.match(name) and target:
            callee = int(target[1], 16)
            # A jump to the function's own start is a loop; a call of it is recursion.
            if callee in functions and (name in ("bl", "blx") or functions[callee] is not current):
                current.calls.add(callee)
        elif name in ("movw", "movt"):
            register, _, value = operands.partition(", #")
            if name == "movw":
                low[register] = int(value)
            else:
                current.constants.add(int(value) << 16 | low.get(register, 0))
    return functions


def _pushed_bytes(instruction: Instruction, function: _Function) -> int:
    """Bytes that an instruction takes from the stack."""
    name, operands = instruction.name, instruction.operands
    if name in ("push", "vpush") or (name in ("stmdb", "vstmdb") and operands.startswith("sp!")):
        return sum({"d": 8, "q": 16}.get(r[0], 4) for r in registers(operands))
    if name in ("sub", "subw", "subs") and operands.startswith("sp,"):
        last = operands.split(",")[-1].strip()
        if last.startswith("#"):
            return int(last[1:], 0)
        function.has_dynamic_frame = True
    if name in ("str", "strd", "vstr") and (offset := re.search(r"\[sp, #-(\d+)\]!", operands)):
        return int(offset[1])
    if name == "mov" and operands.startswith("sp,") and operands not in ("sp, r7", "sp, fp"):
        function.has_dynamic_frame = True  # not just restored from a frame pointer
    return 0
