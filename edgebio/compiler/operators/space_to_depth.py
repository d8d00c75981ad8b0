"""SPACE_TO_DEPTH, DEPTH_TO_SPACE: blocks of pixels to channels, and back."""

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.view import View
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.copy import make_copy


@operator("SPACE_TO_DEPTH")
def space_to_depth(node: Node) -> Layer:
    _, height, width, channels = node.check_image(node.check_unary()).shape
    block = _block(node)
    if height % block or width % block:
        node.refuse(f"blocks of {block} pixels of {height} x {width}")
    rows, columns, line = height // block, width // block, width * channels
    node.check_shape((1, rows, columns, block * block * channels))
    sizes = (rows, columns, block, block * channels)
    return make_copy(node, View.of(0, sizes, (block * line, block * channels, line, 1)))


@operator("DEPTH_TO_SPACE")
def depth_to_space(node: Node) -> Layer:
    _, height, width, channels = node.check_image(node.check_unary()).shape
    block = _block(node)
    if channels % (block * block):
        node.refuse(f"blocks of {block} x {block} pixels from {channels} channels")
    run = channels // block
    node.check_shape((1, height * block, width * block, run // block))
    sizes = (height, block, width, run)
    return make_copy(node, View.of(0, sizes, (width * channels, run, channels, 1)))


def _block(node: Node) -> int:
    block = int(node.options["block_size"])
    if block < 1:
        node.refuse(f"blocks of {block} pixels")
    return block
