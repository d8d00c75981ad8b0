"""The network as the compiler works on it: layers with integer parameters, no scales left.

`lower` makes it from a verified graph; `simplify` rewrites it; `choose` gives each layer a kernel.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgebio.compiler.views import View
from edgebio.tflite import Tensor


@dataclass(frozen=True)
class Channels:
    """What each output channel's accumulator starts from and how it is requantized.

    Attributes
    ----------
    bias, multiplier, shift : tuple of int
        One an output channel; `bias` holds the input's zero point: bias - zero point * sum(w).
    proven : bool
        Whether no accumulator can leave 32 bits; else only kernels that wrap as the reference
        does may be taken.
    """

    bias: tuple[int, ...]
    multiplier: tuple[int, ...]
    shift: tuple[int, ...]
    proven: bool = True


@dataclass(frozen=True)
class Range:
    """Zero point of an output, and the range that its fused activation lets through."""

    zero_point: int
    low: int
    high: int


@dataclass(frozen=True)
class Window:
    """A window sliding over an image of height x width x channels."""

    input: tuple[int, int]
    output: tuple[int, int]
    channels: int
    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]

    @property
    def padded(self) -> bool:
        """Whether some output looks beyond the image."""
        return any((*self.before, *self.after))

    @property
    def taps(self) -> int:
        """Pixels under the window."""
        return self.size[0] * self.size[1]

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width that the window spans, the gaps of its dilation included."""
        height, width = (
            (size - 1) * dilation + 1
            for size, dilation in zip(self.size, self.dilation, strict=True)
        )
        return height, width

    @property
    def turned(self) -> "Window":
        """The same window with rows and columns exchanged.

        Where input and output are one pixel wide or high, it reads and writes the same bytes.
        """
        fields = ("input", "output", "size", "stride", "dilation", "before", "after")
        pairs = {name: getattr(self, name)[::-1] for name in fields}
        return Window(channels=self.channels, **pairs)


