"""Checks and geometry of operators on two inputs, one of which may be repeated."""

import math
from typing import Any

import numpy as np

from edgebio.compiler.ir.layer import Sizes
from edgebio.compiler.operators.common.node import Node
from edgebio.tflite import Tensor


def broadcast_fields(node: Node) -> dict[str, Any]:
    """Fields of the layer of a node with two inputs, one of which may be constant."""
    node.check_inputs(2, 2)
    inputs = [node.check_int8(node.input(position), constant=True) for position in (0, 1)]
    node.check_int8(node.output)
    if all(tensor.data is not None for tensor in inputs):
        node.refuse("both inputs are constants")
    check_broadcast(node, *inputs)
    return {
        "shape": four_sizes(node.output.shape),
        "steps": tuple(steps(tensor.shape) for tensor in inputs),
        "zero_points": (node.zero_point(0), node.zero_point(1)),
        "range": node.range(),
        "activation": node.activation,
    }


def check_broadcast(node: Node, first: Tensor, second: Tensor) -> None:
    """Check that two tensors broadcast to the output's shape."""
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        node.refuse(f"shapes {list(first.shape)} and {list(second.shape)} do not broadcast")
    if len(shape) > 4:
        node.refuse(f"{len(shape)} axes; at most 4 are supported")
    node.check_shape(shape)


def four_sizes(shape: tuple[int, ...]) -> Sizes:
    """A shape of up to four axes with leading ones."""
    a, b, c, d = (1,) * (4 - len(shape)) + shape
    return a, b, c, d


def steps(shape: tuple[int, ...]) -> Sizes:
    """Elements between neighbors along each of four axes; 0 along an axis of size 1."""
    sizes = four_sizes(shape)
    a, b, c, d = (math.prod(sizes[i + 1 :]) if size > 1 else 0 for i, size in enumerate(sizes))
    return a, b, c, d
