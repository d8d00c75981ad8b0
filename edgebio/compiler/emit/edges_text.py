"""Text of the network's edges: what model.h says of inputs and outputs.

One tensor is a pointer. Several are a struct of pointers by name; for callers that only pass on
bytes there is a form with all of them behind one another, see `edgebio.tflite.edges`.
"""

import re
from collections.abc import Iterable
from typing import Final

from edgebio.compiler.emit.c_text import CTYPES
from edgebio.compiler.emit.describe import describe_shape
from edgebio.compiler.ir.program import Program
from edgebio.tflite import Tensor
from edgebio.tflite.edges import Edges, inputs_of, outputs_of

_RESERVED: Final = frozenset((
    "alignas", "alignof", "and", "asm", "auto", "bitand", "bitor", "bool", "break", "case",
    "catch", "char", "class", "compl", "concept", "const", "constexpr", "continue", "default",
    "delete", "do", "double", "dynamic_cast", "else", "enum", "explicit", "export", "extern",
    "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable",
    "namespace", "new", "noexcept", "not", "nullptr", "operator", "or", "private", "protected",
    "public", "register", "requires", "restrict", "return", "short", "signed", "sizeof",
    "static", "static_assert", "struct", "switch", "template", "this", "thread_local", "throw",
    "true", "try", "typedef", "typeid", "typename", "typeof", "union", "unsigned", "using",
    "virtual", "void", "volatile", "while", "xor",
))  # fmt: skip
"""Words of C and C++."""


def identifiers(names: Iterable[str]) -> tuple[str, ...]:
    """A C identifier for each name; they differ in upper case, too, as macros."""
    chosen: list[str] = []
    taken: set[str] = set()
    for number, name in enumerate(names):
        word = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")[:40]
        if not word or word[0].isdigit() or word in _RESERVED:
            word = f"tensor_{word}".rstrip("_")
        if word.upper() in taken:
            word = f"{word}_at_{number}"
        taken.add(word.upper())
        chosen.append(word)
    return tuple(chosen)


def edges_comment(program: Program) -> str:
    """Lines of a comment that describe all inputs and outputs."""
    lines = []
    for edges in (inputs_of(program.graph), outputs_of(program.graph)):
        title = edges.kind.title()
        if len(edges.tensors) == 1:
            lines.append(f" * {title + ':':<7} {described(edges.tensors[0].tensor)}\n")
            continue
        lines.append(f" * {title}s:\n")
        for edge, name in zip(edges.tensors, identifiers(edges.names), strict=True):
            lines.append(f" *   {name}: {described(edge.tensor)}\n")
    return "".join(lines)


def described(tensor: Tensor) -> str:
    """Type, shape and scale of a tensor."""
    text = f"{tensor.dtype} {describe_shape(tensor.shape)}"
    if len(tensor.scale):
        text += f", real = {float(tensor.scale[0]):.9g} * (value - {int(tensor.zero_point[0])})"
    return text.replace("- -", "+ ")


def invoke_parameters(program: Program) -> str:
    """Parameters of eb_model_invoke."""
    one_input, one_output = len(program.network.inputs) == 1, len(program.network.outputs) == 1
    source = "const void *input" if one_input else "const eb_model_inputs *inputs"
    target = "void *output" if one_output else "const eb_model_outputs *outputs"
    return f"void *state, {source}, {target}"


def invoke_declarations(program: Program) -> str:
    """Types and functions of an inference."""
    sources, targets = inputs_of(program.graph), outputs_of(program.graph)
    text = _struct("inputs", sources, "const ") + _struct("outputs", targets, "")
    text += f"void eb_model_invoke({invoke_parameters(program)});\n"
    if program.plan.states:
        text += """
/* Sets `state` as it is before the first inference: call it first, and again where a new sequence
 * begins. */
void eb_model_reset(void *state);
"""
    return text + _packed(sources, targets)


def _struct(name: str, edges: Edges, qualifier: str) -> str:
    """Struct of pointers to several tensors; empty for one."""
    if len(edges.tensors) == 1:
        return ""
    members = ""
    for edge, word in zip(edges.tensors, identifiers(edges.names), strict=True):
        ctype, shape = CTYPES[edge.tensor.dtype], describe_shape(edge.tensor.shape)
        members += f"    {qualifier}{ctype} *{word}; /* {shape} */\n"
    return f"typedef struct {{\n{members}}} eb_model_{name};\n\n"


def _packed(sources: Edges, targets: Edges) -> str:
    """The form of an inference that takes bytes."""
    body, arguments = "", ["state"]
    for name, edges, qualifier in (("input", sources, "const "), ("output", targets, "")):
        if len(edges.tensors) == 1:
            arguments.append(name)
            continue
        lines = "".join(
            f"        ({qualifier}{CTYPES[edge.tensor.dtype]} *)({qualifier}void *)"
            f"(({qualifier}char *){name} + {edge.offset}),\n"
            for edge in edges.tensors
        )
        body += f"    const eb_model_{name}s {name}s = {{\n{lines}    }};\n"
        arguments.append(f"&{name}s")
    return f"""
/* The same for bytes: several tensors lie behind one another, each aligned to 4. */
static inline void eb_model_invoke_packed(void *state, const void *input, void *output)
{{
{body}    eb_model_invoke({", ".join(arguments)});
}}
"""
