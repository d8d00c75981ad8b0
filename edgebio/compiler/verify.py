"""Say whether a graph can be compiled, before anything relies on its shapes, scales or order.

What passes here is a chain of int8 operators of the kinds in `KINDS` on one image, float32 at most
at the edges. What does not is refused with the operator's or tensor's index and the reason.
"""

import math
from collections.abc import Callable
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler import arithmetic
from edgebio.errors import EdgebioError
from edgebio.tflite import Graph, Operator, Tensor

_MOST_SIZE: Final = 32_767  # of one axis; kernels hold sizes in 16 bits
_MOST_ELEMENTS: Final = 1 << 24
_MOST_SUMMED: Final = 1 << 22  # int8 in one sum: far from what 32 bits hold
_MOST_OPERATORS: Final = 500
_MOST_CONSTANTS: Final = 1 << 24  # bytes of all operators' constants together
_SCALES: Final = (1e-30, 1e30)  # beyond, float32 products overflow
_ACTIVATIONS: Final = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")

MOST_CLASSES: Final = 511
"""Most classes of SOFTMAX: with more the reference's fixed point can overflow."""


def verify(graph: Graph) -> None:
    """Check that `graph` can be compiled.

    Raises
    ------
    EdgebioError
        Where it cannot; the text names the operator or tensor and the reason.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise EdgebioError(
            f"the model has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "one of each is supported"
        )
    edges = {graph.inputs[0]: "the model's input", graph.outputs[0]: "the model's output"}
    for index, what in edges.items():
        tensor = graph.tensors[index]
        if tensor.data is not None:
            raise EdgebioError(f"tensor {index}: {what} is a constant")
        if not tensor.shape or tensor.shape[0] != 1:
            raise EdgebioError(
                f"tensor {index}: {what} has shape {list(tensor.shape)}; only batch 1 is supported"
            )
        if tensor.dtype not in ("int8", "float32"):
            raise EdgebioError(
                f"tensor {index}: {what} is {tensor.dtype}; int8 and float32 are supported"
            )
    if len(graph.operators) > _MOST_OPERATORS:
        raise EdgebioError(f"{len(graph.operators):,} operators; at most {_MOST_OPERATORS:,}")
    known = {graph.inputs[0]}
    constants = 0
    for operator in graph.operators:
        node = _Node(graph, operator)
        node.check_wiring(known)
        KINDS[operator.kind](node)
        known.add(operator.outputs[0])
        constants += node.constant_bytes()
        if constants > _MOST_CONSTANTS:
            node.refuse(f"more than {_MOST_CONSTANTS:,} bytes of constants up to here")
    if graph.outputs[0] not in known or graph.outputs[0] == graph.inputs[0]:
        raise EdgebioError(f"tensor {graph.outputs[0]}: no operator computes the model's output")


class _Node:
    """One operator with its tensors at hand."""

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self.graph = graph
        self.operator = operator
        self.options = operator.options

    def refuse(self, reason: str) -> NoReturn:
        raise EdgebioError(f"operator {self.operator.index} ({self.operator.kind}): {reason}")

    def check_wiring(self, known: set[int]) -> None:
        """Check the kind, and that inputs exist before they are used and the output is new."""
        operator = self.operator
        if operator.kind not in KINDS:
            self.refuse(f"not supported; edgebio compiles {', '.join(sorted(KINDS))}")
        if len(operator.outputs) != 1:
            self.refuse(f"{len(operator.outputs)} outputs; 1 is supported")
        for index in operator.inputs:
            if index >= 0 and self.graph.tensors[index].data is None and index not in known:
                self.refuse(f"its input, tensor {index}, is not computed before it")
        if operator.outputs[0] in known:
            self.refuse(f"its output, tensor {operator.outputs[0]}, is already written")
        if self.graph.tensors[operator.outputs[0]].data is not None:
            self.refuse(f"its output, tensor {operator.outputs[0]}, is a constant")
        for index in (*operator.inputs, *operator.outputs):
            if index >= 0:
                self._plain(self.graph.tensors[index])

    def _plain(self, tensor: Tensor) -> None:
        where = f"tensor {tensor.index}"
        if tensor.dynamic:
            self.refuse(f"{where} has a dynamic shape")
        if tensor.variable:
            self.refuse(f"{where} is a variable; state between inferences is not supported")
        if tensor.sparse:
            self.refuse(f"{where} is sparse")
        if any(not 1 <= size <= _MOST_SIZE for size in tensor.shape):
            self.refuse(f"{where} has shape {list(tensor.shape)}; sizes are 1 to {_MOST_SIZE:,}")
        if math.prod(tensor.shape) > _MOST_ELEMENTS:
            self.refuse(f"{where} has more than {_MOST_ELEMENTS:,} elements")

    def constant_bytes(self) -> int:
        data = (self.graph.tensors[index].data for index in self.operator.inputs if index >= 0)
        return sum(array.nbytes for array in data if array is not None)

    def count(self, least: int, most: int) -> None:
        if not least <= len(self.operator.inputs) <= most:
            self.refuse(f"{len(self.operator.inputs)} inputs")

    def has(self, position: int) -> bool:
        return len(self.operator.inputs) > position and self.operator.inputs[position] >= 0

    def input(self, position: int) -> Tensor:
        if not self.has(position):
            self.refuse(f"input {position} is missing")
        return self.graph.tensors[self.operator.inputs[position]]

    @property
    def output(self) -> Tensor:
        return self.graph.tensors[self.operator.outputs[0]]

    def activation(self, tensor: Tensor, *, constant: bool = False) -> Tensor:
        """Check an int8 tensor with one good scale and zero point."""
        where = f"tensor {tensor.index}"
        if tensor.dtype != "int8":
            self.refuse(f"{where} is {tensor.dtype}; only int8 is supported here")
        if tensor.data is not None and not constant:
            self.refuse(f"{where} is a constant")
        if len(tensor.scale) != 1:
            self.refuse(f"{where} has {len(tensor.scale)} scales; 1 is needed")
        self._scales(tensor)
        if not arithmetic.INT8_MIN <= tensor.zero_point[0] <= arithmetic.INT8_MAX:
            self.refuse(f"{where} has zero point {tensor.zero_point[0]}; int8 holds -128 to 127")
        return tensor

    def image(self, tensor: Tensor) -> Tensor:
        """Check an int8 activation of shape (1, height, width, channels)."""
        self.activation(tensor)
        if len(tensor.shape) != 4:
            self.refuse(f"tensor {tensor.index} has {len(tensor.shape)} axes; 4 are needed")
        if tensor.shape[0] != 1:
            self.refuse(
                f"tensor {tensor.index} has batch {tensor.shape[0]}; only batch 1 is supported"
            )
        return tensor

    def _scales(self, tensor: Tensor) -> None:
        low, high = _SCALES
        good = (tensor.scale >= low) & (tensor.scale <= high)  # false for NaN too
        if not good.all():
            self.refuse(f"tensor {tensor.index} has scale {tensor.scale[~good][0]}")

    def weights(self, position: int, axes: int, axis: int) -> Tensor:
        """Check constant int8 weights, one scale or one an output channel, zero point 0."""
        tensor = self.input(position)
        where = f"weights, tensor {tensor.index},"
        if tensor.dtype != "int8":
            self.refuse(f"{where} are {tensor.dtype}; only int8 is supported")
        if tensor.data is None:
            self.refuse(f"{where} are not constant")
        if len(tensor.shape) != axes:
            self.refuse(f"{where} have {len(tensor.shape)} axes; {axes} are needed")
        if len(tensor.scale) != 1 and (len(tensor.scale) == 0 or tensor.axis != axis):
            self.refuse(f"{where} have {len(tensor.scale)} scales on axis {tensor.axis}")
        self._scales(tensor)
        if tensor.zero_point.any():
            self.refuse(f"{where} have a zero point other than 0")
        return tensor

    def bias(self, position: int, outputs: int) -> Tensor | None:
        if not self.has(position):
            return None
        tensor = self.input(position)
        where = f"bias, tensor {tensor.index},"
        if tensor.dtype != "int32":
            self.refuse(f"{where} is {tensor.dtype}; only int32 is supported")
        if tensor.data is None:
            self.refuse(f"{where} is not constant")
        if tensor.data.size != outputs:
            self.refuse(f"{where} has {tensor.data.size} values for {outputs} outputs")
        return tensor

    def constant(self, position: int, what: str) -> NDArray[np.int32]:
        tensor = self.input(position)
        if tensor.data is None or tensor.dtype != "int32":
            self.refuse(f"{what}, tensor {tensor.index}, must be constant int32")
        return tensor.data.astype(np.int32)

    def fused(self) -> None:
        if self.options["activation"] not in _ACTIVATIONS:
            self.refuse(f"fused activation {self.options['activation']} is not supported")

    def factor(self, real: float) -> None:
        """Check a rescaling factor: its shift must fit a 32-bit register."""
        if not real < 1 << 30:  # false for NaN too
            self.refuse(f"its scales ask for a factor of {real:g}")

    def shape(self, wanted: tuple[int, ...]) -> None:
        if self.output.shape != wanted:
            self.refuse(f"output has shape {list(self.output.shape)}, {list(wanted)} is computed")

    def window(self, image: Tensor, height: int, width: int, channels: int) -> None:
        """Check a sliding window's options and the output size that they give."""
        sizes = []
        for side, size, window in (("h", image.shape[1], height), ("w", image.shape[2], width)):
            stride = int(self.options[f"stride_{side}"])
            dilation = int(self.options.get(f"dilation_{side}", 1))
            for name, value in (("stride", stride), ("dilation", dilation), ("window", window)):
                if not 1 <= value <= _MOST_SIZE:
                    self.refuse(f"{name} of {value}")
            if (window - 1) * dilation >= _MOST_SIZE:
                self.refuse(f"window of {window} with dilation {dilation}")
            if self.options["padding"] == "SAME":
                sizes.append(arithmetic.same_padding(size, window, stride, dilation)[0])
            else:
                sizes.append(arithmetic.valid_size(size, window, stride, dilation))
        if min(sizes) < 1:
            self.refuse(f"a window of {height} x {width} does not fit {list(image.shape)}")
        self.shape((1, *sizes, channels))
        self.fused()

    def products(self, image: Tensor, weights: Tensor) -> None:
        largest = float(weights.scale.max())
        self.factor(float(image.scale[0]) * largest / float(self.output.scale[0]))


