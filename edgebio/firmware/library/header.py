"""The public header of a library, and the C behind its class names."""

import math
import re

from edgebio import generated_c
from edgebio.compiler import Program
from edgebio.compiler.emit.c_text import CTYPES
from edgebio.compiler.emit.edges_text import identifiers as identifiers_of
from edgebio.decision.spec import REJECTED, REST, rest_class
from edgebio.firmware.library.names import Names
from edgebio.tflite.edges import ALIGNMENT, Edges, inputs_of, outputs_of
from edgebio.tflite.metadata import ModelMetadata


def public_header(
    names: Names, program: Program, metadata: ModelMetadata | None, state_bytes: int
) -> str:
    """Text of the header; without metadata, of a library of the network alone."""
    name, macro = names.prefix, names.macro
    sources, targets = inputs_of(program.graph), outputs_of(program.graph)
    sizes = _sizes(macro, sources) + _sizes(macro, targets)
    stateful = bool(program.plan.states)
    comment = _COMMENT
    if metadata is None:
        comment = _NETWORK_COMMENT + (_STATE_COMMENT if stateful else _NO_STATE_COMMENT)
    macros = f"""\
/* SHA-256 of the .tflite. */
#define {macro}_MODEL_SHA256 "{program.network.sha256}"

/* Of one inference, without the batch: real = SCALE * (value - ZERO_POINT). */
{sizes}
#define {macro}_STATE_BYTES {state_bytes}u

#ifdef __cplusplus
#define {macro}_ALIGNED alignas(16)
#else
#define {macro}_ALIGNED _Alignas(16)
#endif
{_word_alignment(macro, sources, targets)}"""
    if metadata is not None:
        macros = _signal(macro, metadata) + "\n" + macros
    text = generated_c.header(
        comment,
        f"{macro}_H",
        includes="#include <stdint.h>\n",
        macros=macros,
        declarations=_TYPES
        + (_WHOLE if metadata is not None else _RESET * stateful + _NETWORK_ONLY)
        + _INVOKE,
    )
    values = {
        "name": name,
        "macro": macro,
        "model": metadata.name if metadata else "model",
        "sha256": program.network.sha256,
        "input_members": _members(macro, sources),
        "output_members": _members(macro, targets),
        "input_member": ", input.".join(member_names(sources)),
    }
    return re.sub(r"@(\w+)@", lambda match: str(values[match[1]]), text)


def class_names(metadata: ModelMetadata) -> str:
    """C of the class names."""
    rows = "".join(f'    "{_escaped(each)}",\n' for each in metadata.classes)
    return f"""\
{generated_c.NOTICE}/* Class names of the model. Generated. */
#include "eb_library.h"

static const char *const names[EB_LIBRARY_CLASSES] = {{
{rows}}};

const char *eb_library_class_name(uint8_t decision)
{{
    if (decision < EB_LIBRARY_CLASSES) {{
        return names[decision];
    }}
    return decision == EB_LIBRARY_REJECTED ? "rejected" : "rest";
}}
"""


def identifiers(classes: tuple[str, ...]) -> list[str]:
    """Part of a C name for each class, in upper case; different ones for different classes."""
    parts: list[str] = []
    for number, each in enumerate(classes):
        part = re.sub(r"\W+", "_", each, flags=re.ASCII).strip("_").upper()
        parts.append(part if part and part not in parts else f"{part}_{number}".lstrip("_"))
    return parts


def member_names(edges: Edges) -> tuple[str, ...]:
    """Members of the input's or output's struct: ``values`` of one tensor, or names."""
    return ("values",) if len(edges.tensors) == 1 else identifiers_of(edges.names)


def _members(macro: str, edges: Edges) -> str:
    """Text of the struct's members, which lie as `edgebio.tflite.edges` has them."""
    lines = []
    for number, (member, edge) in enumerate(zip(member_names(edges), edges.tensors, strict=True)):
        alignment = "WORD" if number else "ALIGNED"
        size = f"{macro}_{_part(edges, member)}_VALUES"
        lines.append(f"    {macro}_{alignment} {CTYPES[edge.tensor.dtype]} {member}[{size}];\n")
    return "".join(lines)


def _part(edges: Edges, member: str) -> str:
    """Part of the macros of a tensor: INPUT of the only input, INPUT_NAME of several."""
    kind = edges.kind.upper()
    return kind if len(edges.tensors) == 1 else f"{kind}_{member.upper()}"


def _word_alignment(macro: str, *sides: Edges) -> str:
    """Macro for several tensors, of which each begins at a word."""
    if all(len(edges.tensors) == 1 for edges in sides):
        return ""
    return (
        f"#ifdef __cplusplus\n#define {macro}_WORD alignas({ALIGNMENT})\n#else\n"
        f"#define {macro}_WORD _Alignas({ALIGNMENT})\n#endif\n"
    )


def _sizes(macro: str, edges: Edges) -> str:
    """Macros of the size and scale of all tensors of one side."""
    text = ""
    for member, edge in zip(member_names(edges), edges.tensors, strict=True):
        inner = edge.shape or edge.tensor.shape
        part = f"{macro}_{_part(edges, member)}"
        text += f"#define {part}_VALUES {math.prod(edge.tensor.shape)}u\n"
        text += f"#define {part}_DIMENSIONS {len(inner)}u\n"
        text += f"#define {part}_SHAPE {{{', '.join(map(str, inner))}}}\n"
        if edge.tensor.dtype in ("int8", "uint8") and len(edge.tensor.scale):
            scale = f"{edge.affine[0]:.9g}"
            scale += "" if re.search(r"[.e]", scale) else ".0"
            text += f"#define {part}_SCALE {scale}f\n"
            text += f"#define {part}_ZERO_POINT ({edge.affine[1]})\n"
    return text


