"""Nested elements of MATLAB 5 files: checked before SciPy reads them, then listed by path.

Format: MAT-File Level 5 (MathWorks, "MAT-File Format"): an element is a tag of kind and size and
so many bytes; a matrix holds elements itself. SciPy allocates what a tag states.
"""

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

CELL, STRUCT, OBJECT, CHAR, SPARSE = 1, 2, 3, 4, 5
FUNCTION, OPAQUE = 16, 17
_NUMBERS = range(6, 16)
_MATRIX = 14
_MAX_DEPTH, _MAX_ELEMENTS = 20, 1_000_000
_COMPLEX = 0x0800


def check_matrix(body: memoryview, tag: struct.Struct) -> None:
    """Refuse with `ValueError` a matrix whose parts are not all there, or not plain data."""
    left = [_MAX_ELEMENTS]
    _check(body, tag, 0, left)


def flatten(value: Any, name: str, leaves: dict[str, Any]) -> None:
    """List what SciPy read, by path: arrays of numbers or text, or lists of matrices."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        items = list(value.ravel(order="F"))
        if items and all(hasattr(item, "_fieldnames") for item in items):
            for field in items[0]._fieldnames:
                own = [getattr(item, field, None) for item in items]
                _add_items(own, f"{name}.{field}", leaves)
        else:
            _add_items(items, name, leaves)
    elif hasattr(value, "_fieldnames"):
        for field in value._fieldnames:
            flatten(getattr(value, field), f"{name}.{field}", leaves)
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biufU" and value.size:
        leaves[name] = value


def _add_items(items: list[Any], name: str, leaves: dict[str, Any]) -> None:
    """Add the items of cells: all text, all single numbers, matrices, or one by one."""
    arrays = [item for item in items if isinstance(item, np.ndarray)]
    if len(items) == 1:
        flatten(items[0], name, leaves)
    elif len(arrays) == len(items) and all(a.dtype.kind == "U" and a.size == 1 for a in arrays):
        leaves[name] = np.array([str(a.item()) for a in arrays])
    elif len(arrays) == len(items) and all(a.dtype.kind in "biuf" for a in arrays):
        numbers = all(a.size == 1 for a in arrays)
        leaves[name] = np.array([a.item() for a in arrays]) if numbers else arrays
    else:
        for index, item in enumerate(items, 1):
            flatten(item, f"{name}{{{index}}}", leaves)


def shapes_of(leaves: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shapes of what `flatten` listed; a list of matrices has three dimensions."""
    return {
        name: (len(value), *value[0].shape) if isinstance(value, list) else value.shape
        for name, value in leaves.items()
    }


def matrix_class(body: bytes, tag: struct.Struct) -> int:
    """Class of a matrix by its first bytes, after its own tag; 0 where they are cut."""
    if len(body) < 12:
        return 0
    order = tag.format[:1]
    return int(struct.unpack(f"{order}I", body[8:12])[0]) & 0xFF


def _check(body: memoryview, tag: struct.Struct, depth: int, left: list[int]) -> None:
    left[0] -= 1
    if depth > _MAX_DEPTH or left[0] < 0:
        raise ValueError("nested too deep, or too many elements")
    if not len(body):
        return  # an empty cell
    order = tag.format[:1]
    position = 0

    def part() -> tuple[int, memoryview]:
        """Kind and bytes of the next part."""
        nonlocal position
        if position + 8 > len(body):
            raise ValueError("a matrix is cut")
        kind, size = tag.unpack(body[position : position + 8])
        if kind >> 16:  # up to 4 bytes, in the tag itself
            kind, size, start = kind & 0xFFFF, kind >> 16, position + 4
            position += 8
        else:
            start = position + 8
            position = start + size + (0 if kind == _MATRIX else -size % 8)
        if size > len(body) - start or (kind >> 16 and size > 4):
            raise ValueError(f"a part claims {size:,} bytes")
        return kind, body[start : start + size]

    _, flags = part()
    if len(flags) != 8:
        raise ValueError("a matrix without a class")
    word = struct.unpack(f"{order}I", flags[:4])[0]
    kind = word & 0xFF
    if kind == OPAQUE or kind not in (CELL, STRUCT, CHAR, *_NUMBERS) or word & _COMPLEX:
        raise ValueError("an object, a sparse or a complex matrix")
    _, dimensions = part()
    count = math.prod(struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions))
    part()  # name
    fields = 1
    if kind == STRUCT:
        _, length = part()
        _, names = part()
        size = struct.unpack(f"{order}i", length)[0] if len(length) == 4 else 0
        if size <= 0:
            raise ValueError("a struct without field names")
        fields = len(names) // size
    if kind in (CELL, STRUCT):
        if not 0 <= count * fields <= len(body) // 8:
            raise ValueError(f"{count:,} cells in {len(body):,} bytes")
        for _ in range(count * fields):
            child, content = part()
            if child != _MATRIX:
                raise ValueError(f"an element of kind {child} in cells")
            _check(content, tag, depth + 1, left)
        return
    _, numbers = part()
    if not 0 <= count <= max(len(numbers), 1) or (kind != CHAR and count and not len(numbers)):
        raise ValueError(f"{count:,} numbers in {len(numbers):,} bytes")
