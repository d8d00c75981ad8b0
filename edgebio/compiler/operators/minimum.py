"""MINIMUM, MAXIMUM: two tensors of one scale, one of which may be constant or repeated."""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.kernels.layout import constant_inputs
from edgebio.compiler.operators.common import Node, broadcast, make_table, operator

_PICKS: Final[dict[str, Callable[[int, int], int]]] = {"MINIMUM": min, "MAXIMUM": max}


@operator("MINIMUM", "MAXIMUM")
def minimum(node: Node) -> Layer:
    """`tflite::reference_ops::MaximumMinimumBroadcastSlow` compares bytes, not real values."""
    node.check_inputs(2, 2)
    output = node.check_int8(node.output)
    tensors = [node.check_int8(node.input(position), constant=True) for position in (0, 1)]
    if all(tensor.data is not None for tensor in tensors):
        node.refuse("both inputs are constants")
    broadcast.check_broadcast(node, *tensors)
    if len({(t.scale[0], t.zero_point[0]) for t in (*tensors, output)}) > 1:
        node.refuse("inputs and output have different scales or zero points")
    for bound, other in (tensors, tensors[::-1]):
        if bound.data is not None and bound.data.size == 1 and other.shape == output.shape:
            limit = int(bound.data.astype(np.int8).ravel()[0])
            table = make_table(node, partial(_PICKS[node.kind], limit))
            return dataclasses.replace(table, inputs=(other.index,))
    sizes, size = [math.prod(tensor.shape) for tensor in tensors], math.prod(output.shape)
    return KernelLayer(
        *node.fields(2),
        kernel=node.kind.lower(),
        parameters={
            "size": broadcast.four_sizes(output.shape),
            "step_1": broadcast.steps(tensors[0].shape),
            "step_2": broadcast.steps(tensors[1].shape),
        },
        arrays=constant_inputs(tensors),
        in_place=tuple(position for position in (0, 1) if sizes[position] == size),
        elements=(tuple(sizes), size),
    )
