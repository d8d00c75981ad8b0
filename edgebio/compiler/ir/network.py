"""The network that the compiler works on."""

import math
from dataclasses import dataclass

import numpy as np

from edgebio.compiler.ir.layer import Layer
from edgebio.tflite import Tensor


@dataclass(frozen=True, eq=False)
class Network:
    """Layers in the order of execution.

    Attributes
    ----------
    tensors : tuple of Tensor
        Tensors of the graph; layers refer to them by index.
    layers : tuple of Layer
    input, output : int
        Indices of the input and output tensors.
    declared_output : int
        Index of the tensor that the file declares as output; differs from `output` if it has the
        same elements under another shape or scale.
    sha256 : str
        SHA-256 of the .tflite.
    notes : tuple of str
        What was fused and what was not, with the reason.
    """

    tensors: tuple[Tensor, ...]
    layers: tuple[Layer, ...]
    input: int
    output: int
    declared_output: int
    sha256: str
    notes: tuple[str, ...] = ()

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the output, as declared in the file."""
        return self.tensors[self.declared_output].shape

    def bytes(self, index: int) -> int:
        """Size of a tensor's data."""
        tensor = self.tensors[index]
        return math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize

    def is_constant(self, index: int) -> bool:
        """Whether a tensor has its values in the file."""
        return self.tensors[index].data is not None