def _conv_2d(node: _Node) -> None:
    node.count(2, 3)
    image = node.image(node.input(0))
    node.image(node.output)
    weights = node.weights(1, axes=4, axis=0)
    outputs, height, width, channels = weights.shape
    if channels != image.shape[3]:
        node.refuse(
            f"weights take {channels} channels, the input has {image.shape[3]}; "
            "grouped convolution is not supported"
        )
    if height * width * channels > _MOST_ELEMENTS:
        node.refuse("window too large")
    node.bias(2, outputs)
    node.window(image, height, width, outputs)
    node.products(image, weights)


def _depthwise_conv_2d(node: _Node) -> None:
    node.count(2, 3)
    image = node.image(node.input(0))
    node.image(node.output)
    weights = node.weights(1, axes=4, axis=3)
    one, height, width, outputs = weights.shape
    multiplier = node.options["depth_multiplier"]
    if one != 1 or outputs != image.shape[3] * int(multiplier):
        node.refuse(
            f"weights of shape {list(weights.shape)} do not fit {image.shape[3]} channels "
            f"with multiplier {multiplier}"
        )
    node.bias(2, outputs)
    node.window(image, height, width, outputs)
    node.products(image, weights)


def _fully_connected(node: _Node) -> None:
    node.count(2, 3)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    weights = node.weights(1, axes=2, axis=0)
    outputs, inputs = weights.shape
    if node.options["weights_format"] != "DEFAULT":
        node.refuse(f"weights format {node.options['weights_format']} is not supported")
    elements = math.prod(source.shape)
    if elements % inputs:
        node.refuse(f"{elements} inputs do not make rows of {inputs}")
    if output.shape[-1:] != (outputs,) or math.prod(output.shape) != elements // inputs * outputs:
        node.refuse(f"output has shape {list(output.shape)}, {outputs} columns are computed")
    bias = node.bias(2, outputs)
    node.fused()
    node.products(source, weights)
    if len(weights.scale) == 1 and bias is not None and len(bias.scale):
        # The reference refuses too: the sum would mix two units.
        product = float(source.scale[0]) * float(weights.scale[0])
        if not abs(product - bias.scale[0]) / float(output.scale[0]) <= 0.02:
            node.refuse(f"bias has scale {bias.scale[0]:g}, the products have {product:g}")


