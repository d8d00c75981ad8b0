"""One operator of the graph with its tensors, for its check and its lowering."""

import math
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.arithmetic import INT8_MAX, INT8_MIN, activation_range, quantize_multiplier
from edgebio.compiler.ir.layer import Range, Rescale
from edgebio.errors import EdgebioError
from edgebio.tflite import Graph, Operator, Tensor

MAX_SIZE: Final = 32_767
"""Largest size of one axis: kernels hold sizes in 16 bits."""

MAX_ELEMENTS: Final = 1 << 24
"""Most elements of one tensor."""

_SCALES: Final = (1e-30, 1e30)  # outside, float32 products overflow
_ACTIVATIONS: Final = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


class Node:
    """One operator with its tensors.

    Methods named ``check_...``, and those that give a value, refuse the operator if it cannot be
    compiled exactly.

    Attributes
    ----------
    kind : str
        Its name in the schema.
    inputs, outputs : tuple of int
        Indices of its tensors; -1 for an optional input that is left out.
    options : mapping
        Its options by their names in the schema.
    extra_bytes : int
        Bytes that its constants take besides those in the file.
    """

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self._graph = graph
        self._index = operator.index
        self.kind = operator.kind
        self.inputs = operator.inputs
        self.outputs = operator.outputs
        self.options = operator.options
        self.extra_bytes = 0

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error that names the operator and says why it cannot be compiled."""
        raise EdgebioError(f"operator {self._index} ({self.kind}): {reason}")

    def has_input(self, position: int) -> bool:
        """Whether an input is present."""
        return len(self.inputs) > position and self.inputs[position] >= 0

    def input(self, position: int) -> Tensor:
        """One input, which must be present."""
        if not self.has_input(position):
            self.refuse(f"input {position} is missing")
        return self._graph.tensors[self.inputs[position]]

    @property
    def output(self) -> Tensor:
        """Its only output."""
        return self._graph.tensors[self.outputs[0]]

    def check_inputs(self, least: int, most: int) -> None:
        """Check the number of inputs."""
        if not least <= len(self.inputs) <= most:
            self.refuse(f"{len(self.inputs)} inputs")

    def check_unary(self, least: int = 1, most: int = 1) -> Tensor:
        """Check the number of inputs, and that the first one and the output are int8."""
        self.check_inputs(least, most)
        self.check_int8(self.output)
        return self.check_int8(self.input(0))

    def check_elementwise(self, inputs: int = 1) -> Tensor:
        """The same, and the output has the shape of the first input."""
        source = self.check_unary(inputs, inputs)
        self.check_shape(source.shape)
        return source

    def check_int8(self, tensor: Tensor, *, constant: bool = False) -> Tensor:
        """Check that a tensor is int8 with one valid scale and zero point."""
        name = f"tensor {tensor.index}"
        if tensor.dtype != "int8":
            self.refuse(f"{name} is {tensor.dtype}; only int8 is supported here")
        if tensor.data is not None and not constant:
            self.refuse(f"{name} is a constant")
        return self.check_bytes(tensor)

    def check_bytes(self, tensor: Tensor) -> Tensor:
        """Check that an int8 or uint8 tensor has one valid scale and zero point."""
        self.check_one_scale(tensor)
        low, high = (0, 255) if tensor.dtype == "uint8" else (INT8_MIN, INT8_MAX)
        if not low <= tensor.zero_point[0] <= high:
            self.refuse(
                f"tensor {tensor.index} has zero point {tensor.zero_point[0]}; {tensor.dtype} "
                f"holds {low} to {high}"
            )
        return tensor

    def check_one_scale(self, tensor: Tensor) -> None:
        """Check that a tensor has one valid scale."""
        if len(tensor.scale) != 1:
            self.refuse(f"tensor {tensor.index} has {len(tensor.scale)} scales; 1 is required")
        self.check_scales(tensor)

    def check_scales(self, tensor: Tensor) -> None:
        """Check that all scales of a tensor are in the range that the arithmetic supports."""
        low, high = _SCALES
        valid = (tensor.scale >= low) & (tensor.scale <= high)  # false for NaN, too
        if not valid.all():
            self.refuse(f"tensor {tensor.index} has scale {tensor.scale[~valid][0]}")

    def check_image(self, tensor: Tensor) -> Tensor:
        """Check that an int8 tensor has the shape (1, height, width, channels)."""
        name = f"tensor {tensor.index}"
        if len(tensor.shape) != 4:
            self.refuse(f"{name} has {len(tensor.shape)} axes; 4 are required")
        if tensor.shape[0] != 1:
            self.refuse(f"{name} has batch {tensor.shape[0]}; only batch 1 is supported")
        return tensor

    def check_shape(self, computed: tuple[int, ...], output: int = 0) -> None:
        """Check the shape of the output at a position."""
        shape = self._graph.tensors[self.outputs[output]].shape
        if shape != computed:
            self.refuse(f"output has shape {list(shape)}, {list(computed)} is computed")

    def check_same_scale(self, source: Tensor, output: int) -> None:
        """Check that the output at a position is int8 of the scale and zero point of `source`."""
        tensor = self.check_int8(self._graph.tensors[self.outputs[output]])
        if (tensor.scale[0], tensor.zero_point[0]) != (source.scale[0], source.zero_point[0]):
            # The reference copies bytes: with another scale, they would mean something else.
            self.refuse(f"tensors {source.index} and {tensor.index} differ in scale or zero point")

    def check_factor(self, real: float) -> float:
        """Check a rescaling factor: its shift must fit a 32-bit register."""
        if not real < 1 << 30:  # false for NaN, too
            self.refuse(f"its scales require a factor of {real:g}")
        return real

    def constant(self, position: int, name: str) -> NDArray[np.int32]:
        """Values of a constant int32 input; an error calls it `name`."""
        tensor = self.input(position)
        if tensor.data is None or tensor.dtype != "int32":
            self.refuse(f"{name}, tensor {tensor.index}, must be constant int32")
        return tensor.data.astype(np.int32)

    def integers(self, position: int, name: str) -> list[int]:
        """The same as a flat list."""
        return [int(value) for value in self.constant(position, name).ravel()]

    def zero_point(self, position: int) -> int:
        """Zero point of an input."""
        return int(self.input(position).zero_point[0])

    @property
    def output_zero_point(self) -> int:
        """Zero point of its output."""
        return int(self.output.zero_point[0])

    def rescale(self, *positions: int) -> Rescale:
        """Multiplier and shift from the product of some inputs to the output.

        The factor is formed in float64.
        """
        scales = (float(self.input(position).scale[0]) for position in positions)
        real = math.prod(scales) / float(self.output.scale[0])
        return quantize_multiplier(self.check_factor(real))

    def range(self) -> Range:
        """Zero point of its output, and the range that its fused activation allows."""
        activation, zero_point = self.activation, self.output_zero_point
        if activation not in _ACTIVATIONS:
            self.refuse(f"fused activation {activation} is not supported")
        return Range(zero_point, *activation_range(activation, self.output.scale[0], zero_point))

    @property
    def activation(self) -> str:
        """Its fused activation."""
        return str(self.options["fused_activation_function"])

    def fields(
        self, inputs: int = 1, *, first: int = 0, output: int = 0
    ) -> tuple[tuple[int, ...], str, tuple[int, ...], int]:
        """First fields of its layer.

        The layer reads `inputs` inputs at run time, from position `first` on, and writes the output
        at position `output`.
        """
        read = self.inputs[first : first + inputs]
        return (self._index,), self.kind, read, self.outputs[output]
