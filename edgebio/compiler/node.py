"""One operator under verification, and the checks that the rules of several kinds share."""

import math
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler import arithmetic
from edgebio.errors import EdgebioError
from edgebio.tflite import Graph, Operator, Tensor

MOST_SIZE: Final = 32_767
"""Of one axis: kernels hold sizes in 16 bits."""

MOST_ELEMENTS: Final = 1 << 24
"""Of one tensor."""

_SCALES: Final = (1e-30, 1e30)  # beyond, float32 products overflow
_ACTIVATIONS: Final = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


class Node:
    """One operator with its tensors at hand.

    Attributes
    ----------
    added_bytes : int
        Bytes that its constants take besides those in the file.
    """

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self.graph = graph
        self.operator = operator
        self.inputs = operator.inputs
        self.options = operator.options
        self.added_bytes = 0

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error that names the operator and says why it cannot be compiled."""
        raise EdgebioError(f"operator {self.operator.index} ({self.operator.kind}): {reason}")

    def check_wiring(self, known: set[int], taken: set[int], states: tuple[int, ...]) -> None:
        """Check that inputs exist before they are used and that the output is new.

        Parameters
        ----------
        known
            Tensors that are computed before it.
        taken
            Tensors that are the memory of operators before it.
        states
            Positions of inputs that are its own memory from one time step to the next.
        """
        operator = self.operator
        if len(operator.outputs) != 1:
            self.refuse(f"{len(operator.outputs)} outputs; 1 is supported")
        for position, index in enumerate(operator.inputs):
            if index < 0:
                continue
            state = position in states
            if state and index in known | taken:
                self.refuse(f"its state, tensor {index}, is another's as well")
            if not state and self.graph.tensors[index].data is None and index not in known:
                self.refuse(f"its input, tensor {index}, is not computed before it")
            self._plain(self.graph.tensors[index], state=state)
        if operator.outputs[0] in known:
            self.refuse(f"its output, tensor {operator.outputs[0]}, is already written")
        if self.graph.tensors[operator.outputs[0]].data is not None:
            self.refuse(f"its output, tensor {operator.outputs[0]}, is a constant")
        self._plain(self.output, state=False)

    def _plain(self, tensor: Tensor, *, state: bool) -> None:
        where = f"tensor {tensor.index}"
        if tensor.dynamic:
            self.refuse(f"{where} has a dynamic shape")
        if tensor.variable and not state:
            self.refuse(f"{where} is a variable; state between inferences is not supported")
        if tensor.sparse:
            self.refuse(f"{where} is sparse")
        if any(not 1 <= size <= MOST_SIZE for size in tensor.shape):
            self.refuse(f"{where} has shape {list(tensor.shape)}; sizes are 1 to {MOST_SIZE:,}")
        if math.prod(tensor.shape) > MOST_ELEMENTS:
            self.refuse(f"{where} has more than {MOST_ELEMENTS:,} elements")

    def constant_bytes(self) -> int:
        """Bytes of its constant inputs, as they are compiled."""
        data = (self.graph.tensors[index].data for index in self.operator.inputs if index >= 0)
        return self.added_bytes + sum(array.nbytes for array in data if array is not None)

    def count(self, least: int, most: int) -> None:
        """Check the number of inputs."""
        if not least <= len(self.operator.inputs) <= most:
            self.refuse(f"{len(self.operator.inputs)} inputs")

    def has(self, position: int) -> bool:
        """Whether an input is given."""
        return len(self.operator.inputs) > position and self.operator.inputs[position] >= 0

    def input(self, position: int) -> Tensor:
        """One input, which must be given."""
        if not self.has(position):
            self.refuse(f"input {position} is missing")
        return self.graph.tensors[self.operator.inputs[position]]

    @property
    def output(self) -> Tensor:
        """Its only output."""
        return self.graph.tensors[self.operator.outputs[0]]

    def activation(self, tensor: Tensor, *, constant: bool = False) -> Tensor:
        """Check an int8 tensor with one good scale and zero point."""
        where = f"tensor {tensor.index}"
        if tensor.dtype != "int8":
            self.refuse(f"{where} is {tensor.dtype}; only int8 is supported here")
        if tensor.data is not None and not constant:
            self.refuse(f"{where} is a constant")
        self.affine(tensor)
        if not arithmetic.INT8_MIN <= tensor.zero_point[0] <= arithmetic.INT8_MAX:
            self.refuse(f"{where} has zero point {tensor.zero_point[0]}; int8 holds -128 to 127")
        return tensor

    def affine(self, tensor: Tensor) -> None:
        """Check that a tensor has one good scale."""
        if len(tensor.scale) != 1:
            self.refuse(f"tensor {tensor.index} has {len(tensor.scale)} scales; 1 is needed")
        self.scales(tensor)

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

    def scales(self, tensor: Tensor) -> None:
        """Check that all scales of a tensor are numbers that can be worked with."""
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
        self.scales(tensor)
        if tensor.zero_point.any():
            self.refuse(f"{where} have a zero point other than 0")
        return tensor

    def bias(self, position: int, outputs: int) -> Tensor | None:
        """Check a constant int32 bias of so many values; None where it is left out."""
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
        """Content of a constant int32 input."""
        tensor = self.input(position)
        if tensor.data is None or tensor.dtype != "int32":
            self.refuse(f"{what}, tensor {tensor.index}, must be constant int32")
        return tensor.data.astype(np.int32)

    def fused(self) -> None:
        """Check the fused activation."""
        if self.options["activation"] not in _ACTIVATIONS:
            self.refuse(f"fused activation {self.options['activation']} is not supported")

    def factor(self, real: float) -> None:
        """Check a rescaling factor: its shift must fit a 32-bit register."""
        if not real < 1 << 30:  # false for NaN too
            self.refuse(f"its scales ask for a factor of {real:g}")

    def shape(self, wanted: tuple[int, ...]) -> None:
        """Check the output's shape."""
        if self.output.shape != wanted:
            self.refuse(f"output has shape {list(self.output.shape)}, {list(wanted)} is computed")

    def window(self, image: Tensor, height: int, width: int, channels: int) -> None:
        """Check a sliding window's options and the output size that they give."""
        sizes = []
        for side, size, window in (("h", image.shape[1], height), ("w", image.shape[2], width)):
            stride = int(self.options[f"stride_{side}"])
            dilation = int(self.options.get(f"dilation_{side}", 1))
            for name, value in (("stride", stride), ("dilation", dilation), ("window", window)):
                if not 1 <= value <= MOST_SIZE:
                    self.refuse(f"{name} of {value}")
            if (window - 1) * dilation >= MOST_SIZE:
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
        """Check the factor from products to the output."""
        largest = float(weights.scale.max())
        self.factor(float(image.scale[0]) * largest / float(self.output.scale[0]))
