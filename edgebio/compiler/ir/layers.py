"""All layers.

The lowering of an operator makes its layer; passes fuse layers and give each one a kernel.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.ir.kernel_call import Array, Value
from edgebio.compiler.ir.layer import Channels, Elements, Layer, Range, Rescale, Sizes
from edgebio.compiler.ir.window import Pair, Window


@dataclass(frozen=True, eq=False)
class Windowed(Layer):
    """A layer with a sliding window."""

    window: Window

    @property
    def image(self) -> tuple[int, ...]:
        """Height, width and channels of the output."""
        return (*self.window.output, self.window.channels)

    @property
    def elements(self) -> Elements:
        read = math.prod(self.window.input) * self.window.channels
        return (read,), math.prod(self.image)


@dataclass(frozen=True, eq=False)
class Convolution(Windowed):
    """Base of both convolutions; `pad_value` stands for zero outside the image."""

    weights: NDArray[np.int8]
    channels: Channels
    pad_value: int
    range: Range

    @property
    def macs(self) -> int:
        return math.prod(self.window.output) * self.weights.size

    @property
    def products(self) -> NDArray[np.int64]:
        """Weights as (outputs, products)."""
        return self.weights.reshape(len(self.weights), -1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Conv2D(Convolution):
    """CONV_2D; weights (outputs, window height, window width, channels).

    Attributes
    ----------
    pool : tuple of int
        Height and width of the MAX_POOL_2D that is fused into it; (1, 1) for none.
    groups : int
        Groups of channels that are convolved separately; the weights between them are zeros.
    """

    pool: Pair = field(default=(1, 1), kw_only=True)
    groups: int = field(default=1, kw_only=True)

    @property
    def pooled(self) -> Pair:
        """Height and width of the output."""
        (height, width), (pool_h, pool_w) = self.window.output, self.pool
        return height // pool_h, width // pool_w

    @property
    def image(self) -> tuple[int, ...]:
        return (*self.pooled, len(self.weights))


@dataclass(frozen=True, eq=False)
class DepthwiseConv2D(Convolution):
    """DEPTHWISE_CONV_2D; weights (window height, window width, channels * multiplier)."""

    multiplier: int

    @property
    def image(self) -> tuple[int, ...]:
        return (*self.window.output, int(self.weights.shape[-1]))

    @property
    def products(self) -> NDArray[np.int64]:
        return self.weights.reshape(-1, self.weights.shape[-1]).T.astype(np.int64)


@dataclass(frozen=True, eq=False)
class FullyConnected(Layer):
    """FULLY_CONNECTED on some rows; weights (outputs, inputs)."""

    rows: int
    weights: NDArray[np.int8]
    channels: Channels
    range: Range

    @property
    def macs(self) -> int:
        return self.rows * self.weights.size

    @property
    def elements(self) -> Elements:
        outputs, inputs = self.weights.shape
        return (self.rows * int(inputs),), self.rows * int(outputs)

    @property
    def products(self) -> NDArray[np.int64]:
        """Weights as (outputs, products)."""
        return self.weights.astype(np.int64)


Weighted = Convolution | FullyConnected
"""Layers that sum products with weights."""


@dataclass(frozen=True, eq=False)
class Pool(Windowed):
    """MAX_POOL_2D or AVERAGE_POOL_2D."""

    range: Range


@dataclass(frozen=True, eq=False)
class Mean(Layer):
    """MEAN over the runs [outer][reduced][middle][reduced][inner]; `offset` is added to a sum."""

    runs: tuple[int, int, int, int, int]
    offset: int
    rescale: Rescale
    zero_point: int

    @property
    def elements(self) -> Elements:
        outer, _, middle, _, inner = self.runs
        return (math.prod(self.runs),), outer * middle * inner


@dataclass(frozen=True, eq=False)
class Broadcast(Layer):
    """Base of operators on two inputs that are repeated to the shape of the output.

    Attributes
    ----------
    shape : tuple of int
        Shape of the output.
    steps : tuple of tuple of int
        For each input, elements between neighbors along each axis; 0 where it is repeated.
    zero_points : tuple of int
        Zero points of both inputs.
    range : Range
    """

    shape: Sizes
    steps: tuple[Sizes, Sizes]
    zero_points: tuple[int, int]
    range: Range

    @property
    def elements(self) -> Elements:
        reads = (
            math.prod(size for size, step in zip(self.shape, steps, strict=True) if step)
            for steps in self.steps
        )
        return tuple(reads), math.prod(self.shape)


@dataclass(frozen=True, eq=False)
class Add(Broadcast):
    """ADD: both inputs are rescaled, then their sum."""

    rescale: tuple[Rescale, Rescale]
    rescale_sum: Rescale


@dataclass(frozen=True, eq=False)
class Sub(Add):
    """SUB: the second input is subtracted from the first."""


@dataclass(frozen=True, eq=False)
class Mul(Broadcast):
    """MUL: the product is rescaled."""

    rescale: Rescale


@dataclass(frozen=True, eq=False)
class Pad(Layer):
    """PAD of up to four axes by (before, after) elements each."""

    shape: tuple[int, ...]
    pads: tuple[Pair, ...]
    value: int

    @property
    def padded(self) -> tuple[int, ...]:
        """Shape of the output."""
        return tuple(
            before + size + after
            for size, (before, after) in zip(self.shape, self.pads, strict=True)
        )

    @property
    def elements(self) -> Elements:
        return (math.prod(self.shape),), math.prod(self.padded)


@dataclass(frozen=True, eq=False)
class Table(Layer):
    """Any operator from one int8 to one int8: its results for -128 ... 127."""

    table: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Reshape(Layer):
    """The same elements under another shape; never executed."""


@dataclass(frozen=True, eq=False)
class Quantize(Layer):
    """float32 to int8."""

    scale: np.float32
    zero_point: int


@dataclass(frozen=True, eq=False)
class Dequantize(Quantize):
    """int8 to float32."""


@dataclass(frozen=True, eq=False)
class FloatFunction(Layer):
    """A function of float32, element by element; never executed, as a table takes its place."""

    function: Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class KernelLayer(Layer):
    """A layer that its operator lowers straight to one portable kernel.

    Attributes
    ----------
    kernel : str
        Name of the kernel: ``eb_run_<kernel>`` in ``eb_<kernel>.c``, with a struct ``eb_<kernel>``.
    headers : tuple of str
        Headers that it includes besides eb_kernels.h.
    parameters, arrays, scratch, in_place, lists_inputs
        See `KernelCall`.
    elements, macs
        See `Layer`.
    """

    kernel: str
    parameters: Mapping[str, Value]
    arrays: tuple[Array, ...] = ()
    scratch: int = 0
    in_place: tuple[int, ...] = ()
    lists_inputs: bool = False
    headers: tuple[str, ...] = ()
    elements: Elements | None = None
    macs: int = 0


@dataclass(frozen=True, eq=False)
class Concatenation(KernelLayer):
    """CONCATENATION and PACK: rows of one block of each input."""


@dataclass(frozen=True, eq=False)
class Lstm(KernelLayer):
    """UNIDIRECTIONAL_SEQUENCE_LSTM; both arrays of weights are (units, inputs, 4 gates)."""
