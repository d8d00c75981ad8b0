"""LOG_SOFTMAX: along the last axis, at most 511 classes."""

import math

import numpy as np

from edgebio.compiler.arithmetic import INT8_MAX, quantize_multiplier
from edgebio.compiler.ir.kernel_call import Array
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.kernels.layout import rescale_members
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.softmax import MAX_CLASSES, exponentials


@operator("LOG_SOFTMAX")
def log_softmax(node: Node) -> KernelLayer:
    """`tflite::reference_ops::LogSoftmaxQuantized` (reference/log_softmax.h)."""
    source, output = node.check_elementwise(), node.output
    if output.scale[0] != np.float32(1 / 16) or output.zero_point[0] != INT8_MAX:
        node.refuse(
            f"output has scale {output.scale[0]:g} and zero point {output.zero_point[0]}; "
            "1/16 and 127 are required"
        )
    shape, scale = source.shape, float(source.scale[0])
    if not shape or shape[-1] > MAX_CLASSES:
        node.refuse(f"shape {list(shape)}; at most {MAX_CLASSES} classes are supported")
    # Below, one of the reference's two multipliers does not fit its fixed point.
    if not scale > 2.0**-25:
        node.refuse(f"input has scale {scale:g}; more than 2^-25 is required")
    # `tflite::PreprocessLogSoftmaxScalingExp` (kernels/internal/quantization_util.cc).
    multiplier, shift = quantize_multiplier(min(scale * (1 << 26), (1 << 31) - 1))
    inverse = quantize_multiplier(2.0 ** (31 - shift) / multiplier)
    values = exponentials(source.scale[0], 1.0)
    return KernelLayer(
        *node.fields(),
        kernel="log_softmax",
        headers=("eb_fixed_point.h",),
        parameters={
            "exponentials": "@exponentials",
            "count": len(values),
            **rescale_members((multiplier, shift)),
            **rescale_members(inverse, prefix="inverse_"),
            "rows": math.prod(shape) // shape[-1],
            "classes": shape[-1],
        },
        arrays=(Array("exponentials", "int32_t", values, "exp(-distance * scale), Q0.31"),),
        in_place=(0,),
    )
