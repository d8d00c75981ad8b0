"""MEAN: over any axes that form at most two runs of neighbors."""

from edgebio.compiler.ir.layer import Rescale
from edgebio.compiler.ir.layers import Mean
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.reduction import check_runs


@operator("MEAN")
def mean(node: Node) -> Mean:
    runs = check_runs(node)
    _, first, _, second, _ = runs
    return Mean(
        *node.fields(),
        runs=runs,
        offset=-node.zero_point(0) * first * second,
        rescale=divide(node.rescale(0), first * second),
        zero_point=node.output_zero_point,
    )


def divide(rescale: Rescale, count: int) -> Rescale:
    """Fold the division by `count` into a multiplier.

    `tflite::reference_ops::QuantizedMeanOrSum` (kernels/internal/reference/reduce.h).
    """
    multiplier, shift = rescale
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << extra) // count, shift - extra