def _signal(macro: str, metadata: ModelMetadata) -> str:
    spec = metadata.frontend
    rest = rest_class(metadata.decision, metadata.classes)
    classes = "".join(
        f"#define {macro}_CLASS_{part} {number}u /* {_escaped(each)} */\n"
        for number, (part, each) in enumerate(
            zip(identifiers(metadata.classes), metadata.classes, strict=True)
        )
    )
    return f"""\
/* The signal that the model takes, in counts of int16, and its decisions. */
#define {macro}_CHANNELS {spec.channels}u
#define {macro}_RATE_MILLIHZ {round(spec.rate * 1000)}u
#define {macro}_SEGMENT_LENGTH {spec.segment_length}u /* frames up to the first decision */
#define {macro}_STEP {spec.step}u /* frames between decisions */

#define {macro}_CLASSES {len(metadata.classes)}u
{classes}
/* Decision for rest: {"a class" if rest != REST else "no class of the model"}; and for no class. */
#define {macro}_REST {rest}u
#define {macro}_REJECTED {REJECTED}u
"""


def _escaped(text: str) -> str:
    """Text in a C string or comment."""
    text = "".join(c if c.isprintable() and c.isascii() else "?" for c in text)
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("*/", "* /")


_COMMENT = """\
/* Model @model@: front end, network and decision. Generated by edgebio.
 *
 *     static @name@_state state;
 *     @name@_decision decision;
 *
 *     @name@_init(&state);
 *     for every frame, one sample of each channel:
 *         if (@name@_push(&state, frame, &decision) == @macro@_DECISION) {
 *             act on decision.decision
 *         }
 *
 * No heap, no writable global, no call to anything but memcpy and memset. A state is of one signal;
 * it may be anywhere in memory, and several may be in use at once. */
"""

_NETWORK_COMMENT = """\
/* An int8 network. Generated by edgebio.
 *
 *     static @name@_state state;
 *     static @name@_input input;
 *     @name@_output output;
 *
 *     fill input.@input_member@
 *     @name@_invoke(&state, &input, &output);
 *
 * No heap, no writable global, no call to anything but memcpy and memset."""

_NO_STATE_COMMENT = """\
 Nothing in a state has to
 * be kept or cleared between calls; with one state each, several threads may call at once. */
"""

_STATE_COMMENT = """\
 The network has a state
 * that lasts: call @name@_reset first, and where a new sequence begins. A state is of one sequence;
 * several may be in use at once. */
"""

_RESET = """\

/* Begins a sequence: call it first, and again where a new one begins. */
@name@_status @name@_reset(@name@_state *state);
"""

_TYPES = """\
/* Of 32 bits whatever size the compiler gives enumerations. */
typedef int32_t @name@_status;

enum {
    @macro@_OK = 0,
    @macro@_NOTHING = 0,         /* no decision is due yet */
    @macro@_DECISION = 1,        /* there is a new one */
    @macro@_ERROR_ARGUMENT = -1, /* a pointer is null, or the state is not aligned to 16 bytes */
    @macro@_ERROR_STATE = -2,    /* the state was never initialized, or was overwritten */
    @macro@_ERROR_DIFFERENT = -3 /* this machine computes something else: see @name@_check */
};

/* Memory of one signal. */
typedef struct {
    @macro@_ALIGNED uint8_t bytes[@macro@_STATE_BYTES];
} @name@_state;

typedef struct {
@input_members@} @name@_input;

typedef struct {
@output_members@} @name@_output;
"""

_WHOLE = """\

enum {
    @macro@_BY_VOTE = 0,
    @macro@_UNCERTAIN = 1, /* no class was certain enough */
    @macro@_QUIET = 2,     /* the muscle is at rest */
    @macro@_HELD = 3       /* the last class, for a while after the vote rejects it */
};

typedef struct {
    @name@_output outputs; /* of the network */
    uint32_t frames;       /* up to the end of the segment, since the last init */
    uint32_t activity;     /* mean absolute difference of samples, in sixteenths of a count */
    uint8_t decision;      /* a class, @macro@_REST or @macro@_REJECTED */
    uint8_t winner;        /* vote of the last segment */
    uint8_t reason;        /* @macro@_BY_VOTE and so on */
} @name@_decision;

/* Starts a signal: call it first, and again when samples were lost. */
@name@_status @name@_init(@name@_state *state);

/* Takes one sample of each of the @macro@_CHANNELS channels. Returns @macro@_DECISION when it
 * completes a segment, otherwise @macro@_NOTHING and leaves `decision` as it was. */
@name@_status @name@_push(@name@_state *state, const int16_t *frame, @name@_decision *decision);

/* Name of a decision. */
const char *@name@_class_name(uint8_t decision);

/* Decides on a generated signal and compares with right answers that are part of the library. Call
 * it once on a new board or compiler: @macro@_OK means that every byte is right. The state is then
 * as after @name@_init. */
@name@_status @name@_check(@name@_state *state);
"""

_NETWORK_ONLY = """\

/* Computes outputs of generated inputs and compares them with right answers that are part of the
 * library. Call it once on a new board or compiler: @macro@_OK means that every byte is right.
 * Writes to all three. */
@name@_status @name@_check(@name@_state *state, @name@_input *input, @name@_output *output);
"""

_INVOKE = """\

/* The network alone, on one input. */
@name@_status @name@_invoke(@name@_state *state, const @name@_input *input,
                            @name@_output *output);
"""
