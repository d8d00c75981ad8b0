"""Text of the generated C: constant arrays, parameter structs and kernel calls."""

from collections.abc import Mapping, Sequence
from typing import Final

from edgebio.compiler.ir.kernel_call import Array, KernelCall, Value

CTYPES: Final = {
    "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t",
    "float32": "float",
}  # fmt: skip
"""C types of the elements of activations."""

_WIDTH: Final = 100


def array_text(array: Array, symbol: str) -> str:
    """Definition of a constant array."""
    items = [_initializer(value, {}) for value in array.values]
    if array.ctype.startswith("eb_"):
        body = "".join(f"    {item},\n" for item in items)
    else:
        body = wrapped(items)
    # Kernels may read it by words.
    aligned = "_Alignas(4) " if array.ctype in ("int8_t", "int16_t") else ""
    declaration = f"{aligned}static const {array.ctype} {symbol}[{len(items)}]"
    return f"{declaration} = {{ /* {array.note} */\n{body}}};\n"


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
