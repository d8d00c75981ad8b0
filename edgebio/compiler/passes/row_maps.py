"""Row maps: which rows of its inputs a layer reads for each row of its output.

A row is what a tensor holds of one step in time. Time is the first axis of the model's input, so
the bytes of a row are neighbors in every tensor that keeps time outermost.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.network import Network
from edgebio.errors import EdgebioError


@dataclass(frozen=True)
class RowMap:
    """Row r of the output reads rows r * step + tap of an input; those outside are padding.

    Attributes
    ----------
    step : int
    taps : tuple of int
        Ascending.
    """

    step: int = 1
    taps: tuple[int, ...] = (0,)

    def rows(self, row: int) -> list[int]:
        """Rows of the input under a row of the output, padding included."""
        return [row * self.step + tap for tap in self.taps]


@dataclass(frozen=True, eq=False)
class RowLayer:
    """A layer whose rows are computed each from some rows of its inputs, all in the same way.

    Attributes
    ----------
    layer : Layer
    rows : int
        Rows of the output.
    maps : mapping
        For each input tensor that is not constant.
    axis : int
        Axis of time among those of the layer's parameters.
    sliceable : bool
        Whether it can compute some rows only; a layer that just copies computes all.
    """

    layer: Layer
    rows: int
    maps: Mapping[int, RowMap]
    axis: int = 0
    sliceable: bool = True


def row_layer(network: Network, layer: Layer, counts: Mapping[int, int]) -> RowLayer | str:
    """Find the row maps of a layer, or say why it computes its output from the whole window.

    Parameters
    ----------
    counts
        Rows of each tensor that has rows.

    Raises
    ------
    EdgebioError
        If it reads time backwards.
    """
    computed = [index for index in layer.inputs if not network.is_constant(index)]
    if any(index not in counts for index in computed):
        return "it reads what is computed once a decision"
    count = counts[computed[0]]
    if any(counts[index] != count for index in computed):
        return "its inputs have different numbers of rows"
    if count == 1:
        return "its input has a single row"
    same = {index: RowMap() for index in computed}
    match layer:
        case layers.Windowed():
            return _windowed(layer, count)
        case layers.Broadcast():
            return _broadcast(network, layer, count)
        case layers.Table() | layers.Quantize():
            return RowLayer(layer, count, same)
        case layers.FullyConnected():
            if layer.rows % count:
                return "it connects all rows"
            return RowLayer(layer, count, same)
        case layers.Mean():
            return RowLayer(layer, count, same) if layer.runs[0] % count == 0 else "a mean of rows"
        case layers.Pad():
            return _pad(layer, count)
        case layers.KernelLayer():
            return _kernel_layer(network, layer, count)
    return "its operator keeps no rows"


def time_axis(shape: tuple[int, ...], count: int) -> int | None:
    """First axis of a shape that is not 1, if it is time."""
    axis = next((axis for axis, size in enumerate(shape) if size > 1), None)
    return axis if axis is not None and shape[axis] == count else None


def _windowed(layer: layers.Windowed, count: int) -> RowLayer | str:
    window = layer.window
    axis = time_axis(window.input, count)
    if axis is None:
        return "it sees the rows under another shape"
    pool = layer.pool[axis] if isinstance(layer, layers.Conv2D) else 1
    stride, gap, before = window.stride[axis], window.dilation[axis], window.before[axis]
    taps = {
        place * stride + tap * gap - before
        for place in range(pool)
        for tap in range(window.size[axis])
    }
    map_ = RowMap(stride * pool, tuple(sorted(taps)))
    rows = layer.image[axis]
    if axis == 1 and layer.image[0] != 1:
        return "its output has time inside"
    reads_rows = all(any(0 <= tap < count for tap in map_.rows(row)) for row in range(rows))
    return RowLayer(layer, rows, {layer.inputs[0]: map_}, axis, sliceable=reads_rows)


def _broadcast(network: Network, layer: layers.Broadcast, count: int) -> RowLayer | str:
    axis = time_axis(layer.shape, count)
    if axis is None:
        return "it sees the rows under another shape"
    maps = {}
    for index, steps in zip(layer.inputs, layer.steps, strict=True):
        if not network.is_constant(index):
            maps[index] = RowMap()
            if steps[axis] * count != math.prod(network.tensors[index].shape):
                return "it repeats an input along time"
        elif steps[axis]:
            return "its constant differs from row to row"
    return RowLayer(layer, count, maps, axis)


def _pad(layer: layers.Pad, count: int) -> RowLayer | str:
    axis = time_axis(layer.shape, count)
    if axis is None or math.prod(layer.padded[:axis]) > 1:
        return "it sees the rows under another shape"
    map_ = RowMap(1, (-layer.pads[axis][0],))
    return RowLayer(layer, layer.padded[axis], {layer.inputs[0]: map_}, axis, sliceable=False)


def _kernel_layer(network: Network, layer: layers.KernelLayer, count: int) -> RowLayer | str:
    computed = [index for index in layer.inputs if not network.is_constant(index)]
    same = {index: RowMap() for index in computed}
    parameters = layer.parameters
    if layer.kernel in ("softmax", "concatenation"):
        rows = parameters["rows"]
        assert isinstance(rows, int)
        if rows % count:
            return "it joins rows"
        if len(computed) < len(layer.inputs):
            return "its constant differs from row to row"
        return RowLayer(layer, count, same)
    if layer.kernel == "prelu":
        size, step = (_integers(parameters[name]) for name in ("size", "step"))
        axis = time_axis(size, count)
        if axis is None:
            return "it sees the rows under another shape"
        return (
            "its slopes differ from row to row"
            if step[axis]
            else RowLayer(layer, count, same, axis)
        )
    if layer.kernel == "copy":
        return _copy(network, layer, count)
    if layer.kernel == "lstm":
        return "it starts from the first row of the window"
    return "its operator keeps no rows"


def _integers(value: object) -> tuple[int, ...]:
    assert isinstance(value, tuple)
    return tuple(int(item) for item in value)


def _copy(network: Network, layer: layers.KernelLayer, count: int) -> RowLayer | str:
    """TRANSPOSE and STRIDED_SLICE: rows that are picked at a constant step, the same of each."""
    start = layer.parameters["start"]
    assert isinstance(start, int)
    places = np.array([start])
    for size, step in zip(
        *(_integers(layer.parameters[name]) for name in ("size", "step")), strict=True
    ):
        places = (places[:, None] + np.arange(size) * step).ravel()
    row = math.prod(network.tensors[layer.inputs[0]].shape) // count
    of_row = places // row
    neighbors = int(np.argmax(of_row != of_row[0])) or len(of_row)
    if len(of_row) % neighbors:
        return "it moves time inside"
    rows = of_row.reshape(-1, neighbors)
    inside = (places % row).reshape(rows.shape)
    steps = np.diff(rows[:, 0])
    if (rows != rows[:, :1]).any() or (inside != inside[0]).any() or len(set(steps.tolist())) > 1:
        return "it moves time inside"
    step = int(steps[0]) if len(steps) else 1
    if step < 0:
        raise EdgebioError(
            f"operator {layer.operators[0]} ({layer.kind}) reads time backwards: windows of such a "
            "network share no rows"
        )
    map_ = RowMap(step, (int(rows[0, 0]),))
    return RowLayer(layer, len(rows), {layer.inputs[0]: map_}, sliceable=False)
