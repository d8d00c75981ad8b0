"""L2_NORMALIZATION: along the last axis."""

import math

import numpy as np

from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.operators.common import Node, operator


@operator("L2_NORMALIZATION")
def l2_normalization(node: Node) -> KernelLayer:
    """`tflite::reference_integer_ops::L2Normalization` writes values with a scale of 1/128."""
    shape, output = node.check_elementwise().shape, node.output
    if not 1 <= len(shape) <= 4:
        node.refuse(f"{len(shape)} axes; 1 to 4 are supported")
    if node.activation != "NONE":
        node.refuse(f"fused activation {node.activation} is not supported")
    if output.scale[0] != np.float32(1 / 128) or output.zero_point[0]:
        node.refuse(
            f"output has scale {output.scale[0]:g} and zero point {output.zero_point[0]}; "
            "1/128 and 0 are required"
        )
    # The squares of MAX_SIZE distances of 255 fit 31 bits.
    return KernelLayer(
        *node.fields(),
        kernel="l2_normalization",
        headers=("eb_fixed_point.h",),
        parameters={
            "rows": math.prod(shape[:-1]),
            "depth": shape[-1],
            "zero_point": node.zero_point(0),
        },
        in_place=(0,),
    )