def _pool(node: _Node) -> None:
    node.count(1, 1)
    image = node.image(node.input(0))
    node.image(node.output)
    height, width = int(node.options["filter_h"]), int(node.options["filter_w"])
    node.window(image, height, width, image.shape[3])
    if height * width > _MOST_SUMMED:
        node.refuse(f"a window of {height} x {width} is too large")


def _mean(node: _Node) -> None:
    node.count(2, 2)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    axes = [int(axis) for axis in node.constant(1, "axes").ravel()]
    rank = len(source.shape)
    if not axes or any(not -rank <= axis < rank for axis in axes):
        node.refuse(f"axes {axes} of {rank}")
    reduced = {axis % rank for axis in axes}
    kept = [1 if axis in reduced else size for axis, size in enumerate(source.shape)]
    if math.prod(output.shape) != math.prod(kept):
        node.refuse(f"output has shape {list(output.shape)}, {kept} is computed")
    runs = arithmetic.runs(source.shape, reduced)
    if len(runs) > 5:
        node.refuse(f"axes {sorted(reduced)} of shape {list(source.shape)} are too scattered")
    if math.prod(source.shape) > _MOST_SUMMED:
        node.refuse(f"shape {list(source.shape)} is too large")
    node.factor(float(source.scale[0]) / float(output.scale[0]))


