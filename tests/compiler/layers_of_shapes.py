"""Layers that compute shapes, and dilated convolutions as blocks, as converters write them."""

from collections.abc import Callable, Sequence

import numpy as np

from tests.compiler.networks import Net


def computed_reshape(net: Net, shape: tuple[int, ...]) -> None:
    """RESHAPE to a batch that SHAPE gives, and the other sizes, as Keras 3 does."""
    rank = len(net.shape_of(net.at))
    sizes = net.tensor((rank,), "INT32")
    net.operator("SHAPE", [net.at], [sizes], "ShapeOptions", outType=2)
    limits = [net.tensor((1,), "INT32", data=np.array([n], np.int32)) for n in (0, 1, 1)]
    batch, masks = net.tensor((), "INT32"), {"shrinkAxisMask": 1}
    net.operator("STRIDED_SLICE", [sizes, *limits], [batch], "StridedSliceOptions", **masks)
    others = [net.tensor((), "INT32", data=np.array(n, np.int32)) for n in shape[1:]]
    target = net.tensor((len(shape),), "INT32")
    options = {"axis": 0, "valuesCount": len(shape)}
    net.operator("PACK", [batch, *others], [target], "PackOptions", **options)
    output = net.activation(shape, net.scale_of(net.at), net.zero_of(net.at))
    net.operator("RESHAPE", [net.at, target], [output], "ReshapeOptions")
    net.at = output


def blocks(
    net: Net, block: Sequence[int], pads: Sequence[Sequence[int]], crops: Sequence[Sequence[int]],
    inside: Callable[[], None],
) -> None:  # fmt: skip
    """SPACE_TO_BATCH_ND, what `inside` adds on all blocks, and BATCH_TO_SPACE_ND."""
    shape, count = net.shape_of(net.at), len(block)
    batch = int(np.prod(block))
    spatial = [(n + sum(p)) // b for n, p, b in zip(shape[1:], pads, block, strict=False)]
    parts = (batch, *spatial, *shape[1 + count :])
    _convert(net, "SPACE_TO_BATCH_ND", block, pads, parts)
    inside()
    shape = net.shape_of(net.at)
    spatial = [n * b - sum(c) for n, b, c in zip(shape[1:], block, crops, strict=False)]
    _convert(net, "BATCH_TO_SPACE_ND", block, crops, (1, *spatial, *shape[1 + count :]))


def _convert(
    net: Net, kind: str, block: Sequence[int], edges: Sequence[Sequence[int]],
    shape: tuple[int, ...],
) -> None:  # fmt: skip
    constants = [
        net.tensor((len(block),), "INT32", data=np.array(block, np.int32)),
        net.tensor((len(block), 2), "INT32", data=np.array(edges, np.int32)),
    ]
    output = net.activation(shape, net.scale_of(net.at), net.zero_of(net.at))
    options = kind.title().replace("_", "").replace("Nd", "ND") + "Options"
    net.operator(kind, [net.at, *constants], [output], options)
    net.at = output


def any_blocks(net: Net) -> None:
    """A dilated convolution of an image or a sequence, with padding as SAME gives it or none."""
    shape = net.shape_of(net.at)
    count = len(shape) - 2
    block = [int(n) for n in net.rng.integers(1, 4, count)]
    size = [int(n) for n in net.rng.integers(1, 4, count)]
    pads, crops = [], []
    for length, step, window in zip(shape[1:], block, size, strict=False):
        reach = (window - 1) * step
        before = reach // 2 if length <= reach or net.rng.random() < 0.5 else 0
        after = max(reach - before, 0) if length <= reach or before else 0
        fill = -(length + before + after) % step
        pads.append([before, after + fill])
        crops.append([0, fill])
    layer = net.depthwise if net.rng.random() < 0.4 else net.conv
    blocks(net, block, pads, crops, lambda: inner(net, layer, size))


def inner(net: Net, layer: Callable[..., None], size: Sequence[int]) -> None:
    """A convolution of stride 1 without padding; of a sequence, by way of a row."""
    if len(size) == 1:
        shape = net.shape_of(net.at)
        net.reshape((shape[0], 1, *shape[1:]))
    height, width = (1,) * (2 - len(size)) + tuple(size)
    ones = [1, 1]
    layer(window={"size": [height, width], "stride": ones, "dilation": ones, "same": False})
    if len(size) == 1:
        shape = net.shape_of(net.at)
        net.reshape((shape[0], *shape[2:]))
