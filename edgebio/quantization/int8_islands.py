"""Operators that the converter leaves in float32 although an int8 kernel of them exists.

The quantizer of TensorFlow 2.21 has no rule for ELU: it puts a DEQUANTIZE before it and a QUANTIZE
behind it. tflite-micro computes ELU from int8 to int8 by a table, with the scales of those two, so
that the operator takes their places.
"""

from collections import Counter
from typing import Any, Final

import numpy as np

from edgebio.quantization import flatbuffer

_INT8_KERNELS: Final = frozenset({"ELU"})


def fill_islands(content: bytes) -> bytes:
    """Make int8 what lies alone between a DEQUANTIZE and a QUANTIZE, and has an int8 kernel."""
    model = flatbuffer.unpack(content)
    graph, kinds = model.subgraphs[0], flatbuffer.kinds(model)
    kind_of = dict(zip(map(id, graph.operators), kinds, strict=True))
    writer = {int(t): op for op in graph.operators for t in op.outputs}
    readers: dict[int, list[Any]] = {}
    for operator in graph.operators:
        for tensor in operator.inputs:
            readers.setdefault(int(tensor), []).append(operator)
    uses = Counter(int(t) for op in graph.operators for t in op.inputs)
    uses.update(int(t) for t in graph.outputs)
    dropped: set[int] = set()
    for operator in graph.operators:
        if kind_of[id(operator)] not in _INT8_KERNELS:
            continue
        source, result = int(operator.inputs[0]), int(operator.outputs[0])
        before, behind = writer.get(source), readers.get(result, [])
        if before is None or kind_of[id(before)] != "DEQUANTIZE" or uses[result] != 1:
            continue
        if len(behind) != 1 or kind_of[id(behind[0])] != "QUANTIZE":
            continue
        operator.inputs = np.array([before.inputs[0]], np.int32)
        operator.outputs = np.array([behind[0].outputs[0]], np.int32)
        dropped.add(id(behind[0]))
        uses[source] -= 1
        if not uses[source]:
            dropped.add(id(before))
    if not dropped:
        return content
    graph.operators = [op for op in graph.operators if id(op) not in dropped]
    return flatbuffer.pack(model)
