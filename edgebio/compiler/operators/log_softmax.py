"""LOG_SOFTMAX: along the last axis, at most 511 classes."""

import numpy as np

from edgebio.compiler.arithmetic import INT8_MAX, quantize_multiplier
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.kernels.layout import rescale_members
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.softmax import check_classes, exponentials, layer_of_rows


@operator("LOG_SOFTMAX")
def log_softmax(node: Node) -> KernelLayer:
    """`tflite::reference_ops::LogSoftmaxQuantized` (reference/log_softmax.h)."""
    source, output = node.check_elementwise(), node.output
    if output.scale[0] != np.float32(1 / 16) or output.zero_point[0] != INT8_MAX:
        node.refuse(
            f"output has scale {output.scale[0]:g} and zero point {output.zero_point[0]}; "
            "1/16 and 127 are required"
        )
    scale = float(source.scale[0])
    check_classes(node, source)
    # Below, one of the reference's two multipliers does not fit its fixed point.
    if not scale > 2.0**-25:
        node.refuse(f"input has scale {scale:g}; more than 2^-25 is required")
    # `tflite::PreprocessLogSoftmaxScalingExp` (kernels/internal/quantization_util.cc).
    multiplier, shift = quantize_multiplier(min(scale * (1 << 26), (1 << 31) - 1))
    inverse = quantize_multiplier(2.0 ** (31 - shift) / multiplier)
    return layer_of_rows(
        node, source, "log_softmax", exponentials(source.scale[0], 1.0),
        **rescale_members((multiplier, shift)), **rescale_members(inverse, prefix="inverse_"),
    )  # fmt: skip
