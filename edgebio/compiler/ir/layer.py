"""Base of all layers: an operator with integer parameters, no scales left."""

from dataclasses import dataclass, field

Rescale = tuple[int, int]
"""Multiplier and shift: real factor = multiplier * 2**(shift - 31)."""

Sizes = tuple[int, int, int, int]
"""Along four axes, of which the first ones may be 1."""

Elements = tuple[tuple[int, ...], int]
"""Number of elements that a layer reads from each input, and that it writes."""


@dataclass(frozen=True)
class Channels:
    """Start value and requantization of every output channel's accumulator.

    Attributes
    ----------
    bias, multiplier, shift : tuple of int
        One per output channel; `bias` includes the input's zero point: bias - zero point * sum(w).
    proven : bool
        Whether no accumulator can exceed 32 bits. If not, only kernels that wrap as the reference
        does may be used.
    """

    bias: tuple[int, ...]
    multiplier: tuple[int, ...]
    shift: tuple[int, ...]
    proven: bool = True


@dataclass(frozen=True)
class Range:
    """Zero point of an output, and the range that its fused activation allows."""

    zero_point: int
    low: int
    high: int

    def narrowed(self, low: int, high: int) -> "Range":
        """The same range, clamped to `low` ... `high`."""
        bounds = (min(max(value, low), high) for value in (self.low, self.high))
        return Range(self.zero_point, *bounds)


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of the network.

    Attributes
    ----------
    operators : tuple of int
        Indices of the operators that it computes; several if operators were fused.
    kind : str
        Name of the operator that determines its kind.
    inputs : tuple of int
        Indices of the tensors that it reads at run time.
    output : int
        Index of the tensor that it writes.
    activation : str
        Fused activation, or ``"NONE"``.
    states : tuple of int
        Indices of the variable tensors that it reads and writes by itself and whose values last
        from one inference to the next. They have their own place in the memory plan, begin with
        their zero point (0 if they are not int8), and the kernel takes a pointer to each of them
        behind its output. An operator such as SVDF declares them: the inputs that hold them in
        its registration, ``@operator("SVDF", states=(4,))``, and their tensors here.
    """

    operators: tuple[int, ...]
    kind: str
    inputs: tuple[int, ...]
    output: int
    activation: str = field(default="NONE", kw_only=True)
    states: tuple[int, ...] = field(default=(), kw_only=True)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference; padding counts, as is usual."""
        return 0

    @property
    def elements(self) -> Elements | None:
        """Elements that it reads and writes; None if it computes each from the one at its place."""
        return None
