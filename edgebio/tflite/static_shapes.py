"""Static shapes: sizes that a file leaves open are inferred, computed shapes become constants.

A converter that knows no batch leaves the first axis of most tensors open and computes the shapes
for RESHAPE at run time. Here the batch is 1, so that all of it is known.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from edgebio.errors import EdgebioError
from edgebio.tflite.graph import Graph, Operator, Tensor

_MAX_VALUES: Final = 1024  # of a computed shape, far more than any has
_DTYPES: Final = ("int32", "int64")

Values = NDArray[np.generic]


def resolve_shapes(graph: Graph) -> Graph:
    """Graph without open sizes, and without the operators that compute shapes.

    What cannot be inferred stays as it is, for the compiler to refuse.

    Raises
    ------
    EdgebioError
        If the computation of a shape is invalid; names the operator.
    """
    tensors = list(graph.tensors)
    remaining = []
    for operator in graph.operators:
        inputs = [tensors[index] for index in operator.inputs if index >= 0]
        is_computation = _is_shape_computation(operator, inputs)
        outputs = [
            index for index in operator.outputs if is_computation or tensors[index].signature
        ]
        if not is_computation:
            remaining.append(operator)
        for index in outputs:
            infer = _constant if is_computation else _with_shape
            with np.errstate(all="raise"):
                tensors[index] = infer(operator, tensors[index], inputs)
    return replace(graph, tensors=tuple(tensors), operators=tuple(remaining))


def _refuse(operator: Operator, reason: str) -> NoReturn:
    raise EdgebioError(f"operator {operator.index} ({operator.kind}): {reason}")


# Computations of shapes


def _is_shape_computation(operator: Operator, inputs: Sequence[Tensor]) -> bool:
    if len(operator.outputs) != 1 or len(inputs) != len(operator.inputs) or not inputs:
        return False
    return operator.kind == "SHAPE" or (
        operator.kind in _COMPUTATIONS
        and all(
            tensor.data is not None
            and tensor.dtype in _DTYPES
            and not tensor.sparse
            and tensor.data.size <= _MAX_VALUES
            for tensor in inputs
        )
    )


def _constant(operator: Operator, tensor: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """The output with the values that the node computes."""
    values = np.array(inputs[0].shape, np.int64)
    if operator.kind != "SHAPE":
        constants = [each.data.astype(np.int64) for each in inputs if each.data is not None]
        try:
            values = np.asarray(_COMPUTATIONS[operator.kind](operator, *constants))
        except (ArithmeticError, IndexError, TypeError, ValueError) as error:
            _refuse(operator, f"its shape cannot be computed: {error}")
    if tensor.dtype not in _DTYPES or values.size > _MAX_VALUES:
        _refuse(operator, f"{values.size} sizes in {tensor.dtype}")
    if values.size and np.abs(values.astype(np.float64)).max() > np.iinfo(np.int32).max:
        _refuse(operator, f"sizes {values.ravel().tolist()} exceed 32 bits")
    data = values.astype(tensor.dtype)
    return replace(tensor, shape=values.shape, signature=(), data=data)


def _strided_slice(
    operator: Operator, x: Values, begin: Values, end: Values, stride: Values
) -> Any:
    if (
        operator.options["ellipsis_mask"]
        or operator.options["new_axis_mask"]
        or operator.options["offset"]
    ):
        _refuse(operator, "of a shape, an ellipsis, a new axis or an offset is not supported")
    masks = [int(operator.options[f"{name}_mask"]) for name in ("begin", "end", "shrink_axis")]
    picks: list[int | slice] = []
    for axis, (first, last, step) in enumerate(zip(begin, end, stride, strict=True)):
        from_first, to_last, shrinks = (bool(mask & 1 << axis) for mask in masks)
        along = slice(None if from_first else first, None if to_last else last, step)
        picks.append(int(first) if shrinks else along)
    return x[tuple(picks)]


def _gather(operator: Operator, x: Values, indices: Values) -> Any:
    if operator.options["batch_dims"]:
        _refuse(operator, "of a shape, batch axes are not supported")
    return np.take(x, indices.astype(np.int64), int(operator.options["axis"]))


def _broadcast(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of two inputs; no more values than a shape may have."""

    def compute(operator: Operator, a: Values, b: Values) -> Any:
        if math.prod(np.broadcast_shapes(a.shape, b.shape)) > _MAX_VALUES:
            _refuse(operator, f"more than {_MAX_VALUES:,} sizes")
        if operator.options.get("fused_activation_function", "NONE") != "NONE":
            _refuse(operator, "of a shape, a fused activation is not supported")
        return function(a, b)

    return compute


def _reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    def compute(operator: Operator, x: Values, axes: Values) -> Any:
        along = tuple(int(axis) for axis in axes.ravel())
        return function(x, axis=along, keepdims=bool(operator.options["keep_dims"]))

    return compute


def _concatenate(operator: Operator, *values: Values) -> Any:
    if operator.options["fused_activation_function"] != "NONE":
        _refuse(operator, "of a shape, a fused activation is not supported")
    return np.concatenate(values, int(operator.options["axis"]))


def _reshape(operator: Operator, x: Values, shape: Values) -> Any:
    return x.reshape(tuple(int(size) for size in shape.ravel()))