def _add(node: _Node) -> None:
    node.count(2, 2)
    first = node.activation(node.input(0), constant=True)
    second = node.activation(node.input(1), constant=True)
    output = node.activation(node.output)
    if first.data is not None and second.data is not None:
        node.refuse("both inputs are constants")
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        node.refuse(f"shapes {list(first.shape)} and {list(second.shape)} do not broadcast")
    if len(shape) > 4:
        node.refuse(f"{len(shape)} axes; at most 4 are supported")
    node.shape(shape)
    node.fused()
    *_, (multiplier, shift) = arithmetic.add_multipliers(
        first.scale[0], second.scale[0], output.scale[0]
    )
    if shift > 0 or multiplier == 0:
        node.refuse(
            f"input scales {first.scale[0]:g}, {second.scale[0]:g} and output scale "
            f"{output.scale[0]:g} lie too far apart"
        )


def _pad(node: _Node) -> None:
    node.count(2, 2)
    source = node.activation(node.input(0))
    node.activation(node.output)
    paddings = node.constant(1, "paddings")
    rank = len(source.shape)
    if not 1 <= rank <= 4 or paddings.shape != (rank, 2):
        node.refuse(f"paddings of shape {list(paddings.shape)} for {rank} axes")
    pairs = [(int(before), int(after)) for before, after in paddings]
    if any(not 0 <= size <= _MOST_SIZE for pair in pairs for size in pair):
        node.refuse(f"paddings {pairs}")
    node.shape(tuple(b + n + a for (b, a), n in zip(pairs, source.shape, strict=True)))


def _reshape(node: _Node) -> None:
    node.count(1, 2)
    source, output = node.input(0), node.output
    if source.data is not None:
        node.refuse(f"tensor {source.index} is a constant")
    if source.dtype != output.dtype:
        node.refuse(f"{source.dtype} to {output.dtype}")
    if math.prod(source.shape) != math.prod(output.shape):
        node.refuse(f"{list(source.shape)} to {list(output.shape)} changes the number of elements")


def _quantize(node: _Node) -> None:
    node.count(1, 1)
    source, output = node.input(0), node.activation(node.output)
    if source.dtype == "int8":
        node.activation(source)
        node.factor(float(source.scale[0]) / float(output.scale[0]))
    elif source.dtype != "float32" or source.data is not None:
        node.refuse(f"tensor {source.index} is {source.dtype}; int8 and float32 are supported")
    node.shape(source.shape)


def _dequantize(node: _Node) -> None:
    node.count(1, 1)
    source = node.activation(node.input(0))
    if node.output.dtype != "float32":
        node.refuse(f"int8 to {node.output.dtype}")
    node.shape(source.shape)


def _softmax(node: _Node) -> None:
    node.count(1, 1)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    if output.scale[0] != np.float32(1 / 256) or output.zero_point[0] != arithmetic.INT8_MIN:
        node.refuse(
            f"output has scale {output.scale[0]:g} and zero point {output.zero_point[0]}; "
            "1/256 and -128 are needed"
        )
    if not source.shape or source.shape[-1] > MOST_CLASSES:
        node.refuse(f"shape {list(source.shape)}; at most {MOST_CLASSES} classes")
    beta = float(node.options["beta"])
    # Below, the reference's multiplier for the exponent would be smaller than one.
    if not 1 < beta * float(source.scale[0]) * (1 << 26) < math.inf:
        node.refuse(f"beta {beta:g} with input scale {source.scale[0]:g}")
    node.shape(source.shape)


def _rectify(node: _Node) -> None:
    node.count(1, 1)
    source, output = node.activation(node.input(0)), node.activation(node.output)
    node.factor(float(source.scale[0]) / float(output.scale[0]))
    node.shape(source.shape)


KINDS: Final[dict[str, Callable[[_Node], None]]] = {
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
    "RELU": _rectify,
    "RELU6": _rectify,
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
    "SQUEEZE": _reshape,
}
"""What can be compiled, by the schema's names."""
