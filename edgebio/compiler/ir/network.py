"""The network that the compiler works on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.ir.layer import Layer
from edgebio.tflite import Tensor


@dataclass(frozen=True, eq=False)
class Network:
    """Layers in the order of execution.

    Attributes
    ----------
    tensors : tuple of Tensor
        Tensors of the graph, and those that the compiler adds; layers refer to them by index.
    layers : tuple of Layer
    inputs, outputs : tuple of int
        Indices of the input and output tensors. Each output is written by a layer of its own.
    declared_outputs : tuple of int
        Indices of the tensors that the file declares as outputs; one differs from the output in
        its place if that has the same elements under another shape or scale.
    sha256 : str
        SHA-256 of the .tflite.
    notes : tuple of str
        What was fused and what was not, with the reason.
    channels : mapping
        For a tensor of which channels were removed, which channel of the file each of the others
        is; -1 for one that only fills up, with any value.
    """

    tensors: tuple[Tensor, ...]
    layers: tuple[Layer, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    declared_outputs: tuple[int, ...]
    sha256: str
    notes: tuple[str, ...] = ()
    channels: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def input(self) -> int:
        """The only input."""
        (index,) = self.inputs
        return index

    @property
    def output(self) -> int:
        """The only output."""
        (index,) = self.outputs
        return index

    @property
    def declared_output(self) -> int:
        """The only declared output."""
        (index,) = self.declared_outputs
        return index

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the only output, as declared in the file."""
        return self.tensors[self.declared_output].shape

    @property
    def states(self) -> tuple[int, ...]:
        """Tensors that keep their values from one inference to the next, ascending."""
        used = {
            index
            for layer in self.layers
            for index in (*layer.states, *layer.inputs, layer.output)
            if self.tensors[index].variable
        }
        return tuple(sorted(used))

    def initial(self, state: int) -> NDArray[np.uint8]:
        """Bytes with which a state begins: those given, else its zero point."""
        tensor = self.tensors[state]
        if tensor.initial is not None:
            return np.frombuffer(tensor.initial.tobytes(), np.uint8)
        zero_point = int(tensor.zero_point[0]) if tensor.dtype == "int8" else 0
        return np.full(self.bytes(state), zero_point & 0xFF, np.uint8)

    def bytes(self, index: int) -> int:
        """Size of a tensor's data."""
        tensor = self.tensors[index]
        return math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize

    def is_constant(self, index: int) -> bool:
        """Whether a tensor has its values in the file."""
        return self.tensors[index].data is not None

    def remaining(
        self, index: int, reference: NDArray[Any], computed: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Values of a tensor in the file's network and in this one, of the channels of both."""
        if index not in self.channels:
            return reference, computed
        origins = np.array(self.channels[index])
        stored = origins >= 0
        return reference[..., origins[stored]], computed[..., stored]
