"""SPLIT, SPLIT_V: parts along one axis; neighboring elements become views, others copies."""

from collections.abc import Sequence

from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.view import View, strides
from edgebio.compiler.operators.common import Node, operator
from edgebio.compiler.operators.common.copy import make_part


@operator("SPLIT", several_outputs=True)
def split(node: Node) -> tuple[Layer, ...]:
    node.check_inputs(2, 2)
    axis = _axis(node, 0, 1)
    size, count = node.input(1).shape[axis], len(node.outputs)
    if size % count:
        node.refuse(f"{size} elements of axis {axis} do not make {count} parts of one size")
    return split_at(node, 1, axis, [size // count] * count)


@operator("SPLIT_V", several_outputs=True)
def split_v(node: Node) -> tuple[Layer, ...]:
    node.check_inputs(3, 3)
    axis = _axis(node, 2, 0)
    size, sizes = node.input(0).shape[axis], node.integers(1, "sizes")
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = size - sum(sizes) - 1
    if len(sizes) != len(node.outputs) or sum(sizes) != size or min(sizes) < 1:
        node.refuse(f"parts of {sizes} of axis {axis}, which has {size}, to {len(node.outputs)}")
    return split_at(node, 0, axis, sizes)


def _axis(node: Node, position: int, source: int) -> int:
    """The constant axis of the input at `source`, counted from 0."""
    if node.options["num_splits"] != len(node.outputs):
        node.refuse(f"{node.options['num_splits']} parts to {len(node.outputs)} outputs")
    values, rank = node.integers(position, "axis"), len(node.input(source).shape)
    if len(values) != 1 or not -rank <= values[0] < rank:
        node.refuse(f"axis {values} of {rank}")
    return values[0] % rank


def split_at(
    node: Node, position: int, axis: int, sizes: Sequence[int], *, removes: bool = False
) -> tuple[Layer, ...]:
    """Layers that copy parts of an input along an axis, which is removed or not, to the outputs."""
    source = node.check_int8(node.input(position))
    shape, steps = source.shape, strides(source.shape)
    layers: list[Layer] = []
    at = 0
    for output, size in enumerate(sizes):
        part = (*shape[:axis], size, *shape[axis + 1 :])
        node.check_shape(part if not removes else shape[:axis] + shape[axis + 1 :], output)
        node.check_same_scale(source, output)
        view = View.of(at * steps[axis], part, steps)
        assert len(view.sizes) <= 2  # the axes before the parts, and the rest
        layers.append(make_part(node, view, position=position, output=output))
        at += size
    return tuple(layers)
