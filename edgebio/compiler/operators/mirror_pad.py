"""MIRROR_PAD: up to four axes, REFLECT and SYMMETRIC."""

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.gather import make_gather


@operator("MIRROR_PAD")
def mirror_pad(node: Node) -> Layer:
    shape, paddings = node.check_unary(2, 2).shape, node.constant(1, "paddings")
    if not 1 <= len(shape) <= 4 or paddings.shape != (len(shape), 2):
        node.refuse(f"paddings of shape {list(paddings.shape)} for {len(shape)} axes")
    edge = 1 if node.options["mode"] == "REFLECT" else 0  # which REFLECT does not repeat
    pads = [(int(before), int(after)) for before, after in paddings]
    for size, pair in zip(shape, pads, strict=True):
        if not all(0 <= pad <= size - edge for pad in pair):
            node.refuse(f"paddings {pair} of an axis of {size}")
    places = [
        [
            *range(before - 1 + edge, edge - 1, -1),
            *range(size),
            *range(size - 1 - edge, size - 1 - edge - after, -1),
        ]
        for size, (before, after) in zip(shape, pads, strict=True)
    ]
    node.check_shape(tuple(map(len, places)))
    return make_gather(node, places)
