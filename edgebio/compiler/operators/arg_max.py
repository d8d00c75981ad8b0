"""ARG_MAX: along any axis, to int32."""

import math

from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.operators.common import Node, operator


@operator("ARG_MAX")
def arg_max(node: Node) -> KernelLayer:
    """`tflite::reference_ops::ArgMinMax` (reference/arg_min_max.h): the first of equal ones."""
    node.check_inputs(2, 2)
    shape, axes = node.check_int8(node.input(0)).shape, node.integers(1, "axis")
    rank = len(shape)
    if len(axes) != 1 or not -rank <= axes[0] < rank:
        node.refuse(f"axis {axes} of {rank}")
    if node.output.dtype != "int32":
        node.refuse(f"output is {node.output.dtype}; only int32 is supported: output_type=tf.int32")
    axis = axes[0] % rank
    node.check_shape((*shape[:axis], *shape[axis + 1 :]))
    outer, inner = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    return KernelLayer(
        *node.fields(),
        kernel="arg_max",
        parameters={"outer": outer, "size": shape[axis], "inner": inner},
        elements=((math.prod(shape),), outer * inner),
    )
