"""Rules of what only moves elements."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from edgebio.compiler import views
from edgebio.compiler.node import MOST_SIZE, Node
from edgebio.tflite.graph import Option

_MOST_JOINED: Final = 10  # tensors in a CONCATENATION: the reference takes no more


def pad(node: Node) -> None:
    node.count(2, 2)
    source = node.activation(node.input(0))
    node.activation(node.output)
    paddings = node.constant(1, "paddings")
    rank = len(source.shape)
    if not 1 <= rank <= 4 or paddings.shape != (rank, 2):
        node.refuse(f"paddings of shape {list(paddings.shape)} for {rank} axes")
    pairs = [(int(before), int(after)) for before, after in paddings]
    if any(not 0 <= size <= MOST_SIZE for pair in pairs for size in pair):
        node.refuse(f"paddings {pairs}")
    node.shape(tuple(b + n + a for (b, a), n in zip(pairs, source.shape, strict=True)))


def reshape(node: Node) -> None:
    node.count(1, 2)
    source, output = node.input(0), node.output
    if source.data is not None:
        node.refuse(f"tensor {source.index} is a constant")
    if source.dtype != output.dtype:
        node.refuse(f"{source.dtype} to {output.dtype}")
    if math.prod(source.shape) != math.prod(output.shape):
        node.refuse(f"{list(source.shape)} to {list(output.shape)} changes the number of elements")


def concatenation(node: Node) -> None:
    node.count(1, _MOST_JOINED)
    tensors = [node.activation(node.input(p), constant=True) for p in range(len(node.inputs))]
    output = node.activation(node.output)
    if all(tensor.data is not None for tensor in tensors):
        node.refuse("all inputs are constants")
    if node.options["activation"] != "NONE":
        node.refuse(f"fused activation {node.options['activation']} is not supported")
    rank = len(output.shape)
    axis = int(node.options["axis"])
    if not -rank <= axis < rank:
        node.refuse(f"axis {axis} of {rank}")
    axis %= rank
    for tensor in tensors:
        rest = [size for other, size in enumerate(tensor.shape) if other != axis]
        wanted = [size for other, size in enumerate(output.shape) if other != axis]
        if len(tensor.shape) != rank or rest != wanted:
            node.refuse(
                f"tensor {tensor.index} of shape {list(tensor.shape)} does not fit the output, "
                f"{list(output.shape)}, along axis {axis}"
            )
        if tensor.scale[0] != output.scale[0] or tensor.zero_point[0] != output.zero_point[0]:
            # The reference moves bytes: with another scale they would mean something else.
            node.refuse(
                f"tensor {tensor.index} has scale {tensor.scale[0]:g} and zero point "
                f"{tensor.zero_point[0]}, the output {output.scale[0]:g} and "
                f"{output.zero_point[0]}; they must be equal"
            )
    total = sum(tensor.shape[axis] for tensor in tensors)
    node.shape((*output.shape[:axis], total, *output.shape[axis + 1 :]))


def transpose(node: Node) -> None:
    node.count(2, 2)
    source = node.activation(node.input(0))
    node.activation(node.output)
    order = [int(axis) for axis in node.constant(1, "axes").ravel()]
    if sorted(order) != list(range(len(source.shape))):
        node.refuse(f"axes {order} of {len(source.shape)}")
    node.shape(tuple(source.shape[axis] for axis in order))
    _walkable(node, views.transposed(source.shape, order))


def strided_slice(node: Node) -> None:
    node.count(4, 4)
    source = node.activation(node.input(0))
    node.activation(node.output)
    rank = len(source.shape)
    if not 1 <= rank <= 4:
        node.refuse(f"{rank} axes; 1 to 4 are supported")
    for option in ("ellipsis_mask", "new_axis_mask", "offset"):
        if node.options[option]:
            node.refuse(f"{option} is not supported")
    given = [
        [int(index) for index in node.constant(position, what).ravel()]
        for position, what in ((1, "begin"), (2, "end"), (3, "strides"))
    ]
    if any(len(indices) != rank for indices in given):
        node.refuse(f"{' and '.join(str(len(i)) for i in given)} indices for {rank} axes")
    if 0 in given[2]:
        node.refuse("a stride of 0")
    if any(abs(stride) > MOST_SIZE for stride in given[2]):
        node.refuse(f"strides {given[2]}")
    shrunk = int(node.options["shrink_axis_mask"])
    for axis, (begin, stride) in enumerate(zip(given[0], given[2], strict=True)):
        if shrunk & 1 << axis and (
            stride != 1 or not -source.shape[axis] <= begin < source.shape[axis]
        ):
            node.refuse(
                f"element {begin} by {stride} of axis {axis}, which has {source.shape[axis]}"
            )
    axes = slices(source.shape, given, node.options)
    node.shape(tuple(n for axis, (_, n) in enumerate(axes) if not shrunk & 1 << axis))


def slices(
    shape: tuple[int, ...], given: Sequence[Sequence[int]], options: Mapping[str, Option]
) -> list[tuple[int, int]]:
    """First index and number of elements of a STRIDED_SLICE along each axis."""
    masks = [int(options[name]) for name in ("begin_mask", "end_mask", "shrink_axis_mask")]
    found = []
    for axis, (size, begin, end, stride) in enumerate(zip(shape, *given, strict=True)):
        from_first, to_last, alone = (bool(mask & 1 << axis) for mask in masks)
        first, count = views.along_axis(
            begin, end, stride, size, from_first=from_first, to_last=to_last
        )
        found.append((first, 1 if alone else count))
    return found


def _walkable(node: Node, view: views.View) -> None:
    if len(view.sizes) > 4:
        node.refuse(f"{len(view.sizes)} runs of axes; at most 4 are supported")
