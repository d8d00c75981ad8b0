"""REDUCE_MAX: over any axes that form at most two runs of neighbors."""

import math

from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.reduction import check_runs


@operator("REDUCE_MAX")
def reduce_max(node: Node) -> KernelLayer:
    """`tflite::EvalMaxHelper` (micro/kernels/reduce_common.cc) requires one scale."""
    runs = check_runs(node)
    source, output = node.input(0), node.output
    if (source.scale[0], source.zero_point[0]) != (output.scale[0], output.zero_point[0]):
        node.refuse("input and output have different scales or zero points")
    names = ("outer", "reduced_1", "middle", "reduced_2", "inner")
    return KernelLayer(
        *node.fields(),
        kernel="reduce_max",
        parameters=dict(zip(names, runs, strict=True)),
        elements=((math.prod(runs),), math.prod(output.shape)),
    )
