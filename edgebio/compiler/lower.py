"""From a verified graph to layers: scales become integer multipliers, zero points fold into biases.

Multipliers, shifts, activation ranges and padding are tflite-micro's to the last bit (arithmetic).
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler import arithmetic
from edgebio.compiler import network as net
from edgebio.errors import EdgebioError
from edgebio.tflite import Graph, Operator, Tensor


def lower(graph: Graph) -> net.Network:
    """Make the network of a graph that `verify` has passed.

    Raises
    ------
    EdgebioError
        Where an accumulator could overflow 32 bits.
    """
    return net.Network(
        tensors=graph.tensors,
        layers=tuple(
            _LOWER[operator.kind](_Source(graph, operator)) for operator in graph.operators
        ),
        input=graph.inputs[0],
        output=graph.outputs[0],
        output_shape=graph.tensors[graph.outputs[0]].shape,
        sha256=graph.sha256,
    )


class _Source:
    """One verified operator with its tensors at hand."""

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self._graph = graph
        self.operator = operator
        self.options = operator.options
        self.output = graph.tensors[operator.outputs[0]]

    def input(self, position: int) -> Tensor:
        return self._graph.tensors[self.operator.inputs[position]]

    def constant(self, position: int) -> NDArray[np.generic]:
        data = self.input(position).data
        assert data is not None  # verified
        return data

    @property
    def identity(self) -> tuple[tuple[int, ...], str, tuple[int, ...], int]:
        """What every layer starts with: operators, kind, inputs at run time, output."""
        operator = self.operator
        first = operator.inputs[:2] if operator.kind == "ADD" else operator.inputs[:1]
        return (operator.index,), operator.kind, first, operator.outputs[0]

    @property
    def activation(self) -> str:
        return str(self.options["activation"])

    def range(self) -> net.Range:
        zero_point = int(self.output.zero_point[0])
        low, high = arithmetic.activation_range(self.activation, self.output.scale[0], zero_point)
        return net.Range(zero_point, low, high)

    def rescale(self) -> tuple[int, int]:
        """Multiplier and shift from the input's scale to the output's."""
        return arithmetic.quantize_multiplier(
            float(self.input(0).scale[0]) / float(self.output.scale[0])
        )

    def window(self, height: int, width: int) -> net.Window:
        image = self.input(0).shape
        stride = int(self.options["stride_h"]), int(self.options["stride_w"])
        dilation = int(self.options.get("dilation_h", 1)), int(self.options.get("dilation_w", 1))
        sides = [
            arithmetic.same_padding(size, window, step, spread)
            if self.options["padding"] == "SAME"
            else (arithmetic.valid_size(size, window, step, spread), 0, 0)
            for size, window, step, spread in zip(
                image[1:3], (height, width), stride, dilation, strict=True
            )
        ]
        (output_h, top, bottom), (output_w, left, right) = sides
        return net.Window(
            input=(image[1], image[2]),
            output=(output_h, output_w),
            channels=image[3],
            size=(height, width),
            stride=stride,
            dilation=dilation,
            before=(top, left),
            after=(bottom, right),
        )

    def channels(self, weights: NDArray[np.int64]) -> net.Channels:
        """Bias and multiplier of every output; `weights` (outputs, products)."""
        source, outputs = self.input(0), len(weights)
        given = len(self.operator.inputs) > 2 and self.operator.inputs[2] >= 0
        bias = self.constant(2).astype(np.int64).ravel() if given else np.zeros(outputs, np.int64)
        folded = bias - int(source.zero_point[0]) * weights.sum(axis=1)
        # Any partial sum, in any order of the products, stays below this.
        bound = np.abs(folded) + 128 * np.abs(weights).sum(axis=1)
        if (bound >= 1 << 31).any():
            raise EdgebioError(
                f"operator {self.operator.index} ({self.operator.kind}): the accumulator of output "
                f"channel {int(bound.argmax())} can overflow 32 bits"
            )
        factors = [
            arithmetic.quantize_multiplier(
                float(source.scale[0]) * float(scale) / float(self.output.scale[0])
            )
            for scale in np.broadcast_to(self.input(1).scale, outputs)
        ]
        multiplier, shift = zip(*factors, strict=True)
        return net.Channels(tuple(int(b) for b in folded), multiplier, shift)


def _conv_2d(source: _Source) -> net.Layer:
    weights = source.constant(1).astype(np.int8)
    return net.Conv2D(
        *source.identity,
        window=source.window(weights.shape[1], weights.shape[2]),
        weights=weights,
        channels=source.channels(weights.reshape(len(weights), -1).astype(np.int64)),
        pad_value=int(source.input(0).zero_point[0]),
        range=source.range(),
        activation=source.activation,
    )


def _depthwise_conv_2d(source: _Source) -> net.Layer:
    weights = source.constant(1).astype(np.int8)[0]
    height, width, outputs = weights.shape
    return net.DepthwiseConv2D(
        *source.identity,
        window=source.window(height, width),
        weights=weights,
        channels=source.channels(weights.reshape(-1, outputs).T.astype(np.int64)),
        multiplier=int(source.options["depth_multiplier"]),
        pad_value=int(source.input(0).zero_point[0]),
        range=source.range(),
        activation=source.activation,
    )


def _fully_connected(source: _Source) -> net.Layer:
    weights = source.constant(1).astype(np.int8)
    return net.FullyConnected(
        *source.identity,
        rows=math.prod(source.input(0).shape) // weights.shape[1],
        weights=weights,
        channels=source.channels(weights.astype(np.int64)),
        range=source.range(),
        activation=source.activation,
    )


def _pool(source: _Source) -> net.Layer:
    limits = source.range()
    return net.Pool(
        *source.identity,
        window=source.window(int(source.options["filter_h"]), int(source.options["filter_w"])),
        low=limits.low,
        high=limits.high,
        activation=source.activation,
    )


def _mean(source: _Source) -> net.Layer:
    shape = source.input(0).shape
    reduced = {int(axis) % len(shape) for axis in source.constant(1).astype(np.int64).ravel()}
    runs = arithmetic.runs(shape, reduced)
    # With one reduced run, the kernel's innermost loop is the one that is long.
    padding = [runs[0], 1, 1, *runs[1:]] if len(runs) < 4 else runs
    outer, first, middle, second, inner = padding + [1] * (5 - len(padding))
    multiplier, shift = arithmetic.mean_multiplier(*source.rescale(), first * second)
    return net.Mean(
        *source.identity,
        runs=(outer, first, middle, second, inner),
        offset=-int(source.input(0).zero_point[0]) * first * second,
        multiplier=multiplier,
        shift=shift,
        zero_point=int(source.output.zero_point[0]),
    )


def _add(source: _Source) -> net.Layer:
    inputs = source.input(0), source.input(1)
    shape = (1,) * (4 - len(source.output.shape)) + source.output.shape
    first, second, total = arithmetic.add_multipliers(
        inputs[0].scale[0], inputs[1].scale[0], source.output.scale[0]
    )
    return net.Add(
        *source.identity,
        shape=(shape[0], shape[1], shape[2], shape[3]),
        steps=(_steps(inputs[0].shape), _steps(inputs[1].shape)),
        zero_points=(int(inputs[0].zero_point[0]), int(inputs[1].zero_point[0])),
        rescale=(first, second),
        rescale_sum=total,
        range=source.range(),
        activation=source.activation,
    )


def _steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Elements between neighbours along each of 4 axes; 0 along an axis of size 1."""
    sizes = (1,) * (4 - len(shape)) + shape
    return tuple(math.prod(sizes[axis + 1 :]) if size > 1 else 0 for axis, size in enumerate(sizes))


