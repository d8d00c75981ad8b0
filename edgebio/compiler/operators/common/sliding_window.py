"""Checks and geometry of a sliding window, for convolutions and pools."""

from edgebio.compiler.arithmetic import same_padding, valid_size
from edgebio.compiler.ir.window import Pair, Window
from edgebio.compiler.operators.common.node import MAX_SIZE, Node


def make_window(node: Node, size: Pair, channels: int) -> Window:
    """Window of `size` with the node's options; the output has so many `channels`."""
    _, height, width, input_channels = shape = node.input(0).shape
    stride, dilation = _pair(node, "stride_{}"), _pair(node, "dilation_{}_factor")
    for name, values in (("stride", stride), ("dilation", dilation), ("window", size)):
        for value in values:
            if not 1 <= value <= MAX_SIZE:
                node.refuse(f"{name} of {value}")
    for length, gap in zip(size, dilation, strict=True):
        if (length - 1) * gap >= MAX_SIZE:
            node.refuse(f"window of {length} with dilation {gap}")
    is_same = node.options["padding"] == "SAME"
    (output_h, top, bottom), (output_w, left, right) = (
        same_padding(*axis) if is_same else (valid_size(*axis), 0, 0)
        for axis in zip((height, width), size, stride, dilation, strict=True)
    )
    if min(output_h, output_w) < 1:
        node.refuse(f"a window of {size[0]} x {size[1]} does not fit {list(shape)}")
    node.check_shape((1, output_h, output_w, channels))
    return Window(
        input=(height, width),
        output=(output_h, output_w),
        channels=input_channels,
        size=size,
        stride=stride,
        dilation=dilation,
        before=(top, left),
        after=(bottom, right),
    )


def _pair(node: Node, name: str) -> Pair:
    """An option for both axes; 1 if the operator does not have it."""
    height, width = (int(node.options.get(name.format(axis), 1)) for axis in "hw")
    return height, width
