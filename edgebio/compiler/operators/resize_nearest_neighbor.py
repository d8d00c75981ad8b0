"""RESIZE_NEAREST_NEIGHBOR: any size; corners aligned, pixel centers halved, or neither."""

import math

import numpy as np

from edgebio.compiler.arithmetic import round_half_away
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.operators.common import MAX_SIZE, Node, operator
from edgebio.compiler.operators.common.gather import make_gather


@operator("RESIZE_NEAREST_NEIGHBOR")
def resize_nearest_neighbor(node: Node) -> Layer:
    _, height, width, channels = node.check_image(node.check_unary(2, 2)).shape
    size = node.integers(1, "size")
    if len(size) != 2 or not all(1 <= length <= MAX_SIZE for length in size):
        node.refuse(f"size {size}")
    node.check_shape((1, *size, channels))
    corners, centers = (bool(node.options[n]) for n in ("align_corners", "half_pixel_centers"))
    rows, columns = (
        [nearest(place, source, target, corners, centers) for place in range(target)]
        for source, target in zip((height, width), size, strict=True)
    )
    return make_gather(node, [[0], rows, columns, range(channels)])


def nearest(place: int, source: int, target: int, corners: bool, centers: bool) -> int:
    """Place in an axis of `source` for one in an axis of `target`, in float32.

    `tflite::reference_ops::GetNearestNeighbor` (reference/resize_nearest_neighbor.h).
    """
    spans = (source - 1, target - 1) if corners and target > 1 else (source, target)
    scale = np.float32(spans[0]) / np.float32(spans[1])
    real = float((np.float32(place) + np.float32(0.5 * centers)) * scale)
    return min(round_half_away(real) if corners else math.floor(real), source - 1)
