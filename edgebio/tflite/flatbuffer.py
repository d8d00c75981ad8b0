"""Read the tables of a .tflite without trusting the file.

Every offset and length is checked before it is followed, as the C++ `flatbuffers::Verifier` does.
The schema is beside this module, in schema.fbs.
"""

import itertools
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from edgebio.errors import EdgebioError

MAX_BYTES: Final = 16 << 20
"""Largest file that is read: more than any microcontroller's flash."""

# Bounds of the time and memory that a file can cost; real models stay far below.
_MAX_PARTS: Final = 200_000  # tables and vectors of tables
_MAX_TABLES: Final = 10_000  # in one vector
_MAX_TEXT: Final = 16_384  # bytes of a string

Table = dict[str, Any]
"""Fields by name. Absent scalars have their default, absent tables are None."""


@dataclass(frozen=True)
class Field:
    """A field of a table.

    Attributes
    ----------
    slot : int
        Its position in the table.
    kind : str
        Format of a scalar (as of `struct`), name of a table, "string", or "offset": the position of
        a table whose type another field gives. In brackets, a vector of it.
    default : int
        Value of a scalar that is absent.
    enumeration : str
        Name of the enumeration of its values; empty for none.
    """

    slot: int
    kind: str
    default: int = 0
    enumeration: str = ""


_SCALARS: Final = {
    "bool": "?", "byte": "b", "ubyte": "B", "int": "i", "uint": "I", "long": "q", "ulong": "Q",
    "float": "f",
}  # fmt: skip


def _parse_schema(text: str) -> dict[str, dict[str, Field]]:
    """Fields of every table in a schema of flatbuffers."""
    text = re.sub("//.*", "", text)
    enumerations = dict(re.findall(r"enum (\w+) : (\w+);", text))
    unions = re.findall(r"union (\w+);", text)
    schema: dict[str, dict[str, Field]] = {}
    for table, body in re.findall(r"table (\w+) {(.*?)}", text, re.DOTALL):
        fields = schema[table] = {}
        slots = itertools.count()
        for name, kind, default in re.findall(r"(\w+):(\[?\w+)\]?(?: = (\d+))?;", body):
            if kind in unions:
                fields[f"{name}_type"] = Field(next(slots), "B")
                fields[name] = Field(next(slots), "offset")
                continue
            element = kind.lstrip("[")
            code = enumerations.get(element, element)
            code = _SCALARS.get(code, code)
            fields[name] = Field(
                next(slots),
                f"[{code}]" if kind[0] == "[" else code,
                int(default or 0),
                element if element in enumerations else "",
            )
    return schema


SCHEMA: Final = _parse_schema(Path(__file__).with_name("schema.fbs").read_text("utf-8"))
"""Fields of every table that is read."""


class Reader:
    """Reads the tables of a file.

    Raises
    ------
    EdgebioError
        If the file is too large or too short, has another identifier, or an offset, a length or
        a table's layout leaves the file; names the part of the schema and the byte.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise EdgebioError(f"not a model for a microcontroller: {len(data):,} bytes")
        if len(data) < 8 or data[4:8] != b"TFL3":
            raise EdgebioError("not a .tflite file: identifier TFL3 is missing")
        self._data = data
        self._parts: dict[tuple[str, int], Any] = {}

    def model(self) -> Table:
        """The root table."""
        return self.table("Model", self._target("Model", 0))

    def table(self, name: str, position: int) -> Table:
        """The table at `position`; each is read once, however many offsets lead to it."""
        if (name, position) in self._parts:
            table: Table = self._parts[name, position]
            return table
        vtable = position - self._scalar("i", name, position)
        entries = self._scalar("H", name, vtable)
        size = self._scalar("H", name, vtable + 2)
        if entries < 4 or entries % 2 or vtable + entries > len(self._data):
            raise _damaged(name, vtable)
        if size < 4 or position + size > len(self._data):
            raise _damaged(name, position)
        table = self._keep(name, position, {})
        for key, field in SCHEMA[name].items():
            is_scalar = len(field.kind) == 1
            entry = 4 + 2 * field.slot
            start = self._scalar("H", name, vtable + entry) if entry < entries else 0
            width = struct.calcsize(field.kind) if is_scalar else 4
            if start and (start < 4 or start + width > size):
                raise _damaged(name, vtable + entry)
            if is_scalar and not start:
                table[key] = field.default
            elif is_scalar:
                table[key] = self._scalar(field.kind, name, position + start)
            else:
                table[key] = self._referenced(name, field.kind, start and position + start)
        return table

    def _referenced(self, name: str, kind: str, position: int) -> Any:
        """What the offset at `position` leads to; empty or None if `position` is 0."""
        target = self._target(name, position) if position else 0
        element = kind.strip("[]")
        if kind == "string":
            count = self._length(name, target, 1) if target else 0
            if count > _MAX_TEXT:
                raise EdgebioError(f"damaged .tflite: {name} has a name of {count:,} bytes")
            return self._data[target + 4 : target + 4 + count]
        if kind[0] == "[" and len(element) == 1:
            dtype = np.dtype(element).newbyteorder("<")
            count = self._length(name, target, dtype.itemsize) if target else 0
            return np.frombuffer(self._data, dtype, count, target + 4)
        if kind[0] == "[":
            return self._tables(name, element, target) if target else []
        if not target:
            return None
        return target if kind == "offset" else self.table(kind, target)

    def _tables(self, name: str, element: str, position: int) -> list[Table]:
        if (f"[{element}]", position) in self._parts:
            tables: list[Table] = self._parts[f"[{element}]", position]
            return tables
        count = self._length(name, position, 4)
        if count > _MAX_TABLES:
            raise EdgebioError(f"damaged .tflite: {name} has {count:,} of {element}")
        tables = self._keep(f"[{element}]", position, [])
        for place in range(position + 4, position + 4 + 4 * count, 4):
            tables.append(self.table(element, self._target(element, place)))
        return tables

    def _keep(self, name: str, position: int, part: Any) -> Any:
        self._parts[name, position] = part
        if len(self._parts) > _MAX_PARTS:
            raise EdgebioError(f"damaged .tflite: more than {_MAX_PARTS:,} parts")
        return part

    def _scalar(self, kind: str, name: str, position: int) -> Any:
        if position < 0 or position + struct.calcsize(kind) > len(self._data):
            raise _damaged(name, position)
        return struct.unpack_from("<" + kind, self._data, position)[0]

    def _target(self, name: str, position: int) -> int:
        """Follow the relative offset at `position`."""
        return position + int(self._scalar("I", name, position))

    def _length(self, name: str, position: int, width: int) -> int:
        """Number of elements of the vector at `position`."""
        count = int(self._scalar("I", name, position))
        if count * width > len(self._data) - position - 4:
            raise _damaged(name, position)
        return count


def _damaged(name: str, position: int) -> EdgebioError:
    return EdgebioError(f"damaged .tflite: {name} at byte {position} points out of the file")
