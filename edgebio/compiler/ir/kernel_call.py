"""Kernel call: one step of the program, with its C function and parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from edgebio.compiler.ir.layer import Layer

KernelSet = Literal["portable", "dsp", "mve"]
"""Instructions that kernels may use: plain C, the DSP extension, Helium (MVE)."""

KERNEL_SETS: Final[dict[KernelSet, tuple[KernelSet, ...]]] = {
    "portable": ("portable",),
    "dsp": ("dsp", "portable"),
    "mve": ("mve", "dsp", "portable"),
}
"""Kernel sets whose kernels run where this one does, best first."""

Overlay = Literal["start", "same", "end"]
"""How the output of a kernel that works in place may overlap its input."""

Value = int | float | str | tuple["Value", ...] | Mapping[str, "Value"]
"""A C initializer: a number, a name, a list, or a struct by its members."""


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array of the generated code: name, type of an element, elements, layout."""

    name: str
    ctype: str
    values: tuple[Value, ...]
    note: str

    @property
    def bytes(self) -> int:
        """Size in flash."""
        return len(self.values) * _SIZES[self.ctype]


_SIZES: Final = {
    "int8_t": 1, "uint8_t": 1, "int16_t": 2, "int32_t": 4, "uint32_t": 4, "eb_channel": 12,
    "eb_lanes": 48, "eb_quad": 64, "eb_rescale": 12, "eb_scales": 32,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class KernelCall:
    """A layer with its kernel.

    Attributes
    ----------
    layer : Layer
    function : str
        The kernel's C function.
    sources : tuple of str
        The C files that it needs from firmware_assets/kernels, and headers besides eb_kernels.h.
    arrays : tuple of Array
        Constants; `parameters` and `arguments` refer to them as ``@name``.
    struct : str
        Type of the parameter struct; empty if the kernel takes plain arguments.
    parameters : mapping
        Members of the struct.
    arguments : tuple of str
        Arguments before the activations.
    scratch : int
        Bytes of scratch memory. If there are any, or with `takes_scratch`, the kernel takes a
        pointer.
    takes_scratch : bool
        Whether the kernel's last parameter is a scratch pointer, which may be NULL.
    in_place : tuple of int
        Positions of the inputs that the output may overwrite.
    overlay : {"start", "same", "end"}
        Where the output may overlap them. The output grows from its start while the input is read
        from its start. "start": no faster, so that it may begin at or before the input. "end":
        no slower, so that it may end at or before the input's end. "same": it must begin there.
    lists_inputs : bool
        Whether the kernel takes its inputs as one list of pointers.
    estimate : int
        Approximate instruction count, to compare with `smaller`; 0 if there is no such form.
    smaller : callable or None
        Makes the form of this call with smaller constants.
    faster : callable or None
        Makes the form of this call with larger constants, for "fastest" only.
    isa : {"portable", "dsp", "mve"}
        Kernel set of the kernel.
    notes : tuple of str
        Why no faster kernel was chosen.
    """

    layer: Layer
    function: str
    sources: tuple[str, ...]
    arrays: tuple[Array, ...] = ()
    struct: str = ""
    parameters: Mapping[str, Value] | None = None
    arguments: tuple[str, ...] = ()
    scratch: int = 0
    takes_scratch: bool = False
    in_place: tuple[int, ...] = ()
    overlay: Overlay = "start"
    lists_inputs: bool = False
    estimate: int = 0
    smaller: "Callable[[], KernelCall] | None" = None
    faster: "Callable[[], KernelCall] | None" = None
    isa: KernelSet = "portable"
    notes: tuple[str, ...] = ()

    @property
    def constant_bytes(self) -> int:
        """Flash of weights, biases and tables."""
        return sum(array.bytes for array in self.arrays)