@dataclass(frozen=True, eq=False)
class Layer:
    """One step of the network.

    Attributes
    ----------
    operators : tuple of int
        Indices of the operators that it computes, several where they were fused.
    kind : str
        Name of the operator that gives it its kind.
    inputs : tuple of int
        Indices of the tensors that it reads at run time.
    output : int
        Index of the tensor that it writes.
    activation : str
        Fused activation, or ``"NONE"``.
    """

    operators: tuple[int, ...]
    kind: str
    inputs: tuple[int, ...]
    output: int
    activation: str = field(default="NONE", kw_only=True)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference, padding counted as the field does."""
        return 0


@dataclass(frozen=True, eq=False)
class Convolution(Layer):
    """What both convolutions have: `pad_value` stands for zero beyond the image."""

    window: Window
    weights: NDArray[np.int8]
    channels: Channels
    pad_value: int
    range: Range

    @property
    def macs(self) -> int:  # noqa: D102 - told by Layer
        return math.prod(self.window.output) * self.weights.size


@dataclass(frozen=True, eq=False)
class Conv2D(Convolution):
    """CONV_2D; weights (outputs, window height, window width, channels).

    Attributes
    ----------
    pool : tuple of int
        Height and width of the MAX_POOL_2D behind it that it computes too, window by window;
        (1, 1) where there is none.
    groups : int
        Groups of channels that see nothing of one another; the weights between them are zeros.
    """

    pool: tuple[int, int] = field(default=(1, 1), kw_only=True)
    groups: int = field(default=1, kw_only=True)

    @property
    def pooled(self) -> tuple[int, int]:
        """Height and width of what comes out."""
        (height, width), (pool_h, pool_w) = self.window.output, self.pool
        return height // pool_h, width // pool_w


@dataclass(frozen=True, eq=False)
class DepthwiseConv2D(Convolution):
    """DEPTHWISE_CONV_2D; weights (window height, window width, channels * multiplier)."""

    multiplier: int


@dataclass(frozen=True, eq=False)
class FullyConnected(Layer):
    """FULLY_CONNECTED on some rows; weights (outputs, inputs)."""

    rows: int
    weights: NDArray[np.int8]
    channels: Channels
    range: Range

    @property
    def macs(self) -> int:  # noqa: D102 - told by Layer
        return self.rows * self.weights.size


@dataclass(frozen=True, eq=False)
class Pool(Layer):
    """MAX_POOL_2D or AVERAGE_POOL_2D."""

    window: Window
    low: int
    high: int


@dataclass(frozen=True, eq=False)
class Mean(Layer):
    """MEAN over the runs [outer][reduced][middle][reduced][inner]; `offset` is added to a sum."""

    runs: tuple[int, int, int, int, int]
    offset: int
    multiplier: int
    shift: int
    zero_point: int


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """ADD; steps are elements between neighbours along each of 4 axes, 0 where repeated."""

    shape: tuple[int, int, int, int]
    steps: tuple[tuple[int, ...], tuple[int, ...]]
    zero_points: tuple[int, int]
    rescale: tuple[tuple[int, int], tuple[int, int]]
    rescale_sum: tuple[int, int]
    range: Range


@dataclass(frozen=True, eq=False)
class Sub(Add):
    """SUB: the second input is taken from the first."""


@dataclass(frozen=True, eq=False)
class Mul(Layer):
    """MUL; steps as of ADD."""

    shape: tuple[int, int, int, int]
    steps: tuple[tuple[int, ...], tuple[int, ...]]
    zero_points: tuple[int, int]
    rescale: tuple[int, int]
    range: Range


@dataclass(frozen=True, eq=False)
class Prelu(Layer):
    """PRELU; `slopes` as stored, steps along 4 axes as of ADD, `rescale` of either sign."""

    shape: tuple[int, int, int, int]
    slopes: NDArray[np.int8]
    steps: tuple[int, ...]
    zero_points: tuple[int, int, int]
    rescale: tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Concatenation(Layer):
    """CONCATENATION: `rows` times a run of so many elements of each input."""

    rows: int
    blocks: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Copy(Layer):
    """TRANSPOSE or STRIDED_SLICE: elements of the input picked by `view`."""

    view: View


@dataclass(frozen=True, eq=False)
class Gate:
    """One gate of an LSTM: weights (units, inputs) and (units, units), each with its rescaling."""

    weights: NDArray[np.int8]
    bias: tuple[int, ...]
    rescale: tuple[int, int]
    recurrent: NDArray[np.int8]
    recurrent_bias: tuple[int, ...]
    recurrent_rescale: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Lstm(Layer):
    """UNIDIRECTIONAL_SEQUENCE_LSTM from zero state; gates input, forget, cell, output.

    Each of `steps` inputs has `columns` elements. `clip` bounds the cell state, 0 for no bound;
    `power` is the exponent of its scale.
    """

    steps: int
    columns: int
    units: int
    gates: tuple[Gate, Gate, Gate, Gate]
    forget: tuple[int, int]
    update: tuple[int, int]
    hidden: tuple[int, int]
    zero_point: int
    power: int
    clip: int

    @property
    def macs(self) -> int:  # noqa: D102 - told by Layer
        return self.steps * sum(gate.weights.size + gate.recurrent.size for gate in self.gates)


@dataclass(frozen=True, eq=False)
class Pad(Layer):
    """PAD of up to 4 axes by (before, after) elements each."""

    shape: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    value: int

    @property
    def padded(self) -> tuple[int, ...]:
        """Shape of what comes out."""
        return tuple(
            before + size + after
            for size, (before, after) in zip(self.shape, self.pads, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Table(Layer):
    """Any operator of one int8 to one int8: its answers from -128 up."""

    table: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Softmax(Layer):
    """SOFTMAX over rows of `classes`; exponentials by distance from the largest logit."""

    rows: int
    classes: int
    exponentials: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Reshape(Layer):
    """The same elements under another shape; never executed."""


@dataclass(frozen=True, eq=False)
class Quantize(Layer):
    """float32 to int8."""

    scale: np.float32
    zero_point: int


@dataclass(frozen=True, eq=False)
class Dequantize(Layer):
    """int8 to float32."""

    scale: np.float32
    zero_point: int


@dataclass(frozen=True, eq=False)
class Network:
    """Layers in the order of execution.

    Attributes
    ----------
    tensors : tuple of Tensor
        The graph's; layers refer to them by index.
    layers : tuple of Layer
    input, output : int
        Indices of the tensors that come in and go out.
    declared_output : int
        Index of the tensor that the file gives as output: another name of `output`, perhaps, under
        another shape or scale.
    sha256 : str
        Of the .tflite.
    notes : tuple of str
        What `simplify` did and what it did not, and why.
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
        """Shape under which the output is handed out."""
        return self.tensors[self.declared_output].shape

    def bytes(self, index: int) -> int:
        """Size of a tensor's data."""
        tensor = self.tensors[index]
        return math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize
