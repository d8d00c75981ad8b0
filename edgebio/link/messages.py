"""The messages of the wire, read from ``firmware_assets/link/messages.toml``.

``tools/messages.py`` generates the firmware's ``eb_messages.h`` and the page
``docs/reference/wire.md`` from the same file.
"""

import struct
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edgebio import storage
from edgebio.errors import EdgebioError

ANSWER = 0x80
"""Bit that turns the kind of a request into the kind of its answer."""

Record = dict[str, Any]
"""Values of a message by field: int, str (``char[N]``), bytes (``u8[N]``, ``u8[]``)."""

_SCALARS = {"u8": "B", "u16": "H", "u32": "I"}


class PayloadError(ValueError):
    """A payload does not have the form of its message."""


@dataclass(frozen=True)
class Field:
    """One field of a message; `code` names the table of its values."""

    name: str
    type: str
    text: str
    unit: str = ""
    code: str = ""

    @property
    def is_rest(self) -> bool:
        """Whether the field takes the rest of the payload."""
        return self.type == "u8[]"

    @property
    def is_text(self) -> bool:
        """Whether the field holds characters."""
        return self.type.startswith("char[")

    @cached_property
    def format(self) -> str:
        """Format for `struct`; empty for the rest of the payload."""
        if self.is_rest:
            return ""
        kind, _, length = self.type.rstrip("]").partition("[")
        if self.type not in _SCALARS and not (kind in ("u8", "char") and length.isdecimal()):
            raise EdgebioError(f"messages.toml: field {self.name} has unknown type {self.type!r}")
        return _SCALARS.get(self.type, f"{length}s")

    @property
    def size(self) -> int:
        """Bytes of the field; 0 for the rest of the payload."""
        return struct.calcsize("<" + self.format)


@dataclass(frozen=True)
class Layout:
    """Fields of one payload, in order, little-endian, without padding."""

    fields: tuple[Field, ...]
    text: str = ""

    def __post_init__(self) -> None:
        if any(field.is_rest for field in self.fields[:-1]):
            raise EdgebioError("messages.toml: only the last field may take the rest")

    @cached_property
    def _struct(self) -> struct.Struct:
        return struct.Struct("<" + "".join(field.format for field in self.fields))

    @property
    def fixed_bytes(self) -> int:
        """Bytes without the field that takes the rest."""
        return self._struct.size

    @property
    def rest(self) -> Field | None:
        """The field that takes the rest of the payload, if there is one."""
        return self.fields[-1] if self.fields and self.fields[-1].is_rest else None

    def pack(self, **values: Any) -> bytes:
        """Payload with these values, one for each field."""
        fixed = [
            values[field.name].encode() if field.is_text else values[field.name]
            for field in self.fields
            if not field.is_rest
        ]
        rest: bytes = values[self.rest.name] if self.rest else b""
        return self._struct.pack(*fixed) + rest

    def unpack(self, payload: bytes) -> Record:
        """Values of a payload by field; `PayloadError` if it is too short or too long."""
        fixed, rest = payload[: self.fixed_bytes], payload[self.fixed_bytes :]
        if len(fixed) < self.fixed_bytes or (rest and not self.rest):
            raise PayloadError(f"{len(payload)} bytes for a payload of {self.fixed_bytes}")
        values: Record = {}
        for field, value in zip(self.fields, self._struct.unpack(fixed), strict=False):
            text = field.is_text
            values[field.name] = value.rstrip(b"\0").decode(errors="replace") if text else value
        if self.rest:
            values[self.rest.name] = rest
        return values


NO_FIELDS = Layout(())


@dataclass(frozen=True)
class Message:
    """One message: a request and its answer, or an event that the device sends unasked.

    A `bulk` request is one piece of many, of which several may be in flight. Its fields give its
    position, so it takes effect once however often it arrives.
    """

    name: str
    kind: int
    text: str
    request: Layout | None
    answer: Layout | None
    event: Layout | None
    bulk: bool

    @property
    def request_bytes(self) -> int:
        """Fixed bytes of the request."""
        return (self.request or NO_FIELDS).fixed_bytes

    def pack_request(self, **values: Any) -> bytes:
        """Payload of a request, see `Layout.pack`."""
        return (self.request or NO_FIELDS).pack(**values)

    def unpack(self, kind: int, payload: bytes) -> Record:
        """Values of an event or answer with this kind, see `Layout.unpack`."""
        layout = self.event if kind == self.kind else self.answer
        return (layout or NO_FIELDS).unpack(payload)


@dataclass(frozen=True)
class Code:
    """A table of numbers with names; ``values`` holds (name, number, text)."""

    name: str
    text: str
    values: tuple[tuple[str, int, str], ...]

    def __getitem__(self, name: str) -> int:
        return next(number for key, number, _ in self.values if key == name)

    def find(self, number: int) -> tuple[str, str] | None:
        """Name and text of a number; None if the table does not have it."""
        return next(((key, text) for key, n, text in self.values if n == number), None)


def _layout(entry: list[dict[str, str]] | None, text: str = "") -> Layout | None:
    return None if entry is None else Layout(tuple(Field(**field) for field in entry), text)


def _message(name: str, entry: dict[str, Any], events: dict[str, Any]) -> Message:
    answer = entry.get("answer")
    return Message(
        name=name,
        kind=entry["kind"],
        text=" ".join(entry["text"].split()),
        request=_layout(entry.get("request")),
        # The name of an event stands for the form of that event.
        answer=_layout(events[answer]["event"] if isinstance(answer, str) else answer),
        event=_layout(entry.get("event")),
        bulk=entry.get("bulk", False),
    )


_document = tomllib.loads((storage.assets("firmware_assets") / "link/messages.toml").read_text())
_messages = _document["message"]
VERSION: int = _document["version"]
MESSAGES = {name: _message(name, entry, _messages) for name, entry in _messages.items()}
RECORDS = {
    name: _layout(entry["fields"], entry["text"]) or NO_FIELDS
    for name, entry in _document["record"].items()
}
CODES = {
    name: Code(
        name, entry["text"], tuple((v["name"], v["value"], v["text"]) for v in entry["values"])
    )
    for name, entry in _document["code"].items()
}
