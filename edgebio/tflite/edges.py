"""Edges of a network: the tensors that it takes and gives, by name, and side by side in memory.

Several tensors lie behind one another in the order of the file, each at a multiple of four bytes.
Firmware, files and links that pass on bytes take inputs and outputs in this form, whatever their
number; the generated C has a function for it. One tensor is its own bytes.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from edgebio.errors import EdgebioError
from edgebio.suggest import nearest
from edgebio.tflite.graph import Graph, Tensor

ALIGNMENT: Final = 4
"""Multiple of bytes at which each of several tensors begins."""

Values = NDArray[Any]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Edge:
    """One tensor that a network takes or gives.

    Attributes
    ----------
    name : str
        Its name in the file's signature, or of the tensor where there is none; unique.
    tensor : Tensor
    offset : int
        Where it lies in the bytes of all.
    """

    name: str
    tensor: Tensor
    offset: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the batch."""
        return self.tensor.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its values."""
        return np.dtype(self.tensor.dtype)

    @property
    def bytes(self) -> int:
        """Size of its values."""
        return math.prod(self.tensor.shape) * self.dtype.itemsize

    @property
    def affine(self) -> tuple[float, int]:
        """Scale and zero point; 1 and 0 of floats."""
        if not len(self.tensor.scale):
            return 1.0, 0
        return float(self.tensor.scale[0]), int(self.tensor.zero_point[0])

    def __str__(self) -> str:
        return f"{self.name}: {self.tensor.dtype} (n, {', '.join(map(str, self.shape))})"


@dataclass(frozen=True, eq=False)
class Edges:
    """All inputs or all outputs of a network, in the order of the file.

    Attributes
    ----------
    kind : {"input", "output"}
    tensors : tuple of Edge
    """

    kind: Literal["input", "output"]
    tensors: tuple[Edge, ...]

    @property
    def bytes(self) -> int:
        """Size of all values, from the first byte to the last."""
        return self.tensors[-1].offset + self.tensors[-1].bytes

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(edge.name for edge in self.tensors)

    @property
    def only(self) -> Edge:
        """The only tensor.

        Raises
        ------
        EdgebioError
            If there are several; names them.
        """
        if len(self.tensors) > 1:
            raise EdgebioError(
                f"the model has {len(self.tensors)} {self.kind}s: {', '.join(self.names)}; name "
                "each of them"
            )
        return self.tensors[0]

    def named(self, values: "Values | Mapping[str, Values]") -> dict[str, Values]:
        """`values` by name; a bare array is the only tensor.

        Raises
        ------
        EdgebioError
            If a name is unknown or missing.
        """
        if not isinstance(values, Mapping):
            return {self.only.name: np.asarray(values)}
        by_alias = {alias: edge.name for edge in self.tensors for alias in _aliases(edge)}
        by_alias |= {name: name for name in self.names}
        by_name: dict[str, Values] = {}
        for name, array in values.items():
            if name not in by_alias:
                raise EdgebioError(
                    f"the model has no {self.kind} {name!r}{nearest(name, self.names)}; it has "
                    f"{', '.join(self.names)}"
                )
            by_name[by_alias[name]] = np.asarray(array)
        missing = [name for name in self.names if name not in by_name]
        if missing:
            raise EdgebioError(f"{self.kind} {', '.join(missing)} is missing")
        return by_name

    def pack(self, values: "Values | Mapping[str, Values]") -> Bytes:
        """Bytes (n, `bytes`) of arrays (n, ...) by name, or of the only one.

        Raises
        ------
        EdgebioError
            If a name is unknown or missing, an array has another type or shape or contains NaN,
            or their numbers differ.
        """
        arrays = self.named(values)
        for edge in self.tensors:
            self._check(edge, arrays[edge.name])
        counts = {edge.name: len(arrays[edge.name]) for edge in self.tensors}
        if len(set(counts.values())) > 1:
            numbers = ", ".join(f"{count} of {name}" for name, count in counts.items())
            raise EdgebioError(f"{self.kind}s differ in number: {numbers}")
        count = counts[self.tensors[0].name]
        raw = {
            edge.name: np.ascontiguousarray(arrays[edge.name])
            .reshape(count, edge.tensor.elements)
            .view(np.uint8)
            for edge in self.tensors
        }
        if len(self.tensors) == 1:
            return raw[self.tensors[0].name]
        rows = np.zeros((count, self.bytes), np.uint8)
        for edge in self.tensors:
            rows[:, edge.offset : edge.offset + edge.bytes] = raw[edge.name]
        return rows

    def random(self, count: int) -> dict[str, Values]:
        """Random arrays (count, ...) by name, the same each time.

        Integers are uniform over their whole range, floats normal.
        """
        random = np.random.default_rng(0)
        arrays: dict[str, Values] = {}
        for edge in self.tensors:
            shape = (count, *edge.shape)
            if edge.dtype.kind == "f":
                arrays[edge.name] = random.standard_normal(shape).astype(edge.dtype)
            else:
                limits = np.iinfo(edge.dtype)
                low, high = int(limits.min), int(limits.max)
                arrays[edge.name] = random.integers(low, high, shape, edge.dtype, endpoint=True)
        return arrays

    def _check(self, edge: Edge, array: Values) -> None:
        if array.ndim == 0 or array.shape[1:] != edge.shape or array.dtype != edge.dtype:
            shape = ", ".join(map(str, ("n", *edge.shape)))
            name = f"{edge.name} is" if len(self.tensors) > 1 else f"{self.kind}s are"
            raise EdgebioError(
                f"{name} {array.dtype} of shape {array.shape}; "
                f"this model takes {edge.dtype} of shape ({shape})"
            )
        if array.dtype.kind == "f" and np.isnan(array).any():
            where = f" of {edge.name}" if len(self.tensors) > 1 else ""
            raise EdgebioError(f"{self.kind}s{where} contain NaN")

    def unpack(self, rows: Bytes) -> dict[str, Values]:
        """Arrays (n, ...) by name of bytes (n, `bytes`)."""
        return {edge.name: self._slice(edge, rows) for edge in self.tensors}

    def unpack_only(self, rows: Bytes) -> Values:
        """Array (n, ...) of the only tensor."""
        return self._slice(self.only, rows)

    @staticmethod
    def _slice(edge: Edge, rows: Bytes) -> Values:
        part = np.ascontiguousarray(rows[:, edge.offset : edge.offset + edge.bytes])
        values: Values = part.view(edge.dtype)
        return values.reshape(len(rows), *edge.shape)


def inputs_of(graph: Graph) -> Edges:
    """The tensors that a network takes."""
    return _edges("input", graph, graph.inputs, graph.input_names)


def outputs_of(graph: Graph) -> Edges:
    """The tensors that a network gives."""
    return _edges("output", graph, graph.outputs, graph.output_names)


def _edges(
    kind: Literal["input", "output"], graph: Graph, indices: Sequence[int], names: Sequence[str]
) -> Edges:
    edges: list[Edge] = []
    at = 0
    for name, index in zip(names, indices, strict=True):
        edges.append(Edge(name, graph.tensors[index], at))
        at = -(-(at + edges[-1].bytes) // ALIGNMENT) * ALIGNMENT
    return Edges(kind, tuple(edges))


def _aliases(edge: Edge) -> tuple[str, ...]:
    """Names besides its own under which an edge is accepted."""
    return edge.tensor.name, plain_name(edge.tensor.name)


def plain_name(name: str) -> str:
    """Name of a tensor without what the converter puts around it."""
    return re.sub(r":\d+$", "", name.removeprefix("serving_default_"))


def unique_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names, numbered where they recur or are empty, without control characters."""
    clean = ["".join(c for c in name if c.isprintable()) or "tensor" for name in names]
    counts, unique = Counter(clean), list[str]()
    for name in clean:
        number, candidate = 2, name
        while candidate in unique or (candidate != name and candidate in counts):
            candidate, number = f"{name}_{number}", number + 1
        unique.append(candidate)
    return tuple(unique)
