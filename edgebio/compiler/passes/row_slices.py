"""Row slices: a layer that computes only some rows of its output."""

import dataclasses
from collections.abc import Mapping

from edgebio.compiler.ir import layers
from edgebio.compiler.ir.kernel_call import Value
from edgebio.compiler.ir.layer import Elements, Layer
from edgebio.compiler.ir.window import Pair
from edgebio.compiler.passes.row_maps import RowLayer, RowMap

Span = tuple[int, int]
"""First row, and the row behind the last one."""


def read_span(map_: RowMap, span: Span, count: int) -> Span:
    """Rows of an input of `count` rows that the rows `span` of the output are computed from."""
    first, last = span[0] * map_.step + map_.taps[0], (span[1] - 1) * map_.step + map_.taps[-1]
    return max(first, 0), min(last + 1, count)


def slice_rows(
    rows: RowLayer, span: Span, counts: Mapping[int, int], views: Mapping[int, int], output: int
) -> Layer:
    """Layer that computes rows `span`, from the rows of its inputs that `read_span` gives.

    Parameters
    ----------
    counts
        Rows of each input.
    views
        Tensor that holds the rows that are read, for each input.
    output
        Tensor that holds the rows that are written.
    """
    layer, axis, size = rows.layer, rows.axis, span[1] - span[0]
    inputs = tuple(views.get(index, index) for index in layer.inputs)

    def share(value: int) -> int:
        return value * size // rows.rows

    match layer:
        case layers.Windowed():
            ((index, map_),) = rows.maps.items()
            return _windowed(layer, map_, span, counts[index], axis, inputs, output)
        case layers.Broadcast():
            sizes = list(layer.shape)
            sizes[axis] = size
            a, b, c, d = sizes
            return dataclasses.replace(layer, shape=(a, b, c, d), inputs=inputs, output=output)
        case layers.FullyConnected():
            return dataclasses.replace(layer, rows=share(layer.rows), inputs=inputs, output=output)
        case layers.Mean():
            runs = (share(layer.runs[0]), *layer.runs[1:])
            return dataclasses.replace(layer, runs=runs, inputs=inputs, output=output)
        case layers.KernelLayer():
            return _kernel_layer(layer, rows, size, inputs, output)
    return dataclasses.replace(layer, inputs=inputs, output=output)


def _windowed(
    layer: layers.Windowed, map_: RowMap, span: Span, count: int, axis: int,
    inputs: tuple[int, ...], output: int,
) -> Layer:  # fmt: skip
    window = layer.window
    pool = layer.pool[axis] if isinstance(layer, layers.Conv2D) else 1
    places = (span[1] - span[0]) * pool
    begin = span[0] * map_.step - window.before[axis]
    end = begin + (places - 1) * window.stride[axis] + window.extent[axis]
    first, last = read_span(map_, span, count)

    def along(pair: Pair, value: int) -> Pair:
        return (value, pair[1]) if axis == 0 else (pair[0], value)

    return dataclasses.replace(
        layer,
        inputs=inputs,
        output=output,
        window=dataclasses.replace(
            window,
            input=along(window.input, last - first),
            output=along(window.output, places),
            before=along(window.before, max(first - begin, 0)),
            after=along(window.after, max(end - last, 0)),
        ),
    )


def _kernel_layer(
    layer: layers.KernelLayer, rows: RowLayer, size: int, inputs: tuple[int, ...], output: int
) -> Layer:
    parameters: dict[str, Value] = dict(layer.parameters)
    if "rows" in parameters:
        whole = parameters["rows"]
        assert isinstance(whole, int)
        parameters["rows"] = whole * size // rows.rows
    else:
        sizes = parameters["size"]
        assert isinstance(sizes, tuple)
        parameters["size"] = (*sizes[: rows.axis], size, *sizes[rows.axis + 1 :])
    elements: Elements | None = None
    if layer.elements:
        reads, writes = layer.elements
        share = tuple(count * size // rows.rows for count in (*reads, writes))
        elements = share[:-1], share[-1]
    return dataclasses.replace(
        layer, parameters=parameters, elements=elements, inputs=inputs, output=output
    )
