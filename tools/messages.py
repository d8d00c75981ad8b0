"""Make eb_messages.h and WIRE.md from firmware_assets/link/messages.toml.

Run `python tools/messages.py` after changing the file; `--check` only says whether they agree.
"""

import argparse
import sys
import textwrap
from pathlib import Path

from edgebio.link import frames
from edgebio.link.messages import ANSWER, CODES, MESSAGES, VERSION, Field, Layout, Message

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "firmware_assets" / "link" / "eb_messages.h"
PAGE = ROOT / "edgebio" / "link" / "WIRE.md"

C_TYPES = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t"}


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


def reader(name: str, layout: Layout) -> list[str]:
    """C function that takes a payload apart; false where its length is wrong."""
    wrong = f"size != {layout.fixed_bytes}u"
    if layout.rest:
        wrong = f"size < {layout.fixed_bytes}u"
    lines = [
        f"static inline bool {name}_read({name} *to, const uint8_t *payload, size_t size)",
        "{",
        f"    if ({wrong}) {{",
        "        return false;",
        "    }",
    ]
    at = 0
    for field in layout.fields:
        if field.is_rest:
            lines.append(f"    to->{field.name} = payload + {at};")
            lines.append(f"    to->{field.name}_bytes = size - {at}u;")
        elif field.type in C_TYPES:
            lines.append(f"    to->{field.name} = eb_get_{field.type}(payload + {at});")
        else:
            lines.append(f"    memcpy(to->{field.name}, payload + {at}, {field.size}u);")
        at += field.size
    return [*lines, "    return true;", "}", ""]


def writer(name: str, layout: Layout) -> list[str]:
    """C function that puts a payload together and returns its length."""
    lines = [
        f"static inline size_t {name}_write(const {name} *from, uint8_t *payload)",
        "{",
    ]
    at = 0
    size = f"{layout.fixed_bytes}u"
    for field in layout.fields:
        if field.is_rest:
            lines.append(
                f"    memcpy(payload + {at}, from->{field.name}, from->{field.name}_bytes);"
            )
            size += f" + from->{field.name}_bytes"
        elif field.type in C_TYPES:
            lines.append(f"    eb_put_{field.type}(payload + {at}, from->{field.name});")
        else:
            lines.append(f"    memcpy(payload + {at}, from->{field.name}, {field.size}u);")
        at += field.size
    return [*lines, f"    return {size};", "}", ""]


def c_message(message: Message) -> list[str]:
    """C text of one message: what the device reads and what it writes."""
    name = f"eb_{message.name}"
    lines = [
        comment(f"{message.name}. {message.text}"),
        f"#define EB_KIND_{message.name.upper()} 0x{message.kind:02X}u",
        "",
    ]
    if message.request and message.request.fields:
        lines += struct(f"{name}_request", message.request)
        lines += reader(f"{name}_request", message.request)
    written = {"answer": message.answer, "event": message.event}
    own = message.answer is None or message.answer not in [m.event for m in MESSAGES.values()]
    for role, layout in written.items():
        if layout and layout.fields and (role == "event" or own):
            lines += [
                f"#define {name.upper()}_{role.upper()}_BYTES {layout.fixed_bytes}u"
                + (f" /* and {layout.rest.name} */" if layout.rest else ""),
                "",
            ]
            lines += struct(f"{name}_{role}", layout) + writer(f"{name}_{role}", layout)
    return lines


