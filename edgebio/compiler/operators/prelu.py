"""PRELU: constant slopes below zero, one for all elements or any that broadcast."""

import numpy as np

from edgebio.compiler.arithmetic import requantize
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.kernels.layout import int8_array, rescale_members
from edgebio.compiler.operators.common import Node, broadcast, make_table, operator


@operator("PRELU")
def prelu(node: Node) -> Layer:
    source = node.check_elementwise(2)
    slopes = node.check_int8(node.input(1), constant=True)
    if slopes.data is None:
        node.refuse(f"its slopes, tensor {slopes.index}, are not constant")
    broadcast.check_broadcast(node, source, slopes)
    zero_in, zero_slope, zero_out = node.zero_point(0), node.zero_point(1), node.output_zero_point
    above, below = node.rescale(0), node.rescale(0, 1)
    values = slopes.data.astype(np.int8)
    if values.size > 1:
        return KernelLayer(
            *node.fields(),
            kernel="prelu",
            parameters={
                "slopes": "@slopes",
                "size": broadcast.four_sizes(source.shape),
                "step": broadcast.steps(slopes.shape),
                "zero_point": zero_in,
                "slope_zero_point": zero_slope,
                "output_zero_point": zero_out,
                **rescale_members(above),
                **rescale_members(below, prefix="slope_"),
            },
            arrays=(int8_array("slopes", values, "slopes below zero"),),
            in_place=(0,),
        )
    slope = int(values.ravel()[0]) - zero_slope

    def rectify(value: int) -> int:
        centered = value - zero_in
        if centered >= 0:
            return requantize(centered, *above) + zero_out
        return requantize(centered * slope, *below) + zero_out

    return make_table(node, rectify)
