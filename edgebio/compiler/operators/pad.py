"""PAD: up to four axes, with the zero point."""

from edgebio.compiler.ir.layers import Pad
from edgebio.compiler.operators.common import MAX_SIZE, Node, operator


@operator("PAD")
def pad(node: Node) -> Pad:
    source, paddings = node.check_unary(2, 2), node.constant(1, "paddings")
    shape = source.shape
    if not 1 <= len(shape) <= 4 or paddings.shape != (len(shape), 2):
        node.refuse(f"paddings of shape {list(paddings.shape)} for {len(shape)} axes")
    pads = tuple((int(before), int(after)) for before, after in paddings)
    if any(not 0 <= size <= MAX_SIZE for pair in pads for size in pair):
        node.refuse(f"paddings {list(pads)}")
    layer = Pad(*node.fields(), shape=shape, pads=pads, value=node.output_zero_point)
    node.check_shape(layer.padded)
    node.check_same_scale(source, 0)
    return layer
