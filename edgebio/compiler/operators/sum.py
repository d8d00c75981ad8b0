"""SUM: over any axes that form at most two runs of neighbors."""

from edgebio.compiler.ir.layers import Mean
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.reduction import check_runs


@operator("SUM")
def sum_(node: Node) -> Mean:
    """`tflite::reference_ops::QuantizedMeanOrSum` (reference/reduce.h): MEAN without division."""
    runs = check_runs(node)
    _, first, _, second, _ = runs
    return Mean(
        *node.fields(),
        runs=runs,
        offset=-node.zero_point(0) * first * second,
        rescale=node.rescale(0),
        zero_point=node.output_zero_point,
    )
