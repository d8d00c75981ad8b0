"""SOFTMAX: at most 511 classes."""

import math
from typing import Final

import numpy as np

from edgebio.compiler.arithmetic import (
    INT8_MAX,
    INT8_MIN,
    exp_on_negative_values,
    high_multiply,
    int32,
    quantize_multiplier,
)
from edgebio.compiler.ir.kernel_call import Array, Value
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.operators.common import Node, operator
from edgebio.tflite import Tensor

MAX_CLASSES: Final = 511
"""Most classes: with more, the reference's fixed point can overflow."""


@operator("SOFTMAX")
def softmax(node: Node) -> KernelLayer:
    source, output = node.check_elementwise(), node.output
    if output.scale[0] != np.float32(1 / 256) or output.zero_point[0] != INT8_MIN:
        node.refuse(
            f"output has scale {output.scale[0]:g} and zero point {output.zero_point[0]}; "
            "1/256 and -128 are required"
        )
    scale, beta = source.scale[0], float(node.options["beta"])
    check_classes(node, source)
    # Below, the reference's multiplier for the exponent would be smaller than one.
    if not 1 < beta * float(scale) * (1 << 26) < math.inf:
        node.refuse(f"beta {beta:g} with input scale {scale:g}")
    return layer_of_rows(node, source, "softmax", exponentials(scale, beta))


def check_classes(node: Node, source: Tensor) -> None:
    """Refuse a last axis of more classes than the sums of the reference hold."""
    shape = source.shape
    if not shape or shape[-1] > MAX_CLASSES:
        node.refuse(f"shape {list(shape)}; at most {MAX_CLASSES} classes are supported")


def layer_of_rows(
    node: Node, source: Tensor, kernel: str, values: tuple[int, ...], **members: Value
) -> KernelLayer:
    """Layer of a kernel that works on rows of classes, by a table of exponentials."""
    shape = source.shape
    return KernelLayer(
        *node.fields(),
        kernel=kernel,
        headers=("eb_fixed_point.h",),
        parameters={
            "exponentials": "@exponentials",
            "count": len(values),
            **members,
            "rows": math.prod(shape) // shape[-1],
            "classes": shape[-1],
        },
        arrays=(Array("exponentials", "int32_t", values, "exp(-distance * scale), Q0.31"),),
        in_place=(0,),
    )


def exponentials(scale: np.float32, beta: float) -> tuple[int, ...]:
    """exp(-d * scale * beta) in Q0.31 for d = 0, 1, ... until tflite-micro rounds it to 0.

    d is the distance of an int8 logit from the largest one: `tflite::CalculateSoftmaxParams`
    (micro/kernels/softmax_common.cc) and `tflite::reference_ops::Softmax`.
    """
    integer_bits = 5
    real = min(float(beta) * float(scale) * (1 << (31 - integer_bits)), float((1 << 31) - 1))
    multiplier, shift = quantize_multiplier(real)
    radius = math.floor(((1 << integer_bits) - 1) * (1 << (31 - integer_bits)) / (1 << shift))
    distances = range(min(radius, INT8_MAX - INT8_MIN) + 1)
    return tuple(
        exp_on_negative_values(high_multiply(int32(-d << shift), multiplier)) for d in distances
    )
