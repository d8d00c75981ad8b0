"""Networks with a RESHAPE between two layers that could be fused."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.compiler.networks import Net
from tests.compiler.reference import Build

KINDS = ("RESHAPE", "EXPAND_DIMS")
Family = Callable[[str], Build]


def window(size: tuple[int, int], *, same: bool = False, **more: Any) -> dict[str, Any]:
    return {"size": list(size), "stride": [1, 1], "dilation": [1, 1], "same": same, **more}


def max_pool(builder: Net, height: int, width: int) -> None:
    builder.pool(window((height, width), stride=[height, width]), "MAX_POOL_2D")


def image_pooled_under_another_shape(builder: Net) -> None:
    builder.conv(window((3, 3), same=True), 4)
    builder.reshape((1, 6, 8, 4))
    max_pool(builder, 2, 2)


def rows_pooled_as_columns_of_another_length(builder: Net) -> None:
    builder.conv(window((3, 3), same=True), 4)
    builder.reshape((1, 48, 1, 4))
    max_pool(builder, 2, 1)


def channels_pooled_as_pixels(builder: Net) -> None:
    builder.conv(window((3, 3), same=True), 1)
    builder.reshape((1, 1, 8, 6))
    max_pool(builder, 1, 2)


def padding_under_another_shape(builder: Net) -> None:
    builder.pad([[0, 0], [1, 1], [0, 0], [0, 0]])
    builder.reshape((1, 6, 10, 2))
    builder.conv(window((3, 3)), 4)


def padded_channels_read_as_pixels(builder: Net) -> None:
    builder.pad([[0, 0], [0, 0], [0, 0], [1, 1]])
    builder.reshape((1, 8, 24, 1))
    builder.conv(window((3, 3)), 4)


def padded_pixels_read_as_channels(builder: Net) -> None:
    builder.pad([[0, 0], [2, 0], [0, 0], [0, 0]])
    builder.reshape((1, 1, 10, 12))
    builder.conv(window((1, 3)), 4)


def depthwise_of_padding_under_another_shape(builder: Net) -> None:
    builder.pad([[0, 0], [0, 0], [1, 1], [0, 0]])
    builder.reshape((1, 4, 16, 2))
    builder.depthwise(1, window((3, 3)))


IMAGES = (
    image_pooled_under_another_shape,
    rows_pooled_as_columns_of_another_length,
    channels_pooled_as_pixels,
    padding_under_another_shape,
    padded_channels_read_as_pixels,
    padded_pixels_read_as_channels,
    depthwise_of_padding_under_another_shape,
)
"""Networks on (8, 6, 2) whose layers see different images: none may be fused."""


def conv_and_pool(kind: str) -> Build:
    """`Conv1D(4, 3) -> MaxPooling1D(2)`, lowered with RESHAPE or EXPAND_DIMS."""

    def build(builder: Net) -> None:
        builder.conv_1d(4, causal=False, kind=kind, size=3, stride=1, dilation=1, same=False)
        builder.pool_1d(kind=kind, pool="MAX_POOL_2D", size=2, stride=2, same=False)

    return build


def padding_and_conv(kind: str) -> Build:
    """`ZeroPadding1D((2, 1)) -> Conv1D(4, 3)`."""

    def build(builder: Net) -> None:
        builder.pad([[0, 0], [2, 1], [0, 0]])
        builder.conv_1d(4, causal=False, kind=kind, size=3, stride=1, dilation=1, same=False)

    return build


def causal_conv(kind: str) -> Build:
    """Two causal `Conv1D`, dilated as in temporal convolutional networks, and a pool."""

    def build(builder: Net) -> None:
        for dilation in (1, 2):
            builder.conv_1d(4, causal=True, kind=kind, size=3, stride=1, dilation=dilation)
        builder.pool_1d(kind=kind, pool="MAX_POOL_2D", size=3, stride=3, same=False)

    return build


def depthwise_of_a_sequence(kind: str) -> Build:
    """`ZeroPadding1D -> DepthwiseConv1D -> MaxPooling1D`."""

    def build(builder: Net) -> None:
        builder.pad([[0, 0], [1, 4], [0, 0]])
        options = {"size": 3, "stride": 2, "dilation": 1, "same": True}
        builder.conv_1d(causal=False, kind=kind, layer=builder.depthwise, **options)
        builder.pool_1d(kind=kind, pool="MAX_POOL_2D", size=2, stride=2, same=False)

    return build


def all_of_a_sequence(shape: tuple[int, int]) -> Build:
    """Layers on a sequence of `shape`, which may be one step or one channel."""

    def build(builder: Net) -> None:
        builder.conv_1d(16, causal=False, size=3, stride=1, dilation=1, same=True)
        size = min(shape[0], 2)
        builder.pool_1d(pool="MAX_POOL_2D", size=size, stride=size, same=False)
        builder.conv_1d(5, causal=True, size=2, stride=1, dilation=1)

    return build


def clamp_under_another_shape(builder: Net) -> None:
    builder.conv(window((3, 3)), 4)
    builder.graph.tensors[builder.at].quantization.zeroPoint = [-20]
    builder.reshape((1, 1, 24, 4))
    output = builder.activation((1, 1, 24, 4), builder.scale_of(builder.at), -20)
    builder.operator("RELU", [builder.at], [output])
    builder.at = output


SEQUENCES: dict[Family, int] = {
    conv_and_pool: 1,
    padding_and_conv: 1,
    causal_conv: 2,
    depthwise_of_a_sequence: 2,
}
"""Networks on (20, 2), and their number of layers after fusion."""


class Plain(Net):
    """Layers without fused activations, which would leave few values to compare."""

    def fused(self) -> int:
        return 0


def build_plain(build: Build, shape: tuple[int, ...]) -> bytes:
    builder = Plain(np.random.default_rng(0), (1, *shape))
    build(builder)
    return builder.finish()


def reshaped_networks() -> list[bytes]:
    models = [build_plain(build, (8, 6, 2)) for build in (*IMAGES, clamp_under_another_shape)]
    models += [build_plain(family(kind), (20, 2)) for family in SEQUENCES for kind in KINDS]
    for shape in ((1, 2), (20, 1), (9, 16)):
        models.append(build_plain(all_of_a_sequence(shape), shape))
    return models
