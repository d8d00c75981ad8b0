"""Run a network's generated C on this machine, many inputs in one call.

The C is the firmware's own: the same model.c and kernels, compiled by the host's compiler, with
one loop over images around them that can also copy what every layer writes.
"""

import ctypes
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebio import compiler, storage
from edgebio.compiler.ir.memory_plan import STATE_ALIGNMENT
from edgebio.processes import host_compiler
from edgebio.tflite.edges import inputs_of, outputs_of


class HostModel:
    """A network compiled for this machine.

    A network with a state goes through the inputs in order, from one call to the next.

    Parameters
    ----------
    model
        A .tflite: its path, its bytes, or its graph.
    isa
        Kernel set; instructions that this machine lacks are replaced by plain C.
    goal
        What to choose kernels for.

    Attributes
    ----------
    program : Program
        The compiled network.
    inputs, outputs : Edges
        What it takes and gives.

    Raises
    ------
    EdgebioError
        If the model cannot be compiled.
    MissingToolError
        If there is no C compiler.
    """

    def __init__(
        self,
        model: compiler.Model,
        isa: compiler.KernelSet = "portable",
        goal: compiler.Goal = compiler.SPEED,
    ) -> None:
        self.program = compiler.compile_model(model, isa, goal)
        self.inputs, self.outputs = inputs_of(self.program.graph), outputs_of(self.program.graph)
        library = load_library(self.program)
        self._run = library.eb_host_run
        self._run.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_size_t]
        self._run.restype = None
        self._reset = library.eb_host_reset
        self._reset.argtypes, self._reset.restype = [ctypes.c_void_p], None
        self._state = self._new_state()
        self.reset()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the only input, without the batch."""
        return self.inputs.only.shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the only output, without the batch."""
        return self.outputs.only.shape

    @property
    def input_dtype(self) -> np.dtype[Any]:
        """Type of the only input: int8, or float32 if the network has float edges."""
        return self.inputs.only.dtype

    @property
    def output_dtype(self) -> np.dtype[Any]:
        """Type of the only output."""
        return self.outputs.only.dtype

    @property
    def input_scale(self) -> float:
        """Scale of the only input; 1 at a float edge."""
        return self.inputs.only.affine[0]

    @property
    def input_zero_point(self) -> int:
        """Zero point of the only input; 0 at a float edge."""
        return self.inputs.only.affine[1]

    @property
    def output_scale(self) -> float:
        """Scale of the only output; 1 at a float edge."""
        return self.outputs.only.affine[0]

    @property
    def output_zero_point(self) -> int:
        """Zero point of the only output; 0 at a float edge."""
        return self.outputs.only.affine[1]

    def reset(self) -> None:
        """Begin a new sequence: set the state of a network that has one."""
        self._reset(_aligned(self._state))

    def run(self, x: NDArray[Any]) -> NDArray[Any]:
        """Outputs (n, *output_shape) for the inputs `x` (n, *input_shape) of input_dtype.

        Raises
        ------
        EdgebioError
            If `x` has another shape or type or contains NaN, or there are several inputs or
            outputs.
        """
        return self.outputs.unpack_only(self.run_packed(self.inputs.pack(x)))

    def run_named(self, x: NDArray[Any] | Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Outputs (n, ...) by name for inputs (n, ...) by name; a bare array is the only input.

        Raises
        ------
        EdgebioError
            If a name is unknown or missing, or an array has another shape or type.
        """
        return self.outputs.unpack(self.run_packed(self.inputs.pack(x)))

    def run_packed(self, rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Outputs (n, outputs.bytes) for inputs (n, inputs.bytes), as `Edges.pack` gives them."""
        return self._invoke(rows, None)

    def layers(self, x: NDArray[Any] | Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Outputs (n, ...) of every layer for the inputs `x`, in the order of `program.calls`."""
        network, rows = self.program.network, self.inputs.pack(x)
        outputs = [call.layer.output for call in self.program.calls]
        sizes = [network.bytes(index) for index in outputs]
        trace = np.empty((len(rows), sum(sizes)), np.uint8)
        self._invoke(rows, trace)
        layers = []
        for index, part in zip(
            outputs, np.split(trace, np.cumsum(sizes)[:-1], axis=1), strict=True
        ):
            tensor = network.tensors[index]
            # Between time-major layers, the batch, 1, is not the first axis.
            shape = tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape
            values = np.ascontiguousarray(part).view(tensor.dtype)
            layers.append(values.reshape(len(trace), *shape))
        return layers

    def describe(self) -> list[str]:
        """One line per layer, in the order of `layers`."""
        return [compiler.describe_call(self.program, call) for call in self.program.calls]

    def _new_state(self) -> NDArray[np.uint8]:
        return np.empty(self.program.plan.total + 16, np.uint8)

    def _invoke(
        self, rows: NDArray[np.uint8], trace: NDArray[np.uint8] | None
    ) -> NDArray[np.uint8]:
        rows = np.ascontiguousarray(rows)
        y = np.zeros((len(rows), self.outputs.bytes), np.uint8)
        # Without a state, several threads may call at once.
        state = self._state if self.program.plan.states else self._new_state()
        trace_start = None if trace is None else trace.ctypes.data
        self._run(_aligned(state), rows.ctypes.data, y.ctypes.data, trace_start, len(rows))
        return y


def _aligned(state: NDArray[np.uint8]) -> int:
    """Address of the first byte that is aligned as the C requires."""
    return int(state.ctypes.data + -state.ctypes.data % STATE_ALIGNMENT)


def load_library(program: compiler.Program) -> ctypes.CDLL:
    """Compile the program, or load the library that was compiled from the same text."""
    texts = compiler.c_files(program)
    digest = hashlib.sha256("\0".join(f"{k}\0{v}" for k, v in sorted(texts.items())).encode())
    folder = storage.cache("host", f"model-{digest.hexdigest()[:16]}")
    for name, text in texts.items():
        if not (folder / name).exists():
            storage.write_text(folder / name, text)
    kernels = storage.assets("firmware_assets") / "kernels"
    # Vectorized: the same arithmetic, several times faster on a PC.
    flags = (*host_compiler.STRICT, "-O3")
    objects = [
        host_compiler.compile_object(kernels / name, [kernels], flags)
        for name in program.kernel_sources
    ]
    loop = Path(__file__).with_name("host_loop.c")
    return host_compiler.load_library("model", [loop, *objects], [folder, kernels], flags)
