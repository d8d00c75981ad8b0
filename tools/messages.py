"""Generate eb_messages.h and docs/reference/wire.md from firmware_assets/link/messages.toml.

Run `python tools/messages.py` after changing the file; with `--check` it only reports which of them
is out of date.
"""

import argparse
import sys
import textwrap
from pathlib import Path

from edgebio.link import frames
from edgebio.link.messages import (
    ANSWER,
    CODES,
    MESSAGES,
    RECORDS,
    VERSION,
    Field,
    Layout,
    Message,
)

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "firmware_assets" / "link" / "eb_messages.h"
PAGE = ROOT / "docs" / "reference" / "wire.md"

C_TYPES = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t"}

PROLOGUE = f"""\
// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Messages of the wire. Generated from messages.toml by tools/messages.py. */

#ifndef EB_MESSAGES_H
#define EB_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define EB_PROTOCOL_VERSION {VERSION}u

/* Bit that turns the kind of a request into the kind of its answer. */
#define EB_ANSWER 0x{ANSWER:02X}u

/* Bytes of a frame besides its payload: version, kind, sequence number; CRC-32. */
#define EB_FRAME_HEADER_BYTES {frames.HEADER_BYTES}u
#define EB_FRAME_CRC_BYTES {frames.CRC_BYTES}u
"""

SCALARS = """\
static inline uint8_t eb_get_u8(const uint8_t *from)
{
    return from[0];
}

static inline uint16_t eb_get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | (uint16_t)(from[1] << 8));
}

static inline uint32_t eb_get_u32(const uint8_t *from)
{
    return (uint32_t)eb_get_u16(from) | (uint32_t)eb_get_u16(from + 2) << 16;
}

static inline void eb_put_u8(uint8_t *to, uint8_t value)
{
    to[0] = value;
}

static inline void eb_put_u16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void eb_put_u32(uint8_t *to, uint32_t value)
{
    eb_put_u16(to, (uint16_t)value);
    eb_put_u16(to + 2, (uint16_t)(value >> 16));
}
"""

EPILOGUE = """\
#ifdef __cplusplus
}
#endif

#endif
"""


def comment(text: str, indent: str = "") -> str:
    """`text` as a C comment of at most 100 columns."""
    lines = textwrap.wrap(text, 94 - len(indent))
    return indent + "/* " + f"\n{indent} * ".join(lines) + " */"


def declaration(field: Field) -> list[str]:
    """Members of a C struct for one field."""
    note = comment(field.text + (f" [{field.unit}]" if field.unit else ""), "    ")
    if field.is_rest:
        return [note, f"    const uint8_t *{field.name};", f"    size_t {field.name}_bytes;"]
    if field.type in C_TYPES:
        return [note, f"    {C_TYPES[field.type]} {field.name};"]
    kind = "char" if field.is_text else "uint8_t"
    return [note, f"    {kind} {field.name}[{field.size}];"]


def struct(name: str, layout: Layout) -> list[str]:
    """C struct of one payload."""
    members = [line for field in layout.fields for line in declaration(field)]
    return ["typedef struct {", *members, f"}} {name};", ""]


def signature(function: str, arguments: list[str]) -> list[str]:
    """Head of an inline C function in at most 100 columns, as clang-format breaks it."""
    lines = [f"static inline {function}("]
    indent = " " * len(lines[0])
    for number, argument in enumerate(arguments, 1):
        text = argument + (")" if number == len(arguments) else ",")
        if number > 1 and len(lines[-1]) + 1 + len(text) > 100:
            lines.append(indent + text)
        else:
            lines[-1] += (" " if number > 1 else "") + text
    return lines


def reader(name: str, layout: Layout) -> list[str]:
    """C function that reads a payload; false if its length is wrong."""
    lines = [
        *signature(f"bool {name}_read", [f"{name} *to", "const uint8_t *payload", "size_t size"]),
        "{",
        f"    if (size {'<' if layout.rest else '!='} {layout.fixed_bytes}u) {{",
        "        return false;",
        "    }",
    ]
    offset = 0
    for field in layout.fields:
        if field.is_rest:
            lines.append(f"    to->{field.name} = payload + {offset};")
            lines.append(f"    to->{field.name}_bytes = size - {offset}u;")
        elif field.type in C_TYPES:
            lines.append(f"    to->{field.name} = eb_get_{field.type}(payload + {offset});")
        else:
            lines.append(f"    memcpy(to->{field.name}, payload + {offset}, {field.size}u);")
        offset += field.size
    return [*lines, "    return true;", "}", ""]