def header() -> str:
    """Text of eb_messages.h."""
    lines = [
        "/* Messages of the wire: made from messages.toml by tools/messages.py. */",
        "",
        "#ifndef EB_MESSAGES_H",
        "#define EB_MESSAGES_H",
        "",
        "#include <stdbool.h>",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "#include <string.h>",
        "",
        f"#define EB_PROTOCOL_VERSION {VERSION}u",
        "",
        "/* Bit that makes a request's kind its answer's. */",
        f"#define EB_ANSWER 0x{ANSWER:02X}u",
        "",
        "/* Bytes of a frame besides its payload: version, kind, sequence number; CRC-32. */",
        f"#define EB_FRAME_HEADER_BYTES {frames.HEADER_BYTES}u",
        f"#define EB_FRAME_CRC_BYTES {frames.CRC_BYTES}u",
        "",
    ]
    for code in CODES.values():
        lines += [comment(code.text), ""]
        for name, value, text in code.values:
            lines += [comment(text), f"#define EB_{code.name.upper()}_{name.upper()} {value}u"]
        lines.append("")
    lines += [
        "static inline uint8_t eb_get_u8(const uint8_t *at)",
        "{",
        "    return at[0];",
        "}",
        "",
        "static inline uint16_t eb_get_u16(const uint8_t *at)",
        "{",
        "    return (uint16_t)(at[0] | (uint16_t)(at[1] << 8));",
        "}",
        "",
        "static inline uint32_t eb_get_u32(const uint8_t *at)",
        "{",
        "    return (uint32_t)eb_get_u16(at) | (uint32_t)eb_get_u16(at + 2) << 16;",
        "}",
        "",
        "static inline void eb_put_u8(uint8_t *at, uint8_t value)",
        "{",
        "    at[0] = value;",
        "}",
        "",
        "static inline void eb_put_u16(uint8_t *at, uint16_t value)",
        "{",
        "    at[0] = (uint8_t)value;",
        "    at[1] = (uint8_t)(value >> 8);",
        "}",
        "",
        "static inline void eb_put_u32(uint8_t *at, uint32_t value)",
        "{",
        "    eb_put_u16(at, (uint16_t)value);",
        "    eb_put_u16(at + 2, (uint16_t)(value >> 16));",
        "}",
        "",
    ]
    for message in MESSAGES.values():
        lines += c_message(message)
    lines += ["#endif"]
    return "\n".join(lines) + "\n"


def table(layout: Layout) -> list[str]:
    """Markdown table of one payload."""
    if not layout.fields:
        return ["(empty)", ""]
    lines = ["| byte | field | type | unit | |", "| --- | --- | --- | --- | --- |"]
    at = 0
    for field in layout.fields:
        text = field.text + (f" Codes: [{field.code}](#{field.code})." if field.code else "")
        lines.append(f"| {at} | `{field.name}` | {field.type} | {field.unit} | {text} |")
        at += field.size
    return [*lines, ""]


def page() -> str:
    """Text of WIRE.md."""
    lines = [
        "# The wire",
        "",
        "<!-- made from firmware_assets/link/messages.toml by tools/messages.py -->",
        "",
        f"Protocol version {VERSION}. {frames.__doc__}".strip(),
        "",
        "## Messages",
        "",
    ]
    for message in MESSAGES.values():
        lines += [f"### {message.name} (0x{message.kind:02X})", "", message.text, ""]
        if message.request:
            lines += ["Request" + (", one piece of many:" if message.bulk else ":"), ""]
            lines += table(message.request)
        if message.answer:
            lines += [f"Answer (0x{message.kind | ANSWER:02X}):", "", *table(message.answer)]
        if message.event:
            lines += table(message.event)
    lines += ["## Codes", ""]
    for code in CODES.values():
        lines += [
            f"### {code.name}",
            "",
            code.text,
            "",
            "| value | name | |",
            "| --- | --- | --- |",
        ]
        lines += [f"| {value} | `{name}` | {text} |" for name, value, text in code.values]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write both files, or with --check say which differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = 0
    for path, text in ((HEADER, header()), (PAGE, page())):
        if path.is_file() and path.read_text() == text:
            continue
        if check:
            print(f"{path.relative_to(ROOT)} does not agree with messages.toml", file=sys.stderr)
            stale = 1
        else:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    return stale


if __name__ == "__main__":
    sys.exit(main())
