"""Replace constants or shapes of a .tflite in their place; the rest of the file is unchanged."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from edgebio.errors import EdgebioError

# Slots of QuantizationParameters, Buffer and Tensor in the schema.
_SCALE, _DATA, _SHAPE = 2, 0, 0


def with_constants(
    content: bytes,
    values: Mapping[int, npt.NDArray[Any]],
    scales: Mapping[int, npt.NDArray[np.float32]],
) -> bytes:
    """Copy of a .tflite with other values and scales of some tensors.

    Operators, shapes, types, zero points and the layout stay, so that code that was compiled from
    the file needs other tables only.

    Parameters
    ----------
    content
        The file.
    values
        By tensor: an array of its shape and type.
    scales
        By tensor: float32, as many as it has.

    Raises
    ------
    EdgebioError
        If two tensors share the bytes of a constant, or new values have another size.
    """
    model = tflite.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    users = Counter(graph.Tensors(i).Buffer() for i in range(graph.TensorsLength()))
    patched = bytearray(content)
    for index, array in values.items():
        buffer = graph.Tensors(index).Buffer()
        if users[buffer] > 1:
            raise EdgebioError(f"tensor {index} shares its bytes with another one; quantize again")
        table, name = model.Buffers(buffer)._tab, f"tensor {index}"
        _patch(patched, table, _DATA, array, array.nbytes, name)
    for index, scale in scales.items():
        table = graph.Tensors(index).Quantization()._tab
        name = f"scales of tensor {index}"
        _patch(patched, table, _SCALE, scale.astype(np.float32), scale.size, name)
    return bytes(patched)


def with_shapes(content: bytes, shapes: Mapping[int, tuple[int, ...]]) -> bytes:
    """Copy of a .tflite with other shapes, of as many axes, of some tensors of its first subgraph.

    Raises
    ------
    EdgebioError
        If a shape has another number of axes.
    """
    graph = tflite.Model.GetRootAs(content, 0).Subgraphs(0)
    patched = bytearray(content)
    for index, shape in shapes.items():
        table, sizes = graph.Tensors(index)._tab, np.array(shape, np.int32)
        _patch(patched, table, _SHAPE, sizes, sizes.size, f"shape of tensor {index}")
    return bytes(patched)


def _patch(
    patched: bytearray, table: Any, slot: int, array: npt.NDArray[Any], length: int, name: str
) -> None:
    """Overwrite a vector of `length` elements of a table.

    The generated accessors do not give its position.
    """
    field = table.Offset(4 + 2 * slot)
    if not field or table.VectorLen(field) != length:
        raise EdgebioError(f"{name}: {array.nbytes} bytes do not fit in their place")
    start = table.Vector(field)
    patched[start : start + array.nbytes] = array.astype(array.dtype.newbyteorder("<")).tobytes()
