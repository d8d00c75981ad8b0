"""A .tflite as plain values: tensors, operators and their connections."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Option = int | float | str | bool
"""Value of one option of an operator; enumerations are their names in the schema."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of the graph.

    Attributes
    ----------
    index : int
        Its position in the file.
    name : str
        Its name in the file; free text.
    shape : tuple of int
        Its size along each axis, batch first.
    dtype : str
        ``"int8"``, ``"int32"``, ``"float32"`` ..., or ``"type 21"`` if it has no such name.
    scale, zero_point : ndarray of float32 (n,), int64 (n,)
        real = scale * (quantized - zero_point); n is 0 (not quantized), 1, or one per slice.
    axis : int
        The axis of the slices, if there are several scales.
    data : ndarray or None
        Values of a constant, read-only, of `shape`; None for what is computed at run time.
    signature : tuple of int
        Its sizes with -1 for those that the file leaves open, where `shape` has 1; empty if all
        are fixed.
    variable : bool
        Whether it keeps its value from one inference to the next.
    sparse : bool
        Whether `data` is stored in a sparse layout, as raw bytes.
    initial : ndarray or None
        Values that a variable begins with, of `shape`; None for its zero point.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int
    data: NDArray[np.generic] | None
    signature: tuple[int, ...] = ()
    variable: bool = False
    sparse: bool = False
    initial: NDArray[np.generic] | None = None

    @property
    def dynamic(self) -> bool:
        """Whether an axis other than the batch has no fixed size."""
        return any(size < 0 for size in self.signature[1:])

    @property
    def elements(self) -> int:
        """Number of its values."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Operator:
    """One operator of the graph.

    Attributes
    ----------
    index : int
        Its position in the file, which is the order of execution.
    kind : str
        Its name in the schema, such as ``"CONV_2D"``; ``"CUSTOM name"`` for custom ones.
    inputs, outputs : tuple of int
        Indices of tensors; -1 for an optional input that is left out.
    options : mapping
        Its options by name; empty for kinds without.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Option]


@dataclass(frozen=True, eq=False)
class Graph:
    """A whole .tflite, or one of its subgraphs.

    Attributes
    ----------
    tensors, operators : tuple
        In the file's order.
    inputs, outputs : tuple of int
        Indices of the input and output tensors.
    metadata : dict
        The file's metadata entries, by name.
    sha256 : str
        SHA-256 of the file, lower-case hex.
    input_names, output_names : tuple of str
        Names of the inputs and outputs: those of the file's signature, or of the tensors without
        what the converter adds; each differs from the others. Empty in the other subgraphs.
    subgraphs : tuple of Graph
        Subgraphs of the file behind the first one, which is this; number 1 is at 0.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    metadata: dict[str, bytes]
    sha256: str
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    subgraphs: "tuple[Graph, ...]" = ()
