"""TILE: repeated along any axes; tflite-micro lacks it, TensorFlow Lite is the reference."""

import math

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.operators.common import MAX_ELEMENTS, Node, operator
from edgebio.compiler.operators.common.gather import make_gather


@operator("TILE")
def tile(node: Node) -> Layer:
    source = node.check_unary(2, 2)
    shape, multiples = source.shape, node.integers(1, "multiples")
    if len(multiples) != len(shape) or min(multiples) < 1:
        node.refuse(f"multiples {multiples} of {len(shape)} axes")
    computed = tuple(size * count for size, count in zip(shape, multiples, strict=True))
    if math.prod(computed) > MAX_ELEMENTS:
        node.refuse(f"more than {MAX_ELEMENTS:,} elements")
    node.check_shape(computed)
    node.check_same_scale(source, 0)
    places = [[*range(size)] * count for size, count in zip(shape, multiples, strict=True)]
    return make_gather(node, places)
