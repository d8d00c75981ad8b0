"""The messages of the wire, built from ``firmware_assets/link/messages.toml``.

Every message is a `Message` with a `Layout` for what the host asks, what the device answers or
what it says of its own accord. The firmware's ``eb_messages.h`` and the page ``WIRE.md`` are made
from the same file by ``tools/messages.py``.
"""

import struct
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edgebio import storage
from edgebio.errors import EdgebioError

ANSWER = 0x80
"""Bit that makes a request's kind its answer's."""

_SCALARS = {"u8": "B", "u16": "H", "u32": "I"}
_REST = "u8[]"

Record = dict[str, Any]
"""A message's fields by name: int, str (``char[N]``), bytes (``u8[N]``, ``u8[]``)."""


class PayloadError(ValueError):
    """A payload does not have its message's form."""


@dataclass(frozen=True)
class Field:
    """One field of a message; `code` names the table that its values are in."""

    name: str
    type: str
    text: str
    unit: str = ""
    code: str = ""

    @property
    def is_rest(self) -> bool:
        """Whether the field takes the rest of the payload."""
        return self.type == _REST

    @property
    def is_text(self) -> bool:
        """Whether the field holds characters."""
        return self.type.startswith("char[")

    @cached_property
    def format(self) -> str:
        """Field's format for `struct`; empty for the rest of the payload."""
        if self.is_rest:
            return ""
        if self.type in _SCALARS:
            return _SCALARS[self.type]
        kind, _, length = self.type.rstrip("]").partition("[")
        if kind not in ("u8", "char") or not length.isdecimal():
            raise EdgebioError(f"messages.toml: field {self.name} has unknown type {self.type!r}")
        return f"{length}s"

    @property
    def size(self) -> int:
        """Bytes of the field; 0 for the rest of the payload."""
        return struct.calcsize("<" + self.format)


@dataclass(frozen=True)
class Layout:
    """Fields of one payload, in order, little-endian, without padding."""

    fields: tuple[Field, ...]

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
        """Payload of the fields' values; every field by its name."""
        fixed = [
            values[field.name].encode() if field.is_text else values[field.name]
            for field in self.fields
            if not field.is_rest
        ]
        rest: bytes = values[self.rest.name] if self.rest else b""
        return self._struct.pack(*fixed) + rest

    def unpack(self, payload: bytes) -> Record:
        """Values of the fields by name.

        Raises
        ------
        PayloadError
            Where the payload is shorter or longer than its fields.
        """
        fixed, rest = payload[: self.fixed_bytes], payload[self.fixed_bytes :]
        if len(fixed) < self.fixed_bytes or (rest and not self.rest):
            raise PayloadError(f"{len(payload)} bytes for a payload of {self.fixed_bytes}")
        values: Record = {}
        for field, value in zip(self.fields, self._struct.unpack(fixed), strict=False):
            values[field.name] = (
                value.rstrip(b"\0").decode(errors="replace") if field.is_text else value
            )
        if self.rest:
            values[self.rest.name] = rest
        return values


@dataclass(frozen=True)
class Message:
    """One message: a request with its answer, or an event that the device sends by itself.

    Attributes
    ----------
    bulk
        The request is one piece of many, of which several may be under way; its fields say where
        it belongs, so that it takes effect once however often it comes.
    """

    name: str
    kind: int
    text: str
    request: Layout | None
    answer: Layout | None
    event: Layout | None
    bulk: bool


@dataclass(frozen=True)
class Code:
    """A table of numbers with names; ``values`` holds (name, number, text)."""

    name: str
    text: str
    values: tuple[tuple[str, int, str], ...]

    def __getitem__(self, name: str) -> int:
        return next(number for key, number, _ in self.values if key == name)

    def find(self, number: int) -> tuple[str, str] | None:
        """Name and text of a number, None where the table does not have it."""
        return next(((key, text) for key, n, text in self.values if n == number), None)


def _layout(entry: list[dict[str, str]] | None) -> Layout | None:
    return None if entry is None else Layout(tuple(Field(**field) for field in entry))


def _read() -> tuple[int, dict[str, Message], dict[str, Code]]:
    path = storage.assets("firmware_assets") / "link" / "messages.toml"
    document = tomllib.loads(path.read_text())
    messages: dict[str, Message] = {}
    for name, entry in document["message"].items():
        answer = entry.get("answer")
        if isinstance(answer, str):  # has the form of an event
            answer = document["message"][answer]["event"]
        messages[name] = Message(
            name=name,
            kind=entry["kind"],
            text=" ".join(entry["text"].split()),
            request=_layout(entry.get("request")),
            answer=_layout(answer),
            event=_layout(entry.get("event")),
            bulk=entry.get("bulk", False),
        )
    codes = {
        name: Code(
            name, entry["text"], tuple((v["name"], v["value"], v["text"]) for v in entry["values"])
        )
        for name, entry in document["code"].items()
    }
    return document["version"], messages, codes


VERSION, MESSAGES, CODES = _read()
