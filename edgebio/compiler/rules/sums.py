"""Rules of what sums over many elements: convolutions, matrices, pools, MEAN, SOFTMAX."""

import math
from typing import Final

import numpy as np

from edgebio.compiler import arithmetic
from edgebio.compiler.node import MOST_ELEMENTS, Node

_MOST_SUMMED: Final = 1 << 22  # int8 in one sum: far from what 32 bits hold

MOST_CLASSES: Final = 511
"""Most classes of SOFTMAX: with more the reference's fixed point can overflow."""


def conv_2d(node: Node) -> None:
    node.count(2, 3)
    image = node.image(node.input(0))
    node.image(node.output)
    weights = node.weights(1, axes=4, axis=0)
    outputs, height, width, channels = weights.shape
    groups, rest = divmod(image.shape[3], channels)
    if rest:
        node.refuse(f"weights take {channels} channels, the input has {image.shape[3]}")
    if outputs % groups:
        node.refuse(f"{outputs} outputs of {groups} groups of channels")
    if height * width * image.shape[3] > MOST_ELEMENTS:
        node.refuse("window too large")
    if channels > 1:  # zeros stand between the groups
        node.added_bytes = math.prod(weights.shape) * (groups - 1)
    node.bias(2, outputs)
    node.window(image, height, width, outputs)
    node.products(image, weights)


def depthwise_conv_2d(node: Node) -> None:
    node.count(2, 3)
    image = node.image(node.input(0))
    node.image(node.output)
    weights = node.weights(1, axes=4, axis=3)
    one, height, width, outputs = weights.shape
    multiplier = node.options["depth_multiplier"]
    if one != 1 or outputs != image.shape[3] * int(multiplier):
        node.refuse(
            f"weights of shape {list(weights.shape)} do not fit {image.shape[3]} channels "
            f"with multiplier {multiplier}"
        )
    node.bias(2, outputs)
    node.window(image, height, width, outputs)
    node.products(image, weights)


def fully_connected(node: Node) -> None:
    node.count(2, 3)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    weights = node.weights(1, axes=2, axis=0)
    outputs, inputs = weights.shape
    if node.options["weights_format"] != "DEFAULT":
        node.refuse(f"weights format {node.options['weights_format']} is not supported")
    elements = math.prod(source.shape)
    if elements % inputs:
        node.refuse(f"{elements} inputs do not make rows of {inputs}")
    if output.shape[-1:] != (outputs,) or math.prod(output.shape) != elements // inputs * outputs:
        node.refuse(f"output has shape {list(output.shape)}, {outputs} columns are computed")
    bias = node.bias(2, outputs)
    node.fused()
    node.products(source, weights)
    if len(weights.scale) == 1 and bias is not None and len(bias.scale):
        # The reference refuses too: the sum would mix two units.
        product = float(source.scale[0]) * float(weights.scale[0])
        if not abs(product - bias.scale[0]) / float(output.scale[0]) <= 0.02:
            node.refuse(f"bias has scale {bias.scale[0]:g}, the products have {product:g}")


def pool(node: Node) -> None:
    node.count(1, 1)
    image = node.image(node.input(0))
    node.image(node.output)
    height, width = int(node.options["filter_h"]), int(node.options["filter_w"])
    node.window(image, height, width, image.shape[3])
    if height * width > _MOST_SUMMED:
        node.refuse(f"a window of {height} x {width} is too large")


def mean(node: Node) -> None:
    node.count(2, 2)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    axes = [int(axis) for axis in node.constant(1, "axes").ravel()]
    rank = len(source.shape)
    if not axes or any(not -rank <= axis < rank for axis in axes):
        node.refuse(f"axes {axes} of {rank}")
    reduced = {axis % rank for axis in axes}
    kept = [1 if axis in reduced else size for axis, size in enumerate(source.shape)]
    if math.prod(output.shape) != math.prod(kept):
        node.refuse(f"output has shape {list(output.shape)}, {kept} is computed")
    runs = arithmetic.runs(source.shape, reduced)
    if len(runs) > 5:
        node.refuse(f"axes {sorted(reduced)} of shape {list(source.shape)} are too scattered")
    if math.prod(source.shape) > _MOST_SUMMED:
        node.refuse(f"shape {list(source.shape)} is too large")
    node.factor(float(source.scale[0]) / float(output.scale[0]))


def softmax(node: Node) -> None:
    node.count(1, 1)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    if output.scale[0] != np.float32(1 / 256) or output.zero_point[0] != arithmetic.INT8_MIN:
        node.refuse(
            f"output has scale {output.scale[0]:g} and zero point {output.zero_point[0]}; "
            "1/256 and -128 are needed"
        )
    if not source.shape or source.shape[-1] > MOST_CLASSES:
        node.refuse(f"shape {list(source.shape)}; at most {MOST_CLASSES} classes")
    beta = float(node.options["beta"])
    # Below, the reference's multiplier for the exponent would be smaller than one.
    if not 1 < beta * float(source.scale[0]) * (1 << 26) < math.inf:
        node.refuse(f"beta {beta:g} with input scale {source.scale[0]:g}")
    node.shape(source.shape)
