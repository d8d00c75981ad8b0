"""Text of the generated C: constant arrays, parameter structs and kernel calls."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np

from edgebio.compiler.ir.kernel_call import Array, KernelCall, Value

CTYPES: Final = {
    "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t",
    "float32": "float",
}  # fmt: skip
"""C types of the elements of activations."""

_WIDTH: Final = 100
_IN_A_LINE: Final = {"int8_t": 16, "uint8_t": 16, "int16_t": 12}
"""Elements of an array that take less than _WIDTH characters, whatever their values."""

_STRING: Final = 1 << 16
"""Elements from which an array of int8 is written as a string."""

_OCTAL: Final = [f"\\{value:03o}" for value in range(256)]


def array_text(array: Array, symbol: str) -> str:
    """Definition of a constant array."""
    # Kernels may read it by words.
    aligned = "_Alignas(4) " if array.ctype in ("int8_t", "int16_t") else ""
    declaration = f"{aligned}static const {array.ctype} {symbol}"
    size = len(array.values)
    if is_string(array):
        return f"{declaration}[{size} + 1] = /* {array.note} */\n{_string(array)};\n"
    if array.ctype.startswith("eb_"):
        body = "".join(f"    {_initializer(value, {})},\n" for value in array.values)
    else:
        body = _numbers(array)
    return f"{declaration}[{size}] = {{ /* {array.note} */\n{body}}};\n"


def is_string(array: Array) -> bool:
    """Whether an array is written as a string: C compilers read that 20 times faster."""
    return array.ctype == "int8_t" and len(array.values) >= _STRING


def _string(array: Array) -> str:
    """Elements of an array of int8 as a string, whose terminator is not used."""
    data = np.array(array.values, np.int8).tobytes()
    lines = (data[first : first + 20] for first in range(0, len(data), 20))
    return "\n".join(f'    "{"".join(map(_OCTAL.__getitem__, line))}"' for line in lines)


def _numbers(array: Array) -> str:
    """Elements of an array of integers, so many in a line; quick, as there may be millions."""
    text: Callable[[Value], str] = str
    if array.ctype == "int32_t":
        text = partial(_initializer, symbols={})
    items, row = list(map(text, array.values)), _IN_A_LINE.get(array.ctype, 7)
    lines = (", ".join(items[first : first + row]) for first in range(0, len(items), row))
    return "".join(f"    {line},\n" for line in lines)


def wrapped(items: Sequence[str], indent: int = 4) -> str:
    """Items in indented lines of at most _WIDTH characters."""
    lines, line = [], ""
    for item in items:
        if line and indent + len(line) + len(item) + 2 > _WIDTH:
            lines.append(line)
            line = ""
        line += f" {item}," if line else f"{item},"
    return "".join(f"{' ' * indent}{line}\n" for line in [*lines, line])


def _struct(parameters: Mapping[str, Value], symbols: Mapping[str, str]) -> str:
    """Initializer of a parameter struct, one member per line."""
    lines = []
    for name, value in parameters.items():
        line = f"    .{name} = {_initializer(value, symbols)},\n"
        if len(line) > _WIDTH and isinstance(value, Mapping):
            items = [f".{key} = {_initializer(item, symbols)}" for key, item in value.items()]
            line = f"    .{name} = {{\n{wrapped(items, 8)}    }},\n"
        lines.append(line)
    return "{\n" + "".join(lines) + "}"


def _initializer(value: Value, symbols: Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        items = (f".{name} = {_initializer(item, symbols)}" for name, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, tuple):
        return "{" + ", ".join(_initializer(item, symbols) for item in value) + "}"
    if isinstance(value, str):
        return symbols.get(value, value)
    # The literal of the smallest int would be the negative of a number that does not fit.
    return "INT32_MIN" if value == -(1 << 31) else str(value)


def parameters_text(call: KernelCall, name: str, symbols: Mapping[str, str]) -> str:
    """Definition of the parameter struct `name` of a call, if it has one."""
    if call.parameters is None:
        return ""
    return f"static const {call.struct} {name} = {_struct(call.parameters, symbols)};\n"


def call_text(
    call: KernelCall, name: str, symbols: Mapping[str, str], computed: Sequence[str], output: str,
    scratch: str, states: Sequence[str] = (),
) -> str:  # fmt: skip
    """Statement that runs the kernel of a call.

    Parameters
    ----------
    name
        Of its parameter struct.
    symbols
        Names of its arrays.
    computed, output, scratch, states
        Its inputs that are not constants, its output, its scratch and its states, as C.
    """
    unnamed = iter(computed)
    inputs = [
        symbols.get(f"@input_{position}") or next(unnamed)
        for position in range(1, len(call.layer.inputs) + 1)
    ]
    if call.lists_inputs:
        inputs = [f"(const int8_t *const[]){{{', '.join(inputs)}}}"]
    arguments = [f"&{name}"] if call.struct else [symbols.get(a, a) for a in call.arguments]
    arguments += [*inputs, output, *states]
    if call.scratch or call.takes_scratch:
        arguments.append(scratch if call.scratch else "NULL")
    return f"    {call.function}({', '.join(arguments)});\n"
