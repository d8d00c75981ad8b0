"""One definition: the file, the C header, the page and the Python classes agree."""

import ctypes
import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import storage
from edgebio.link import results
from edgebio.link.messages import ANSWER, CODES, MESSAGES, Field, Layout, PayloadError
from edgebio.processes import host_compiler

ROOT = Path(__file__).resolve().parents[2]

SIDES = [
    (message.name, side, layout)
    for message in MESSAGES.values()
    for side in ("request", "answer", "event")
    if (layout := getattr(message, side)) is not None
]


# Answers that have the form of an event.
BORROWED = {("stream_recall", "answer"), ("stream_now", "answer")}


def test_header_and_page_are_made_from_the_file() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "messages.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_kinds_are_told_apart() -> None:
    kinds = [m.kind for m in MESSAGES.values()]
    kinds += [m.kind | ANSWER for m in MESSAGES.values() if m.answer is not None]
    assert len(set(kinds)) == len(kinds)
    for code in CODES.values():
        assert len({number for _, number, _ in code.values}) == len(code.values)


@pytest.mark.parametrize(
    ("message", "side", "result"),
    [
        ("identify", "answer", results.Identity),
        ("describe", "answer", results.Description),
        ("statistics", "answer", results.Statistics),
        ("decision", "event", results.Decision),
        ("run_image", "answer", results.ImageRun),
        ("run_window", "answer", results.WindowRun),
        ("stream_stop", "answer", results.StreamEnd),
        ("image", "answer", results.FlashImage),
        ("rest", "event", results.Rest),
        ("settings", "answer", results.Settings),
        ("configure", "request", results.Settings),
    ],
)
def test_results_have_the_fields_of_their_messages(message: str, side: str, result: type) -> None:
    layout = getattr(MESSAGES[message], side)
    assert {f.name for f in dataclasses.fields(result)} == {f.name for f in layout.fields}


def value(field: Field) -> st.SearchStrategy[Any]:
    if field.type == "u8[]":
        return st.binary(max_size=50)
    if field.is_text:
        return st.text(
            st.characters(min_codepoint=1, max_codepoint=126), max_size=field.size
        )  # fmt: skip
    if field.type.startswith("u8["):
        return st.binary(min_size=field.size, max_size=field.size)
    return st.integers(0, (1 << 8 * field.size) - 1)


def values(layout: Layout) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({field.name: value(field) for field in layout.fields})


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_python_takes_apart_what_it_puts_together(data: st.DataObject) -> None:
    _, _, layout = data.draw(st.sampled_from(SIDES))
    fields = data.draw(values(layout))
    assert layout.unpack(layout.pack(**fields)) == fields


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_payloads_of_wrong_length_are_refused(data: st.DataObject) -> None:
    _, _, layout = data.draw(st.sampled_from([s for s in SIDES if s[2].fields]))
    payload = layout.pack(**data.draw(values(layout)))
    short = payload[: layout.fixed_bytes - 1] if layout.fixed_bytes else b""
    for wrong in [short] * (layout.fixed_bytes > 0) + [payload + b"x"] * (layout.rest is None):
        with pytest.raises(PayloadError):
            layout.unpack(wrong)


# --- the C header against Python -----------------------------------------------------------------


def shim() -> str:
    """C that passes payloads through the header's structs, field by field.

    A request is read, and its members are laid end to end; for an answer or event members are
    taken from there and written. On this little-endian machine both must give the payload again.
    """
    lines = ['#include "eb_messages.h"', ""]
    for name, side, layout in SIDES:
        reads = side == "request"
        if not layout.fields or (name, side) in BORROWED:
            continue
        kind = f"eb_{name}_{side}"
        lines += [
            f"size_t shim_{name}_{side}(const uint8_t *in, size_t size, uint8_t *out);",
            f"size_t shim_{name}_{side}(const uint8_t *in, size_t size, uint8_t *out)",
            "{",
            f"    {kind} m;",
            "    size_t at = 0;",
            "    (void)size;",
        ]
        if reads:
            lines.append(f"    if (!{kind}_read(&m, in, size)) return (size_t)-1;")
        for field in layout.fields:
            member, size = f"m.{field.name}", f"sizeof m.{field.name}"
            address = f"&{member}" if "[" not in field.type else member
            if field.is_rest and reads:
                lines.append(f"    memcpy(out + at, {member}, {member}_bytes);")
                lines.append(f"    at += {member}_bytes;")
            elif field.is_rest:
                lines.append(f"    {member} = in + at; {member}_bytes = size - at;")
            elif reads:
                lines.append(f"    memcpy(out + at, {address}, {size}); at += {size};")
            else:
                lines.append(f"    memcpy({address}, in + at, {size}); at += {size};")
        lines.append("    return at;" if reads else f"    return {kind}_write(&m, out);")
        lines += ["}", ""]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    source = tmp_path_factory.mktemp("shim") / "shim.c"
    source.write_text(shim())
    include = storage.assets("firmware_assets") / "link"
    return host_compiler.load_library("messages-shim", [source], [include])


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_c_and_python_agree_on_every_field(library: ctypes.CDLL, data: st.DataObject) -> None:
    name, side, layout = data.draw(
        st.sampled_from([s for s in SIDES if s[2].fields and s[:2] not in BORROWED])
    )
    payload = layout.pack(**data.draw(values(layout)))
    out = ctypes.create_string_buffer(4096)
    call = library[f"shim_{name}_{side}"]
    call.restype = ctypes.c_size_t
    count = call(payload, ctypes.c_size_t(len(payload)), out)
    assert out.raw[:count] == payload
    if side == "request" and layout.fixed_bytes:
        assert call(payload, ctypes.c_size_t(layout.fixed_bytes - 1), out) == 2**64 - 1
