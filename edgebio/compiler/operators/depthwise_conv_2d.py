"""DEPTHWISE_CONV_2D: any window, stride, dilation, padding and multiplier."""

from edgebio.compiler.ir.layers import Conv2D, DepthwiseConv2D
from edgebio.compiler.operators.common import Node, operator, weighted_sums
from edgebio.compiler.operators.common.weighted_sums import Weights


@operator("DEPTHWISE_CONV_2D")
def depthwise_conv_2d(node: Node) -> Conv2D | DepthwiseConv2D:
    image = node.check_image(node.check_unary(2, 3))
    _, weights = weighted_sums.read_weights(node, 1, axes=4, axis=3)
    multiplier = int(node.options["depth_multiplier"])
    if len(weights) != 1 or weights.shape[3] != image.shape[3] * multiplier:
        node.refuse(
            f"weights of shape {list(weights.shape)} do not fit {image.shape[3]} channels "
            f"with multiplier {multiplier}"
        )
    return make_depthwise(node, weights[0], multiplier)


def make_depthwise(node: Node, weights: Weights, multiplier: int) -> Conv2D | DepthwiseConv2D:
    """Layer with `weights` (window height, window width, outputs).

    Of one channel, every output sums all that is under the window, as in CONV_2D.
    """
    height, width, outputs = weights.shape
    products = weights.reshape(-1, outputs).T
    fields = weighted_sums.convolution_fields(node, (height, width), weights, products)
    if multiplier == outputs:
        fields["weights"] = products.reshape(outputs, height, width, 1)
        return Conv2D(*node.fields(), **fields)
    return DepthwiseConv2D(*node.fields(), **fields, multiplier=multiplier)
