"""Random layers without weights, added to a network."""

import math

import numpy as np

from tests.compiler.model_builder import load_schema
from tests.compiler.networks import Net


def unary(net: Net, kind: str) -> None:
    """ABS or ELU."""
    output = net.activation(net.shape_of(net.at), net.near(net.at))
    net.operator(kind, [net.at], [output])
    net.at = output


def bound(net: Net, kind: str, other: int | None = None, *, first: bool = True) -> None:
    """MINIMUM or MAXIMUM with a tensor of the same scale, or with a random constant."""
    shape, scale, zero = net.shape_of(net.at), net.scale_of(net.at), net.zero_of(net.at)
    if other is None:
        sizes = [(1,), shape[-1:], shape]
        size = sizes[int(net.rng.integers(len(sizes)))]
        data = net.rng.integers(-128, 128, size).astype(np.int8)
        other = net.tensor(size, "INT8", scale, zero, data=data)
    output = net.activation(np.broadcast_shapes(shape, net.shape_of(other)), scale, zero)
    net.operator(kind, [net.at, other] if first else [other, net.at], [output])
    net.at = output


def bounded_branch(net: Net) -> None:
    """MINIMUM or MAXIMUM of a tensor and a table of it."""
    trunk = net.at
    output = net.activation(net.shape_of(trunk), net.scale_of(trunk), net.zero_of(trunk))
    net.operator("ABS", [trunk], [output])
    net.at = output
    bound(net, str(net.rng.choice(["MINIMUM", "MAXIMUM"])), trunk)


def reduction(net: Net, kind: str, axes: list[int], *, keep: bool = True) -> None:
    """SUM or REDUCE_MAX over some axes."""
    shape = net.shape_of(net.at)
    reduced = {axis % len(shape) for axis in axes}
    remaining = tuple(
        1 if axis in reduced else size
        for axis, size in enumerate(shape)
        if keep or axis not in reduced
    )
    count = math.prod(shape) // math.prod(remaining)
    axis = net.tensor((len(axes),), "INT32", data=np.array(axes, np.int32))
    scale, zero = net.scale_of(net.at), net.zero_of(net.at)
    if kind == "SUM":
        scale = np.float32(net.near(net.at) * math.sqrt(count))
        zero = net.zero_point()
    output = net.activation(remaining, scale, zero)
    net.operator(kind, [net.at, axis], [output], "ReducerOptions", keepDims=keep)
    net.at = output


def reduced(net: Net, kind: str) -> None:
    """SUM or REDUCE_MAX over one or two axes but the first."""
    rank = len(net.shape_of(net.at))
    count = int(net.rng.integers(1, min(rank, 3)))
    axes = [1 + int(axis) for axis in net.rng.permutation(rank - 1)[:count]]
    reduction(net, kind, axes)


def l2_normalization(net: Net) -> None:
    output = net.activation(net.shape_of(net.at), 1 / 128, 0)
    net.operator("L2_NORMALIZATION", [net.at], [output], "L2NormOptions")
    net.at = output


def log_softmax(net: Net) -> None:
    output = net.activation(net.shape_of(net.at), 1 / 16, 127)
    net.operator("LOG_SOFTMAX", [net.at], [output], "LogSoftmaxOptions")
    net.at = output


def same_scale(net: Net, shape: tuple[int, ...]) -> int:
    return net.activation(shape, net.scale_of(net.at), net.zero_of(net.at))


def gather(net: Net, axis: int, indices: object) -> None:
    shape, data = net.shape_of(net.at), np.array(indices, np.int32)
    place = axis % len(shape)
    constant = net.tensor(data.shape, "INT32", data=data)
    output = same_scale(net, (*shape[:place], *data.shape, *shape[place + 1 :]))
    net.operator("GATHER", [net.at, constant], [output], "GatherOptions", axis=axis)
    net.at = output


def mirror_pad(net: Net, mode: str, pads: list[list[int]]) -> None:
    constant = net.tensor((len(pads), 2), "INT32", data=np.array(pads, np.int32))
    shape = zip(net.shape_of(net.at), pads, strict=True)
    output = same_scale(net, tuple(size + sum(pair) for size, pair in shape))
    code = ("REFLECT", "SYMMETRIC").index(mode)
    net.operator("MIRROR_PAD", [net.at, constant], [output], "MirrorPadOptions", mode=code)
    net.at = output


