"""CONV_2D: any window, stride, dilation and padding; groups of channels."""

import numpy as np

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import Conv2D
from edgebio.compiler.operators.common import MAX_ELEMENTS, Node, operator, weighted_sums
from edgebio.compiler.operators.common.weighted_sums import Weights
from edgebio.compiler.operators.depthwise_conv_2d import make_depthwise


@operator("CONV_2D")
def conv_2d(node: Node) -> Layer:
    image = node.check_image(node.check_unary(2, 3))
    _, weights = weighted_sums.read_weights(node, 1, axes=4, axis=0)
    outputs, height, width, channels = weights.shape
    groups, remainder = divmod(image.shape[3], channels)
    if remainder:
        node.refuse(f"weights take {channels} channels, the input has {image.shape[3]}")
    if outputs % groups:
        node.refuse(f"{outputs} outputs of {groups} groups of channels")
    if groups > 1 and channels == 1:
        return make_depthwise(node, weights[..., 0].transpose(1, 2, 0), outputs // groups)
    if max(height * width * image.shape[3], weights.size * groups) > MAX_ELEMENTS:
        node.refuse(f"more than {MAX_ELEMENTS:,} weights with the zeros between groups")
    node.extra_bytes = weights.size * (groups - 1)
    weights = _ungrouped(weights, groups)
    products = weights.reshape(outputs, -1)
    fields = weighted_sums.convolution_fields(node, (height, width), weights, products)
    return Conv2D(*node.fields(), **fields, groups=groups)


def _ungrouped(weights: Weights, groups: int) -> Weights:
    """Weights for all channels; zeros for those of other groups add nothing to a sum."""
    outputs, height, width, channels = weights.shape
    blocks = np.zeros((groups, outputs // groups, height, width, groups, channels), np.int8)
    for group, block in enumerate(weights.reshape(groups, -1, height, width, channels)):
        blocks[group, ..., group, :] = block
    return blocks.reshape(outputs, height, width, groups * channels)
