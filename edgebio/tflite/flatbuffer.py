"""Structural check of a .tflite: every offset and length that will be followed stays in the file.

The generated accessors of PyPI `tflite` trust the bytes that they read. This module walks the part
of the schema that edgebio uses (tensorflow/compiler/mlir/lite/schema/schema.fbs) before them, as
the C++ `flatbuffers::Verifier` does, so that no accessor can leave the buffer.
"""

import struct
from typing import Final

from edgebio.errors import EdgebioError

MOST_BYTES: Final = 16 << 20
"""Largest file that is read: more than any microcontroller's flash."""

# Bounds of the time and memory that a file can cost; real models stay far below.
_MOST_PARTS: Final = 200_000  # tables and vectors visited
_MOST_TABLES: Final = 10_000  # in one vector
_MOST_TEXT: Final = 16_384  # bytes of a string

Field = int | str | list[int] | list[str]
"""A scalar's bytes, a table or ``"string"``, or a list of one of them: a vector."""

_SCHEMA: Final[dict[str, dict[int, Field]]] = {
    "Model": {
        0: 4,
        1: ["OperatorCode"],
        2: ["SubGraph"],
        3: "string",
        4: ["Buffer"],
        6: ["Metadata"],
    },
    "OperatorCode": {0: 1, 1: "string", 2: 4, 3: 4},
    "SubGraph": {0: ["Tensor"], 1: [4], 2: [4], 3: ["Operator"], 4: "string"},
    "Tensor": {
        0: [4],
        1: 1,
        2: 4,
        3: "string",
        4: "QuantizationParameters",
        5: 1,
        6: "SparsityParameters",
        7: [4],
    },
    "QuantizationParameters": {2: [4], 3: [8], 4: 1, 6: 4},
    "SparsityParameters": {},
    "Operator": {0: 4, 1: [4], 2: [4], 3: 1, 8: [4]},
    "Buffer": {0: [1], 1: 8, 2: 8},
    "Metadata": {0: "string", 1: 4},
    "Conv2DOptions": {0: 1, 1: 4, 2: 4, 3: 1, 4: 4, 5: 4},
    "DepthwiseConv2DOptions": {0: 1, 1: 4, 2: 4, 3: 4, 4: 1, 5: 4, 6: 4},
    "Pool2DOptions": {0: 1, 1: 4, 2: 4, 3: 4, 4: 4, 5: 1},
    "FullyConnectedOptions": {0: 1, 1: 1, 2: 1, 3: 1},
    "SoftmaxOptions": {0: 4},
    "AddOptions": {0: 1},
    "SubOptions": {0: 1},
    "MulOptions": {0: 1},
    "ConcatenationOptions": {0: 4, 1: 1},
    "StridedSliceOptions": {0: 4, 1: 4, 2: 4, 3: 4, 4: 4, 5: 1},
    "LeakyReluOptions": {0: 4},
    "UnidirectionalSequenceLSTMOptions": {0: 1, 1: 4, 2: 4, 3: 1, 4: 1, 5: 1},
    "ReducerOptions": {0: 1},
}

_OPTIONS: Final = {
    1: "Conv2DOptions",
    2: "DepthwiseConv2DOptions",
    5: "Pool2DOptions",
    8: "FullyConnectedOptions",
    9: "SoftmaxOptions",
    10: "ConcatenationOptions",
    11: "AddOptions",
    21: "MulOptions",
    27: "ReducerOptions",
    28: "SubOptions",
    32: "StridedSliceOptions",
    71: "UnidirectionalSequenceLSTMOptions",
    75: "LeakyReluOptions",
}
"""Members of the union BuiltinOptions that are read, by type code."""


def check(data: bytes) -> None:
    """Check that `data` is a flatbuffer of the .tflite schema.

    Raises
    ------
    EdgebioError
        Where it is too large or too short, carries another identifier, or an offset, a length or
        a table's layout leaves the file; the text says which part of the schema and which byte.
    """
    if len(data) > MOST_BYTES:
        raise EdgebioError(f"not a model for a microcontroller: {len(data):,} bytes")
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise EdgebioError("not a .tflite file: identifier TFL3 is missing")
    _Walk(data).run()


class _Walk:
    """The walk over one file; tables wait on a list, so that no file can exhaust the stack."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._seen: set[tuple[str, int]] = set()
        self._waiting: list[tuple[str, int]] = []

    def run(self) -> None:
        self._expect("Model", self._offset("Model", 0))
        while self._waiting:
            self._table(*self._waiting.pop())

    def _expect(self, part: str, position: int) -> bool:
        """Note a part to be checked; True the first time that it is met."""
        if (part, position) in self._seen:
            return False
        self._seen.add((part, position))
        if len(self._seen) > _MOST_PARTS:
            raise EdgebioError(f"damaged .tflite: more than {_MOST_PARTS:,} parts")
        if part in _SCHEMA:
            self._waiting.append((part, position))
        return True

    def _unpack(self, form: str, part: str, position: int) -> int:
        size = struct.calcsize(form)
        if position < 0 or position + size > len(self._data):
            raise _damaged(part, position)
        value: int = struct.unpack_from(form, self._data, position)[0]
        return value

    def _offset(self, part: str, position: int) -> int:
        """Follow the relative offset at `position`; what lies there is checked by who reads it."""
        return position + self._unpack("<I", part, position)

    def _table(self, name: str, position: int) -> None:
        vtable = position - self._unpack("<i", name, position)
        entries = self._unpack("<H", name, vtable)
        size = self._unpack("<H", name, vtable + 2)
        if entries < 4 or entries % 2 or vtable + entries > len(self._data):
            raise _damaged(name, vtable)
        if size < 4 or position + size > len(self._data):
            raise _damaged(name, position)

        def place(slot: int, width: int) -> int | None:
            entry = 4 + 2 * slot
            start = self._unpack("<H", name, vtable + entry) if entry < entries else 0
            if start == 0:
                return None
            if start < 4 or start + width > size:
                raise _damaged(name, vtable + entry)
            return position + start

        for slot, field in _SCHEMA[name].items():
            found = place(slot, field if isinstance(field, int) else 4)
            if found is None or isinstance(field, int):
                continue
            self._field(name, field, self._offset(name, found))
        if name == "Operator":
            kind, options = place(3, 1), place(4, 4)
            if kind is not None and options is not None and self._data[kind] in _OPTIONS:
                self._expect(_OPTIONS[self._data[kind]], self._offset(name, options))

    def _field(self, name: str, field: str | list[int] | list[str], position: int) -> None:
        if isinstance(field, str) and field != "string":
            self._expect(field, position)
            return
        element = field[0] if isinstance(field, list) else 1
        width = element if isinstance(element, int) else 4
        count = self._unpack("<I", name, position)
        if count * width > len(self._data) - position - 4:
            raise _damaged(name, position)
        if field == "string" and count > _MOST_TEXT:
            raise EdgebioError(f"damaged .tflite: {name} has a name of {count:,} bytes")
        if isinstance(element, str) and count > _MOST_TABLES:
            raise EdgebioError(f"damaged .tflite: {name} has {count:,} of {element}")
        if isinstance(element, str) and self._expect(f"[{element}]", position):
            for index in range(count):
                self._expect(element, self._offset(element, position + 4 + 4 * index))


def _damaged(part: str, position: int) -> EdgebioError:
    return EdgebioError(f"damaged .tflite: {part} at byte {position} points out of the file")