def resize(
    net: Net, size: tuple[int, int], *, corners: bool = False, centers: bool = False
) -> None:
    constant = net.tensor((2,), "INT32", data=np.array(size, np.int32))
    output = same_scale(net, (1, *size, net.shape_of(net.at)[3]))
    net.operator(
        "RESIZE_NEAREST_NEIGHBOR",
        [net.at, constant],
        [output],
        "ResizeNearestNeighborOptions",
        alignCorners=corners,
        halfPixelCenters=centers,
    )
    net.at = output


def blocks(net: Net, kind: str, block: int) -> None:
    """SPACE_TO_DEPTH or DEPTH_TO_SPACE."""
    _, height, width, channels = net.shape_of(net.at)
    shape = (1, height * block, width * block, channels // block**2)
    if kind == "SPACE_TO_DEPTH":
        shape = (1, height // block, width // block, channels * block**2)
    output = same_scale(net, shape)
    options = kind.title().replace("_", "") + "Options"
    net.operator(kind, [net.at], [output], options, blockSize=block)
    net.at = output


def pack(net: Net, axis: int, count: int) -> None:
    """PACK of a tensor, constants, and the tensor again."""
    shape = net.shape_of(net.at)
    inputs = [net.at]
    for _ in range(count - 1):
        data = net.rng.integers(-128, 128, shape).astype(np.int8)
        scale, zero = net.scale_of(net.at), net.zero_of(net.at)
        inputs.append(net.tensor(shape, "INT8", scale, zero, data=data))
    place = axis % (len(shape) + 1)
    output = same_scale(net, (*shape[:place], count, *shape[place:]))
    net.operator("PACK", inputs, [output], "PackOptions", axis=axis, valuesCount=count)
    net.at = output


def resized(net: Net) -> None:
    """RESIZE_NEAREST_NEIGHBOR of an image, GATHER along the axis of a sequence."""
    shape = net.shape_of(net.at)
    if len(shape) == 4:
        height, width = (int(size) for size in net.rng.integers(1, 12, 2))
        choice = int(net.rng.integers(3))
        return resize(net, (height, width), corners=choice == 1, centers=choice == 2)
    axis = int(net.rng.integers(1, len(shape)))
    return gather(net, axis, net.rng.integers(0, shape[axis], net.rng.integers(1, 9)).tolist())


def mirrored(net: Net) -> None:
    """MIRROR_PAD by random paddings."""
    mode = str(net.rng.choice(["REFLECT", "SYMMETRIC"]))
    shape, edge = net.shape_of(net.at), int(mode == "REFLECT")
    pads = [[int(n) for n in net.rng.integers(0, min(4, size - edge + 1), 2)] for size in shape]
    mirror_pad(net, mode, [[0, 0], *pads[1:]])


def resize_bilinear(
    net: Net, size: tuple[int, int], *, corners: bool = False, centers: bool = False
) -> None:
    constant = net.tensor((2,), "INT32", data=np.array(size, np.int32))
    output = same_scale(net, (1, *size, net.shape_of(net.at)[3]))
    net.operator(
        "RESIZE_BILINEAR",
        [net.at, constant],
        [output],
        "ResizeBilinearOptions",
        alignCorners=corners,
        halfPixelCenters=centers,
    )
    net.at = output


def tile(net: Net, multiples: list[int]) -> None:
    constant = net.tensor((len(multiples),), "INT32", data=np.array(multiples, np.int32))
    shape = [n * count for n, count in zip(net.shape_of(net.at), multiples, strict=True)]
    output = same_scale(net, tuple(shape))
    net.operator("TILE", [net.at, constant], [output], "TileOptions")
    net.at = output


def arg_max(net: Net, axis: int) -> None:
    """ARG_MAX, after which there is nothing but the output."""
    constant = net.tensor((), "INT32", data=np.array(axis, np.int32))
    shape = list(net.shape_of(net.at))
    del shape[axis]
    output = net.tensor(tuple(shape), "INT32")
    options = {"outputType": load_schema().TensorType.INT32}
    net.operator("ARG_MAX", [net.at, constant], [output], "ArgMaxOptions", **options)
    net.at = output


def batch_matmul(
    net: Net, other: int, *, adj_x: bool = False, adj_y: bool = False, first: bool = True
) -> None:
    """The tensor times another one; the other way around unless it is first."""
    x, y = (net.at, other) if first else (other, net.at)
    a, b = net.shape_of(x), net.shape_of(y)
    rows, depth = a[-2:][::-1] if adj_x else a[-2:]
    columns = b[-2 if adj_y else -1]
    batches = np.broadcast_shapes(a[:-2], b[:-2])
    spread = 70 * 70 * math.sqrt(depth) / 50
    scale = np.float32(net.scale_of(x) * net.scale_of(y) * spread * net.rng.uniform(0.5, 2))
    output = net.activation((*batches, rows, columns), scale)
    options = {"adjX": adj_x, "adjY": adj_y}
    net.operator("BATCH_MATMUL", [x, y], [output], "BatchMatMulOptions", **options)
    net.at = output


def matrix(net: Net, shape: tuple[int, ...]) -> int:
    """A constant matrix for `batch_matmul`."""
    data = net.rng.integers(-128, 128, shape).astype(np.int8)
    return net.tensor(shape, "INT8", net.scale(), net.zero_point(), data=data)


def any_batch_matmul(net: Net) -> None:
    """The tensor times itself, as attention does, or times a constant."""
    shape = net.shape_of(net.at)
    adjoint = bool(net.rng.random() < 0.5)
    if net.rng.random() < 0.5:
        return batch_matmul(net, net.at, adj_x=not adjoint, adj_y=adjoint)
    first, width = bool(net.rng.random() < 0.5), int(net.rng.integers(1, 9))
    depth = shape[-1 if first else -2]
    sizes = [depth, width] if first != adjoint else [width, depth]
    where = {"adj_y" if first else "adj_x": adjoint}
    return batch_matmul(net, matrix(net, (*shape[:-2], *sizes)), first=first, **where)


def float_elu(net: Net) -> None:
    """ELU between DEQUANTIZE and QUANTIZE, as converters write it."""
    shape = net.shape_of(net.at)
    source, result = net.tensor(shape, "FLOAT32"), net.tensor(shape, "FLOAT32")
    net.operator("DEQUANTIZE", [net.at], [source])
    net.operator("ELU", [source], [result])
    output = net.activation(shape, net.near(net.at))
    net.operator("QUANTIZE", [result], [output])
    net.at = output


def to_uint8(net: Net) -> None:
    """QUANTIZE to uint8, as at the end of a network with uint8 edges."""
    output = net.tensor(net.shape_of(net.at), "UINT8", net.near(net.at), net.zero_of(net.at) + 128)
    net.operator("QUANTIZE", [net.at], [output])
    net.at = output


def any_resize_bilinear(net: Net) -> None:
    height, width = (int(size) for size in net.rng.integers(1, 12, 2))
    choice = int(net.rng.integers(3))
    resize_bilinear(net, (height, width), corners=choice == 1, centers=choice == 2)


def any_blocks_of_pixels(net: Net) -> None:
    """SPACE_TO_DEPTH or DEPTH_TO_SPACE, of blocks that fit."""
    _, height, width, channels = net.shape_of(net.at)
    if net.rng.random() < 0.5:
        fit = [n for n in (3, 2) if height % n == width % n == 0]
        return blocks(net, "SPACE_TO_DEPTH", (*fit, 1)[0])
    fit = [n for n in (3, 2) if channels % n**2 == 0]
    return blocks(net, "DEPTH_TO_SPACE", (*fit, 1)[0])


def any_of_them(net: Net) -> None:
    """A random one."""
    kinds = {
        "ABS": lambda: unary(net, "ABS"),
        "MINIMUM": lambda: bound(net, "MINIMUM", first=bool(net.rng.random() < 0.5)),
        "MAXIMUM": lambda: bound(net, "MAXIMUM", first=bool(net.rng.random() < 0.5)),
        "ELU": lambda: unary(net, "ELU"),
        "SUM": lambda: reduced(net, "SUM"),
        "REDUCE_MAX": lambda: reduced(net, "REDUCE_MAX"),
        "L2_NORMALIZATION": lambda: l2_normalization(net),
        "LOG_SOFTMAX": lambda: log_softmax(net),
        "resized": lambda: resized(net),
        "MIRROR_PAD": lambda: mirrored(net),
        "branch": lambda: bounded_branch(net),
        "BATCH_MATMUL": lambda: any_batch_matmul(net),
        "float ELU": lambda: float_elu(net),
    }
    if len(net.shape_of(net.at)) == 4:
        kinds["RESIZE_BILINEAR"] = lambda: any_resize_bilinear(net)
        kinds["blocks"] = lambda: any_blocks_of_pixels(net)
    kind = str(net.rng.choice(list(kinds)))
    if kind == "LOG_SOFTMAX" and net.scale_of(net.at) < 2.0**-24:
        kind = "ABS"  # products of products may have any scale
    kinds[kind]()
