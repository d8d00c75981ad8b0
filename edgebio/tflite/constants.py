"""Other constants for the same network: a .tflite is patched where they lie, and nowhere else."""

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

    Operators, shapes, types, zero points and the file's layout stay, so that whatever was compiled
    from it needs other tables and no other code.

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
        Where two tensors share the bytes of a constant, or what is given has another size.
    """
    graph = tflite.Model.GetRootAs(content, 0).Subgraphs(0)
    model = tflite.Model.GetRootAs(content, 0)
    users = Counter(graph.Tensors(i).Buffer() for i in range(graph.TensorsLength()))
    made = bytearray(content)
    for index, array in values.items():
        number = graph.Tensors(index).Buffer()
        if users[number] > 1:
            raise EdgebioError(f"tensor {index}: another one has the same bytes; quantize again")
        _patch(made, model.Buffers(number)._tab, _DATA, array, f"tensor {index}")
    for index, scale in scales.items():
        table = graph.Tensors(index).Quantization()._tab
        _patch(made, table, _SCALE, scale.astype(np.float32), f"scales of tensor {index}")
    return bytes(made)


def _patch(made: bytearray, table: Any, slot: int, array: npt.NDArray[Any], what: str) -> None:
    """Overwrite a vector of a table; the generated accessors do not say where it lies."""
    field = table.Offset(4 + 2 * slot)
    # A vector of bytes says how many bytes it has, one of scales how many scales.
    length = array.nbytes if slot == _DATA else array.size
    if not field or table.VectorLen(field) != length:
        raise EdgebioError(f"{what}: {array.nbytes} bytes do not fit in their place")
    start = table.Vector(field)
    made[start : start + array.nbytes] = array.astype(array.dtype.newbyteorder("<")).tobytes()
