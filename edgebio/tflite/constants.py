"""Replace constants of a .tflite in their place; the rest of the file is unchanged."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from edgebio.errors import EdgebioError

_SCALE, _DATA = 2, 0  # slots of QuantizationParameters and Buffer in the schema


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
        _patch(patched, model.Buffers(buffer)._tab, _DATA, array, f"tensor {index}")
    for index, scale in scales.items():
        table = graph.Tensors(index).Quantization()._tab
        _patch(patched, table, _SCALE, scale.astype(np.float32), f"scales of tensor {index}")
    return bytes(patched)


def _patch(patched: bytearray, table: Any, slot: int, array: npt.NDArray[Any], name: str) -> None:
    """Overwrite a vector of a table, whose position the generated accessors do not give."""
    field = table.Offset(4 + 2 * slot)
    length = array.nbytes if slot == _DATA else array.size  # of a vector of bytes, of scales
    if not field or table.VectorLen(field) != length:
        raise EdgebioError(f"{name}: {array.nbytes} bytes do not fit in their place")
    start = table.Vector(field)
    patched[start : start + array.nbytes] = array.astype(array.dtype.newbyteorder("<")).tobytes()
