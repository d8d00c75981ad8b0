"""One verified operator on its way to a layer: its scales as integers, its geometry."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler import arithmetic
from edgebio.compiler import network as net
from edgebio.tflite import Graph, Operator, Tensor

_READS: Final = {"ADD": 2, "SUB": 2, "MUL": 2, "CONCATENATION": None}  # inputs, where not 1


class Source:
    """One verified operator with its tensors at hand."""

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self._graph = graph
        self.operator = operator
        self.options = operator.options
        self.output = graph.tensors[operator.outputs[0]]

    def input(self, position: int) -> Tensor:
        """One input."""
        return self._graph.tensors[self.operator.inputs[position]]

    def constant(self, position: int) -> NDArray[np.generic]:
        """Content of a constant input."""
        data = self.input(position).data
        assert data is not None  # verified
        return data

    @property
    def identity(self) -> tuple[tuple[int, ...], str, tuple[int, ...], int]:
        """What every layer starts with: operators, kind, inputs at run time, output."""
        operator = self.operator
        reads = operator.inputs[: _READS.get(operator.kind, 1)]
        return (operator.index,), operator.kind, reads, operator.outputs[0]

    @property
    def activation(self) -> str:
        """Its fused activation."""
        return str(self.options["activation"])

    def range(self) -> net.Range:
        """Zero point of its output, and what its fused activation lets through."""
        zero_point = int(self.output.zero_point[0])
        low, high = arithmetic.activation_range(self.activation, self.output.scale[0], zero_point)
        return net.Range(zero_point, low, high)

    def rescale(self) -> tuple[int, int]:
        """Multiplier and shift from the input's scale to the output's."""
        return arithmetic.quantize_multiplier(
            float(self.input(0).scale[0]) / float(self.output.scale[0])
        )

    def window(self, height: int, width: int) -> net.Window:
        """Its window of so many pixels."""
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

    def bias(self, position: int, outputs: int) -> NDArray[np.int64]:
        """Constant bias, int64 (outputs,); zeros where it is left out."""
        if len(self.operator.inputs) <= position or self.operator.inputs[position] < 0:
            return np.zeros(outputs, np.int64)
        return self.constant(position).astype(np.int64).ravel()

    def channels(self, weights: NDArray[np.int64]) -> net.Channels:
        """Bias and multiplier of every output; `weights` (outputs, products)."""
        source, outputs = self.input(0), len(weights)
        folded, proven = fold(self.bias(2, outputs), weights, int(source.zero_point[0]))
        factors = [
            arithmetic.quantize_multiplier(
                float(source.scale[0]) * float(scale) / float(self.output.scale[0])
            )
            for scale in np.broadcast_to(self.input(1).scale, outputs)
        ]
        multiplier, shift = zip(*factors, strict=True)
        return net.Channels(folded, multiplier, shift, proven)


def fold(
    bias: NDArray[np.int64], weights: NDArray[np.int64], zero_point: int
) -> tuple[tuple[int, ...], bool]:
    """Fold the input's zero point into a bias, and bound the sums that start from it.

    Parameters
    ----------
    bias : ndarray of int64 (outputs,)
    weights : ndarray of int64 (outputs, products)
    zero_point : int
        Of the input.

    Returns
    -------
    folded : tuple of int
        bias - zero_point * sum(weights), wrapped to 32 bits.
    proven : bool
        Whether no sum of any products of int8, in any order, can leave 32 bits.
    """
    folded = bias - zero_point * weights.sum(axis=1)
    bound = np.abs(folded) + 128 * np.abs(weights).sum(axis=1)
    return tuple(arithmetic.int32(int(b)) for b in folded), bool((bound < 1 << 31).all())
