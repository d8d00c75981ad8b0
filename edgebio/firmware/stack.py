"""The most stack that an image can use: frames and calls read from its machine code.

Every function of the image is covered, the C library's and the compiler's own among them, which
``-fstack-usage`` does not see. The bound is the deepest chain of calls from the reset vector plus
the deepest one from an interrupt; interrupts of one priority do not nest.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from edgebio.errors import EdgebioError
from edgebio.firmware import toolchain
from edgebio.firmware.elf import Image
from edgebio.processes.programs import run_compiler

RESET = "cortex_m_start"
INTERRUPTS = ("cortex_m_clock_irq", "port_uart_irq")
FAULT = "fault"  # reached by pointer, on a stack of its own

# What the core pushes on an exception: 8 words, with an FPU 18 more, and one to align.
_EXCEPTION_FRAME = 4 * (8 + 18 + 1)

_HEAD = re.compile(r"^([0-9a-f]{8}) <.+>:$")
_LINE = re.compile(r"^\s*[0-9a-f]+:\t[0-9a-f ]+\t(\S+)\s*([^;@]*)")
_LITERAL = re.compile(r"\tldr(?:\.[nw])?\t(\w+), \[pc, #\d+\]\s*@ \(([0-9a-f]+)")
_TARGET = re.compile(r"([0-9a-f]+) <[^>]+>$")
_BRANCH = re.compile(r"^(bl|blx|b|b[a-z]{2}|cbn?z)$")


@dataclass
class _Function:
    name: str
    frame: int = 0
    grows_by_register: bool = False
    calls: set[int] = field(default_factory=set)
    calls_pointer: bool = False
    constants: set[int] = field(default_factory=set)


def bound(image: Image) -> int:
    """Bytes of stack that the image needs at most, a multiple of 8.

    Parameters
    ----------
    image
        Linked with its relocations kept, which tell pointers from numbers that look like them.

    Raises
    ------
    EdgebioError
        Where there is no bound: a function that calls itself, by whatever way, or a frame whose
        size is only known at run time. The text names it.
    """
    functions = _read(image)
    taken = _address_taken(image, functions)
    deepest: dict[int, int] = {}
    path: list[int] = []

    def depth(address: int) -> int:
        if address in deepest:
            return deepest[address]
        function = functions[address]
        if address in path:
            chain = [functions[a].name for a in path[path.index(address) :]]
            raise EdgebioError(f"no bound of the stack: {' -> '.join([*chain, function.name])}")
        if function.grows_by_register:
            raise EdgebioError(f"no bound of the stack: {function.name} sizes it at run time")
        path.append(address)
        callees = function.calls | (taken if function.calls_pointer else set())
        below = max((depth(callee) for callee in callees), default=0)
        path.pop()
        deepest[address] = function.frame + below
        return deepest[address]

    by_name = {function.name: address for address, function in functions.items()}
    interrupts = [depth(by_name[name]) for name in INTERRUPTS if name in by_name]
    total = depth(by_name[RESET])
    if interrupts:
        total += _EXCEPTION_FRAME + max(interrupts)
    return -(-total // 8) * 8


def frames(image: Image) -> dict[str, int]:
    """Bytes of stack of each function by itself."""
    return {function.name: function.frame for function in _read(image).values()}


def _read(image: Image) -> dict[int, _Function]:
    """Disassemble `image` into functions by address."""
    functions = {symbol.address: _Function(symbol.name) for symbol in image.functions}
    current = _Function("")
    low: dict[str, int] = {}
    literals: dict[str, int] = {}
    text = run_compiler(toolchain.tool("objdump"), "-d", "-w", str(image.path))
    for line in text.splitlines():
        head = _HEAD.match(line)
        if head:
            current = functions.get(int(head[1], 16), current)
            continue
        match = _LINE.match(line)
        if match is None:
            continue
        name, operands = match[1].split(".")[0], match[2].strip()
        if literal := _LITERAL.search(line):
            literals[literal[1]] = image.word(int(literal[2], 16))
        if name == "add" and operands.startswith("sp, r"):
            # Cortex-M0+ has no other way to a large frame: a negative number from flash.
            current.frame += max(0, -literals.get(operands[4:], 0))
            continue
        current.frame += _pushed(name, operands, current)
        target = _TARGET.search(operands)
        if name in ("blx", "bx") and target is None and operands != "lr":
            current.calls_pointer = True
        elif _BRANCH.match(name) and target:
            callee = int(target[1], 16)
            # A jump to one's own start is a loop; a call of it is recursion.
            if callee in functions and (name in ("bl", "blx") or functions[callee] is not current):
                current.calls.add(callee)
        elif name in ("movw", "movt"):
            register, _, value = operands.partition(", #")
            if name == "movw":
                low[register] = int(value)
            else:
                current.constants.add(int(value) << 16 | low.get(register, 0))
    return functions


def _pushed(name: str, operands: str, function: _Function) -> int:
    """Bytes that one instruction takes from the stack."""
    if name in ("push", "vpush") or (name in ("stmdb", "vstmdb") and operands.startswith("sp!")):
        return sum(_register_bytes(r) for r in _registers(operands))
    if name in ("sub", "subw", "subs") and operands.startswith("sp,"):
        last = operands.split(",")[-1].strip()
        if last.startswith("#"):
            return int(last[1:], 0)
        function.grows_by_register = True
    if name in ("str", "strd", "vstr") and (found := re.search(r"\[sp, #-(\d+)\]!", operands)):
        return int(found[1])
    if name == "mov" and operands.startswith("sp,") and operands not in ("sp, r7", "sp, fp"):
        function.grows_by_register = True  # anything else than restoring it from a frame pointer
    return 0


def _registers(operands: str) -> Iterator[str]:
    inner = operands[operands.index("{") + 1 : operands.index("}")]
    for part in (p.strip() for p in inner.split(",")):
        first, _, last = part.partition("-")
        if last:
            for number in range(int(first[1:]), int(last[1:]) + 1):
                yield f"{first[0]}{number}"
        else:
            yield first


def _register_bytes(register: str) -> int:
    return {"d": 8, "q": 16}.get(register[0], 4)


def _address_taken(image: Image, functions: dict[int, _Function]) -> set[int]:
    """Functions that some constant points at: what a call by pointer may reach."""
    constants = {value for function in functions.values() for value in function.constants}
    constants |= image.pointers
    return {
        address
        for address, function in functions.items()
        if address | 1 in constants and function.name != FAULT
    }