def writer(name: str, layout: Layout) -> list[str]:
    """C function that writes a payload and returns its length."""
    lines = signature(f"size_t {name}_write", [f"const {name} *from", "uint8_t *payload"])
    lines.append("{")
    size = f"{layout.fixed_bytes}u"
    offset = 0
    for field in layout.fields:
        if field.is_rest:
            lines.append(
                f"    memcpy(payload + {offset}, from->{field.name}, from->{field.name}_bytes);"
            )
            size += f" + from->{field.name}_bytes"
        elif field.type in C_TYPES:
            lines.append(f"    eb_put_{field.type}(payload + {offset}, from->{field.name});")
        else:
            lines.append(f"    memcpy(payload + {offset}, from->{field.name}, {field.size}u);")
        offset += field.size
    return [*lines, f"    return {size};", "}", ""]


def output(name: str, layout: Layout) -> list[str]:
    """C text of a payload that the device writes."""
    note = f" /* and {layout.rest.name} */" if layout.rest else ""
    size = f"#define {name.upper()}_BYTES {layout.fixed_bytes}u{note}"
    return [size, "", *struct(name, layout), *writer(name, layout)]


def c_message(message: Message) -> list[str]:
    """C text of one message: what the device reads and what it writes."""
    name = f"eb_{message.name}"
    kind = f"#define EB_KIND_{message.name.upper()} 0x{message.kind:02X}u"
    lines = [comment(f"{message.name}. {message.text}"), kind, ""]
    if message.request and message.request.fields:
        lines += struct(f"{name}_request", message.request)
        lines += reader(f"{name}_request", message.request)
    borrowed = message.answer in [m.event for m in MESSAGES.values()]
    if message.answer and message.answer.fields and not borrowed:
        lines += output(f"{name}_answer", message.answer)
    if message.event:
        lines += output(f"{name}_event", message.event)
    return lines


def header() -> str:
    """Text of eb_messages.h."""
    lines = [PROLOGUE]
    for code in CODES.values():
        lines += [comment(code.text), ""]
        for name, value, text in code.values:
            lines += [comment(text), f"#define EB_{code.name.upper()}_{name.upper()} {value}u"]
        lines.append("")
    lines.append(SCALARS)
    for message in MESSAGES.values():
        lines += c_message(message)
    for name, record in RECORDS.items():
        lines += [comment(record.text), *output(f"eb_{name}", record)]
    return "\n".join(lines) + "\n" + EPILOGUE


def table(layout: Layout) -> list[str]:
    """Markdown table of one payload."""
    if not layout.fields:
        return ["(empty)", ""]
    lines = ["| byte | field | type | unit | |", "| --- | --- | --- | --- | --- |"]
    offset = 0
    for field in layout.fields:
        text = field.text + (f" Codes: [{field.code}](#{field.code})." if field.code else "")
        lines.append(f"| {offset} | `{field.name}` | {field.type} | {field.unit} | {text} |")
        offset += field.size
    return [*lines, ""]


def page() -> str:
    """Text of docs/reference/wire.md."""
    lines = [
        "# Wire protocol",
        "",
        "<!-- Generated from firmware_assets/link/messages.toml by tools/messages.py. -->",
        "",
        f"Protocol version {VERSION}. {frames.__doc__}".strip(),
        "",
        "## Messages",
        "",
    ]
    for message in MESSAGES.values():
        anchor = f" {{ #message-{message.name} }}"
        lines += [f"### {message.name} (0x{message.kind:02X}){anchor}", "", message.text, ""]
        if message.request:
            lines += ["Request" + (", one piece of many:" if message.bulk else ":"), ""]
            lines += table(message.request)
        if message.answer:
            lines += [f"Answer (0x{message.kind | ANSWER:02X}):", "", *table(message.answer)]
        if message.event:
            lines += table(message.event)
    lines += ["## Records", ""]
    for name, record in RECORDS.items():
        lines += [f"### {name}", "", record.text, "", *table(record)]
    lines += ["## Codes", ""]
    for code in CODES.values():
        lines += [f"### {code.name} {{ #{code.name} }}", "", code.text, ""]
        lines += ["| value | name | |", "| --- | --- | --- |"]
        lines += [f"| {value} | `{name}` | {text} |" for name, value, text in code.values]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write both files, or with --check report the outdated ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    outdated = 0
    for path, text in ((HEADER, header()), (PAGE, page())):
        if path.is_file() and path.read_text() == text:
            continue
        if check:
            print(f"{path.relative_to(ROOT)} is out of date", file=sys.stderr)
            outdated = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    return outdated


if __name__ == "__main__":
    sys.exit(main())
