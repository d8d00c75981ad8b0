"""MAX_POOL_2D, AVERAGE_POOL_2D: any window, stride and padding."""

from edgebio.compiler.ir.layers import Pool
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.reduction import MAX_SUM
from edgebio.compiler.operators.common.sliding_window import make_window


@operator("MAX_POOL_2D", "AVERAGE_POOL_2D")
def pool_2d(node: Node) -> Pool:
    image = node.check_image(node.check_unary())
    height, width = int(node.options["filter_height"]), int(node.options["filter_width"])
    window = make_window(node, (height, width), image.shape[3])
    if height * width > MAX_SUM:
        node.refuse(f"a window of {height} x {width} is too large")
    return Pool(*node.fields(), window=window, range=node.range(), activation=node.activation)
