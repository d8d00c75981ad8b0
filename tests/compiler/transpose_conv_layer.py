"""A random TRANSPOSE_CONV, added to a network."""

import numpy as np

from tests.compiler.networks import Net


def transpose_conv(
    net: Net, size: tuple[int, int], stride: tuple[int, int], *, same: bool, bias: bool = True,
    cut: int = 0,
) -> None:  # fmt: skip
    """`cut` leaves out so many last rows and columns of the output."""
    shape, outputs = net.shape_of(net.at), int(net.rng.integers(1, 7))
    weights, sums, scale = net.weighted((outputs, *size, shape[3]), 0, outputs)
    height, width = (
        length * step - cut if same else (length - 1) * step + window - cut
        for length, step, window in zip(shape[1:3], stride, size, strict=True)
    )
    image = (1, max(height, 1), max(width, 1), outputs)
    target = net.tensor((4,), "INT32", data=np.array(image, np.int32))
    output = net.activation(image, scale)
    net.operator(
        "TRANSPOSE_CONV",
        [target, weights, net.at, *([sums] if bias and sums >= 0 else [])],
        [output],
        "TransposeConvOptions",
        padding=0 if same else 1,
        strideH=stride[0],
        strideW=stride[1],
        fusedActivationFunction=net.fused(),
    )
    net.at = output


def any_transpose_conv(net: Net) -> None:
    """A small one."""
    sizes = [int(n) for n in net.rng.integers(1, 5, 2)]
    steps = [int(n) for n in net.rng.integers(1, 3, 2)]
    same = bool(net.rng.random() < 0.5)
    transpose_conv(net, (sizes[0], sizes[1]), (steps[0], steps[1]), same=same)