_COMPUTATIONS: Final[dict[str, Callable[..., Any]]] = {
    "ADD": _broadcast(np.add),
    "CAST": lambda _, x: x,
    "CONCATENATION": _concatenate,
    "EXPAND_DIMS": lambda _, x, axis: np.expand_dims(x, int(axis.ravel()[0])),
    "FLOOR_DIV": _broadcast(np.floor_divide),
    "GATHER": _gather,
    "MAXIMUM": _broadcast(np.maximum),
    "MINIMUM": _broadcast(np.minimum),
    "MUL": _broadcast(np.multiply),
    "PACK": lambda operator, *values: np.stack(values, int(operator.options["axis"])),
    "REDUCE_MAX": _reduce(np.max),
    "REDUCE_PROD": _reduce(np.prod),
    "RESHAPE": _reshape,
    "SQUEEZE": lambda _, x: np.squeeze(x),
    "STRIDED_SLICE": _strided_slice,
    "SUB": _broadcast(np.subtract),
    "SUM": _reduce(np.sum),
}


# Shapes of other outputs


def _with_shape(operator: Operator, output: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """An output with open sizes, with the shape that the node computes."""
    shape: Sequence[int] | None = None
    try:
        if operator.kind == "SQUEEZE":
            shape = _squeezed(output, *inputs)
        elif operator.kind in _SHAPES:
            shape = _SHAPES[operator.kind](operator, *inputs)
    except (ArithmeticError, IndexError, TypeError, ValueError) as error:
        _refuse(operator, f"the shape of its output cannot be inferred: {error}")
    shape = _carried(output, inputs) if shape is None else shape
    return replace(output, shape=tuple(int(size) for size in shape), signature=())


def _carried(output: Tensor, inputs: Sequence[Tensor]) -> Sequence[int]:
    """Open sizes are those of the largest input along the same axis."""
    sources = [t.shape for t in inputs if t.data is None and len(t.shape) == len(output.shape)]
    sources = sources or [t.shape for t in inputs if t.data is None]
    shape = list(output.shape)
    for axis, size in enumerate(output.signature[: len(shape)]):
        sizes = [source[axis] for source in sources if axis < len(source)]
        if size < 0 and sizes:
            shape[axis] = max(sizes)
    return shape


def _sizes(tensor: Tensor) -> list[int] | None:
    """Values of a constant of sizes; None if it is computed."""
    return None if tensor.data is None else [int(n) for n in tensor.data.ravel().astype(np.int64)]


def _reshaped(operator: Operator, source: Tensor, target: Tensor) -> Sequence[int] | None:
    shape, count = _sizes(target), math.prod(source.shape)
    if shape is not None and shape.count(-1) == 1:
        known = math.prod(size for size in shape if size != -1)
        if known < 1 or count % known:
            _refuse(operator, f"{list(source.shape)} to {shape} changes the number of elements")
        shape[shape.index(-1)] = count // known
    return shape


def _expanded(operator: Operator, source: Tensor, axis: Tensor) -> Sequence[int] | None:
    places = _sizes(axis)
    if places is None:
        return None
    place = places[0] + (len(source.shape) + 1 if places[0] < 0 else 0)
    return (*source.shape[:place], 1, *source.shape[place:])


def _squeezed(output: Tensor, source: Tensor) -> Sequence[int] | None:
    """The shape without as many axes of size 1 as the output lacks; which ones does not matter."""
    ones = [axis for axis, size in enumerate(source.shape) if size == 1]
    for dropped in itertools.combinations(ones, max(len(source.shape) - len(output.shape), 0)):
        shape = [size for axis, size in enumerate(source.shape) if axis not in dropped]
        if all(n in (size, -1) for size, n in zip(shape, output.signature, strict=True)):
            return shape
    return None


def _transposed(operator: Operator, source: Tensor, order: Tensor) -> Sequence[int] | None:
    axes = _sizes(order)
    return None if axes is None else [source.shape[axis] for axis in axes]


def _fully_connected(
    operator: Operator, source: Tensor, weights: Tensor, *_: Tensor
) -> Sequence[int]:
    outputs, inputs = weights.shape
    if operator.options["keep_num_dims"]:
        return (*source.shape[:-1], outputs)
    return (math.prod(source.shape) // inputs, outputs)


def _blocks(
    operator: Operator, source: Tensor, block: Tensor, edges: Tensor
) -> Sequence[int] | None:
    """Shape of SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND."""
    sizes, pads = _sizes(block), _sizes(edges)
    if sizes is None or pads is None:
        return None
    batch, *shape = source.shape
    spatial, rest = shape[: len(sizes)], shape[len(sizes) :]
    ends = [sum(pair) for pair in zip(pads[::2], pads[1::2], strict=True)]
    axes = list(zip(spatial, sizes, ends, strict=True))
    if operator.kind == "SPACE_TO_BATCH_ND":
        return (batch * math.prod(sizes), *((n + end) // size for n, size, end in axes), *rest)
    return (batch // math.prod(sizes), *(n * size - end for n, size, end in axes), *rest)


def _product(operator: Operator, a: Tensor, b: Tensor) -> Sequence[int]:
    """Shape of BATCH_MATMUL."""
    rows = a.shape[-1 if operator.options["adj_x"] else -2]
    columns = b.shape[-2 if operator.options["adj_y"] else -1]
    return (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), rows, columns)


def _tiled(operator: Operator, source: Tensor, multiples: Tensor) -> Sequence[int] | None:
    counts = _sizes(multiples)
    if counts is None:
        return None
    return [size * count for size, count in zip(source.shape, counts, strict=True)]


_SHAPES: Final[dict[str, Callable[..., Sequence[int] | None]]] = {
    "BATCH_MATMUL": _product,
    "BATCH_TO_SPACE_ND": _blocks,
    "EXPAND_DIMS": _expanded,
    "FULLY_CONNECTED": _fully_connected,
    "RESHAPE": _reshaped,
    "SPACE_TO_BATCH_ND": _blocks,
    "TILE": _tiled,
    "TRANSPOSE": _transposed,
    "TRANSPOSE_CONV": lambda _, target, *__: _sizes(target),
}
"""Shapes that differ from the first input's in more than the sizes that the file gives."""