def _pad(source: _Source) -> net.Layer:
    pairs = source.constant(1).astype(np.int64)
    return net.Pad(
        *source.identity,
        shape=source.input(0).shape,
        pads=tuple((int(before), int(after)) for before, after in pairs),
        value=int(source.output.zero_point[0]),
    )


def _reshape(source: _Source) -> net.Layer:
    return net.Reshape(*source.identity)


def _quantize(source: _Source) -> net.Layer:
    zero_point = int(source.output.zero_point[0])
    if source.input(0).dtype == "float32":
        return net.Quantize(*source.identity, scale=source.output.scale[0], zero_point=zero_point)
    return _rescaling_table(source, arithmetic.INT8_MIN)


def _dequantize(source: _Source) -> net.Layer:
    tensor = source.input(0)
    return net.Dequantize(
        *source.identity, scale=tensor.scale[0], zero_point=int(tensor.zero_point[0])
    )


def _relu(source: _Source) -> net.Layer:
    return _rescaling_table(source, int(source.output.zero_point[0]))


def _relu6(source: _Source) -> net.Layer:
    """`tflite::Relu6Quantized` clips in the input's scale and does not rescale."""
    tensor = source.input(0)
    low, high = arithmetic.activation_range("RELU6", tensor.scale[0], int(tensor.zero_point[0]))
    return _table(source, lambda value: min(max(value, low), high))


def _rescaling_table(source: _Source, low: int) -> net.Layer:
    multiplier, shift = source.rescale()
    zero_in, zero_out = int(source.input(0).zero_point[0]), int(source.output.zero_point[0])

    def rescaled(value: int) -> int:
        answer = arithmetic.requantize(value - zero_in, multiplier, shift) + zero_out
        return min(max(answer, low), arithmetic.INT8_MAX)

    return _table(source, rescaled)


def _table(source: _Source, function: Callable[[int], int]) -> net.Layer:
    values = range(arithmetic.INT8_MIN, arithmetic.INT8_MAX + 1)
    return net.Table(*source.identity, table=np.array([function(v) for v in values], np.int8))


def _softmax(source: _Source) -> net.Layer:
    tensor = source.input(0)
    classes = tensor.shape[-1]
    exponentials = arithmetic.softmax_exponentials(tensor.scale[0], float(source.options["beta"]))
    return net.Softmax(
        *source.identity,
        rows=math.prod(tensor.shape) // classes,
        classes=classes,
        exponentials=tuple(exponentials),
    )


_LOWER: Final[dict[str, Callable[[_Source], net.Layer]]] = {
    "ADD": _add,
    "AVERAGE_POOL_2D": _pool,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "DEQUANTIZE": _dequantize,
    "EXPAND_DIMS": _reshape,
    "FULLY_CONNECTED": _fully_connected,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "PAD": _pad,
    "QUANTIZE": _quantize,
    "RELU": _relu,
    "RELU6": _relu6,
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
    "SQUEEZE": _reshape,
}
