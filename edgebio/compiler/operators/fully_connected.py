"""FULLY_CONNECTED: any number of rows."""

import math

from edgebio.compiler.ir.layers import FullyConnected
from edgebio.compiler.operators.common import Node, operator, weighted_sums


@operator("FULLY_CONNECTED")
def fully_connected(node: Node) -> FullyConnected:
    source, shape = node.check_unary(2, 3), node.output.shape
    tensor, weights = weighted_sums.read_weights(node, 1, axes=2, axis=0)
    outputs, inputs = weights.shape
    if node.options["weights_format"] != "DEFAULT":
        node.refuse(f"weights format {node.options['weights_format']} is not supported")
    rows, remainder = divmod(math.prod(source.shape), inputs)
    if remainder:
        node.refuse(f"{math.prod(source.shape)} inputs do not make rows of {inputs}")
    if shape[-1:] != (outputs,) or math.prod(shape) != rows * outputs:
        node.refuse(f"output has shape {list(shape)}, {outputs} columns are computed")
    channels = weighted_sums.make_channels(node, weights)
    if len(tensor.scale) == 1 and node.has_input(2) and len(node.input(2).scale):
        # The reference refuses it, too: the sum would mix two units.
        bias_scale = node.input(2).scale[0]
        product = float(source.scale[0]) * float(tensor.scale[0])
        if not abs(product - bias_scale) / float(node.output.scale[0]) <= 0.02:
            node.refuse(f"bias has scale {bias_scale:g}, the products have {product:g}")
    return FullyConnected(
        *node.fields(),
        rows=rows,
        weights=weights,
        channels=channels,
        range=node.range(),
        activation=node.activation,
    )
