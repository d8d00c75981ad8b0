"""RESIZE_BILINEAR: any size; corners aligned, pixel centers halved, or neither."""

import math
from typing import Final

from edgebio.compiler.ir.kernel_call import Array
from edgebio.compiler.ir.layers import KernelLayer
from edgebio.compiler.operators.common import MAX_SIZE, Node, operator

_ONE: Final = 1 << 10
"""Distance between neighboring pixels in the reference's fixed point."""

_Place = tuple[int, int, int]
"""A pixel, the next one, and the weight of the latter."""


@operator("RESIZE_BILINEAR")
def resize_bilinear(node: Node) -> KernelLayer:
    """`tflite::reference_ops::ResizeBilinearInteger` (reference/resize_bilinear.h)."""
    source = node.check_image(node.check_unary(2, 2))
    _, height, width, channels = source.shape
    size = node.integers(1, "size")
    if len(size) != 2 or not all(1 <= length <= MAX_SIZE for length in size):
        node.refuse(f"size {size}")
    node.check_shape((1, *size, channels))
    node.check_same_scale(source, 0)
    corners, centers = (bool(node.options[n]) for n in ("align_corners", "half_pixel_centers"))
    if corners and centers:
        node.refuse("aligned corners and half pixel centers exclude each other")
    axes = [
        [between(place, length, target, corners, centers) for place in range(target)]
        for length, target in zip((height, width), size, strict=True)
    ]
    for places, length in zip(axes, (height, width), strict=True):
        if any(first >= length for first, _, _ in places):
            node.refuse(f"{length} pixels to {len(places)}: the reference reads outside its input")
    values = [value for places in axes for place in places for value in place]
    return KernelLayer(
        *node.fields(),
        kernel="resize_bilinear",
        parameters={
            "places": "@places",
            "input_w": width,
            "channels": channels,
            "output_h": size[0],
            "output_w": size[1],
        },
        arrays=(Array("places", "int16_t", tuple(values), "[rows, columns][pixel, next, weight]"),),
        elements=((math.prod(source.shape),), size[0] * size[1] * channels),
    )


def between(place: int, source: int, target: int, corners: bool, centers: bool) -> _Place:
    """Where in an axis of `source` pixels lies one in an axis of `target`.

    `tflite::reference_ops::ComputeInterpolationValuesInteger`; its quotients are cut towards zero.
    """
    spans = (source - 1, target - 1) if corners and target > 1 else (source, target)
    scale = (_ONE * spans[0] + spans[1] // 2) // spans[1]
    scaled = place * scale + (scale // 2 - (1 << 9) if centers else 0)
    first = max(int(scaled / _ONE), 0)
    second = min(int((scaled + _ONE - 1) / _ONE), source - 1)
    return first, second, scaled - _ONE * first if second != first else 0
