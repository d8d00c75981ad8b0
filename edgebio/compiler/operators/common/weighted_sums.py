"""Checks and requantization of sums of products with constant weights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.arithmetic import int32, quantize_multiplier
from edgebio.compiler.ir.layer import Channels
from edgebio.compiler.operators.common.node import Node
from edgebio.compiler.operators.common.sliding_window import make_window
from edgebio.tflite import Tensor

Weights = NDArray[np.int8]


def read_weights(node: Node, position: int, axes: int, axis: int) -> tuple[Tensor, Weights]:
    """Constant int8 weights: one scale, or one per output channel; zero point 0."""
    tensor = node.input(position)
    name = f"weights, tensor {tensor.index},"
    if tensor.dtype != "int8":
        node.refuse(f"{name} are {tensor.dtype}; only int8 is supported")
    if tensor.data is None:
        node.refuse(f"{name} are not constant")
    if len(tensor.shape) != axes:
        node.refuse(f"{name} have {len(tensor.shape)} axes; {axes} are required")
    if len(tensor.scale) != 1 and (len(tensor.scale) == 0 or tensor.axis != axis):
        node.refuse(f"{name} have {len(tensor.scale)} scales on axis {tensor.axis}")
    node.check_scales(tensor)
    if tensor.zero_point.any():
        node.refuse(f"{name} have a zero point other than 0")
    return tensor, tensor.data.astype(np.int8)


def read_bias(node: Node, position: int, outputs: int) -> NDArray[np.int64]:
    """Constant int32 bias (outputs,); zeros if it is left out."""
    if not node.has_input(position):
        return np.zeros(outputs, np.int64)
    tensor = node.input(position)
    name = f"bias, tensor {tensor.index},"
    if tensor.dtype != "int32":
        node.refuse(f"{name} is {tensor.dtype}; only int32 is supported")
    if tensor.data is None:
        node.refuse(f"{name} is not constant")
    if tensor.data.size != outputs:
        node.refuse(f"{name} has {tensor.data.size} values for {outputs} outputs")
    return tensor.data.astype(np.int64).ravel()


def make_channels(node: Node, weights: Weights) -> Channels:
    """Bias and requantization of every output; `weights` (outputs, products)."""
    outputs, source = len(weights), float(node.input(0).scale[0])
    bias, proven = fold_zero_point(read_bias(node, 2, outputs), weights, node.zero_point(0))
    factors = (
        node.check_factor(source * float(scale) / float(node.output.scale[0]))
        for scale in np.broadcast_to(node.input(1).scale, outputs)
    )
    multiplier, shift = zip(*map(quantize_multiplier, factors), strict=True)
    return Channels(bias, multiplier, shift, proven)


def convolution_fields(
    node: Node, size: tuple[int, int], weights: Weights, products: Weights
) -> dict[str, Any]:
    """Fields of a convolution's layer; `products` are the weights as (outputs, products)."""
    return {
        "window": make_window(node, size, len(products)),
        "weights": weights,
        "channels": make_channels(node, products),
        "pad_value": node.zero_point(0),
        "range": node.range(),
        "activation": node.activation,
    }


def fold_zero_point(
    bias: NDArray[np.int64], weights: Weights, zero_point: int
) -> tuple[tuple[int, ...], bool]:
    """Fold the input's zero point into a bias, and bound the sums that start from it.

    Parameters
    ----------
    bias : ndarray of int64 (outputs,)
    weights : ndarray of int8 (outputs, products)
    zero_point : int
        Zero point of the input.

    Returns
    -------
    folded : tuple of int
        bias - zero_point * sum(weights), wrapped to 32 bits.
    proven : bool
        Whether no sum of any products of int8, in any order, can exceed 32 bits.
    """
    wide = weights.astype(np.int64)
    folded = bias - zero_point * wide.sum(axis=1)
    bound = np.abs(folded) + 128 * np.abs(wide).sum(axis=1)
    return tuple(int32(int(b)) for b in folded), bool((bound < 1 << 31).all())
