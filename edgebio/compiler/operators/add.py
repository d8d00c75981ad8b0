"""ADD, SUB: two tensors, one of which may be constant or repeated."""

import numpy as np

from edgebio.compiler.arithmetic import quantize_multiplier, quotient
from edgebio.compiler.ir.layer import Rescale
from edgebio.compiler.ir.layers import Add, Sub
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.broadcast import broadcast_fields


@operator("ADD", "SUB")
def add(node: Node) -> Add:
    fields = broadcast_fields(node)
    first, second, output = (t.scale[0] for t in (node.input(0), node.input(1), node.output))
    node.check_factor(2 * float(max(first, second)) / (1 << 20) / float(output))
    *rescale, (multiplier, shift) = multipliers(node.kind, first, second, output)
    if shift > 0 or multiplier == 0:
        node.refuse(
            f"input scales {first:g}, {second:g} and output scale {output:g} are too far apart"
        )
    layer = Add if node.kind == "ADD" else Sub
    total = (multiplier, shift)
    return layer(*node.fields(2), **fields, rescale=(rescale[0], rescale[1]), rescale_sum=total)


def multipliers(
    kind: str, first: np.float32, second: np.float32, output: np.float32
) -> tuple[Rescale, Rescale, Rescale]:
    """Multipliers of both inputs and of the output.

    `tflite::CalculateOpDataAdd` (micro/kernels/add_common.cc): the inputs are scaled to twice the
    larger of their scales, with 20 bits to spare. `tflite::CalculateOpDataSub`
    (micro/kernels/sub_common.cc): the same, but divided in float32.
    """
    if kind == "SUB":
        twice = np.float32(2) * max(first, second)
        spare = np.float32(1 << 20) * output
        ratios = quotient(first, twice), quotient(second, twice), quotient(twice, spare)
    else:
        wide = 2 * float(max(first, second))
        ratios = float(first) / wide, float(second) / wide, wide / ((1 << 20) * float(output))
    a, b, c = map(quantize_multiplier, ratios)
    return a, b, c
