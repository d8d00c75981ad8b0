"""What a compiled layer is: its kernel, its constants, the memory it wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from edgebio.compiler import network as net

Core = Literal["portable", "dsp", "mve"]
"""Instruction set that kernels may use: plain C, the DSP extension, Helium."""

CORES: Final[dict[Core, tuple[Core, ...]]] = {
    "portable": ("portable",),
    "dsp": ("dsp", "portable"),
    "mve": ("mve", "dsp", "portable"),
}
"""Core classes whose kernels run on a core, best first."""

Overlay = Literal["start", "same", "end"]
"""How the output of a kernel that works in place may lie over its input."""

Value = int | float | str | tuple["Value", ...] | Mapping[str, "Value"]
"""A C initialiser: a number, a name, a list, or a struct by its members."""


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array of the generated code.

    Attributes
    ----------
    name : str
        What it holds; the layer's name is put before it.
    ctype : str
        Type of an element.
    values : tuple
        Its elements.
    note : str
        Its layout.
    """

    name: str
    ctype: str
    values: tuple[Value, ...]
    note: str

    @property
    def bytes(self) -> int:
        """Size in flash."""
        return len(self.values) * _SIZES[self.ctype]


_SIZES: Final = {
    "int8_t": 1,
    "uint8_t": 1,
    "int16_t": 2,
    "int32_t": 4,
    "uint32_t": 4,
    "eb_channel": 12,
    "eb_lanes": 48,
    "eb_quad": 64,
}


@dataclass(frozen=True, eq=False)
class Step:
    """A layer with its kernel.

    Attributes
    ----------
    layer : Layer
    function : str
        The kernel's C function.
    sources : tuple of str
        C files that it needs, in firmware_assets/kernels, and headers besides eb_kernels.h.
    core : str
        Core class of the kernel.
    arrays : tuple of Array
        Constants; referred to in `parameters` and `arguments` as ``@name``.
    struct : str
        Type of the parameter struct, empty where the kernel takes plain arguments.
    parameters : mapping
        Members of the struct.
    arguments : tuple of str
        Arguments before the activations.
    scratch : int
        Bytes of scratch memory; with them, or with `takes_scratch`, the kernel takes a pointer.
    takes_scratch : bool
        Whether the kernel's last parameter is a scratch pointer, which may be NULL.
    in_place : tuple of int
        Positions of inputs that the output may overwrite.
    overlay : {"start", "same", "end"}
        Where the output may lie over them. It grows from its start as they are read from theirs:
        no faster and no larger, so that it may begin where they do or before; or faster and no
        smaller, so that it may end where they do or before. "same": it must begin where they do.
    estimate : int
        About how many instructions it takes, to weigh it against another form; 0 where it has none.
    lists_inputs : bool
        Whether the kernel takes its inputs as one list of pointers.
    notes : tuple of str
        What is to be said of the choice: why no faster kernel was taken.
    """

    layer: net.Layer
    function: str
    sources: tuple[str, ...]
    core: Core
    arrays: tuple[Array, ...] = ()
    struct: str = ""
    parameters: Mapping[str, Value] | None = None
    arguments: tuple[str, ...] = ()
    scratch: int = 0
    takes_scratch: bool = False
    in_place: tuple[int, ...] = ()
    overlay: Overlay = "start"
    estimate: int = 0
    lists_inputs: bool = False
    notes: tuple[str, ...] = ()

    @property
    def constant_bytes(self) -> int:
        """Flash of weights, biases and tables."""
        return sum(array.bytes for array in self.arrays)
