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
from edgebio.link.messages import ANSWER, CODES, MESSAGES, RECORDS, Field, Layout, PayloadError
from edgebio.processes import host_compiler

ROOT = Path(__file__).resolve().parents[2]

FORMS = [
    (f"{message.name}_{form}", layout)
    for message in MESSAGES.values()
    for form in ("request", "answer", "event")
    if (layout := getattr(message, form)) is not None
] + [*RECORDS.items()]

# Answers that have the form of an event, and no C struct of their own.
BORROWED = {"stream_recall_answer", "current_decision_answer"}
C_FORMS = [(name, layout) for name, layout in FORMS if layout.fields and name not in BORROWED]


def test_header_and_page_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "messages.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_kinds_are_unique() -> None:
    kinds = [m.kind for m in MESSAGES.values()]
    kinds += [m.kind | ANSWER for m in MESSAGES.values() if m.answer is not None]
    assert len(set(kinds)) == len(kinds)
    for code in CODES.values():
        assert len({number for _, number, _ in code.values}) == len(code.values)


@pytest.mark.parametrize(
    ("message", "form", "result"),
    [
        ("identify", "answer", results.Identity),
        ("describe", "answer", results.Description),
        ("statistics", "answer", results.Statistics),
        ("decision", "event", results.DecisionEvent),
        ("run_image", "answer", results.ImageRun),
        ("run_segment", "answer", results.SegmentRun),
        ("image", "answer", results.FlashImage),
        ("rest", "event", results.RestEvent),
        ("settings", "answer", results.Settings),
        ("configure", "request", results.Settings),
    ],
)
def test_results_have_the_fields_of_their_messages(message: str, form: str, result: type) -> None:
    layout = getattr(MESSAGES[message], form)
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
def test_python_unpacks_what_it_packs(data: st.DataObject) -> None:
    _, layout = data.draw(st.sampled_from(FORMS))
    fields = data.draw(values(layout))
    assert layout.unpack(layout.pack(**fields)) == fields


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_payloads_of_wrong_length_are_refused(data: st.DataObject) -> None:
    _, layout = data.draw(st.sampled_from([form for form in FORMS if form[1].fields]))
    payload = layout.pack(**data.draw(values(layout)))
    short = payload[: layout.fixed_bytes - 1] if layout.fixed_bytes else b""
    for wrong in [short] * (layout.fixed_bytes > 0) + [payload + b"x"] * (layout.rest is None):
        with pytest.raises(PayloadError):
            layout.unpack(wrong)


# --- the C header against Python -----------------------------------------------------------------


def shim() -> str:
    """C that passes payloads through the header's structs, field by field.

    A request is read, and its members are copied one after another; the members of an answer, event
    or record are copied from there and written. On this little-endian machine both must reproduce
    the payload.
    """
    lines = ['#include "eb_messages.h"', ""]
    for name, layout in C_FORMS:
        reads = name.endswith("_request")
        kind = f"eb_{name}"
        lines += [
            f"size_t shim_{name}(const uint8_t *in, size_t size, uint8_t *out);",
            f"size_t shim_{name}(const uint8_t *in, size_t size, uint8_t *out)",
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
    name, layout = data.draw(st.sampled_from(C_FORMS))
    payload = layout.pack(**data.draw(values(layout)))
    out = ctypes.create_string_buffer(4096)
    call = library[f"shim_{name}"]
    call.restype = ctypes.c_size_t
    count = call(payload, ctypes.c_size_t(len(payload)), out)
    assert out.raw[:count] == payload
    if name.endswith("_request") and layout.fixed_bytes:
        assert call(payload, ctypes.c_size_t(layout.fixed_bytes - 1), out) == 2**64 - 1
