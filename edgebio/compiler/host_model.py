"""Run a network's generated C on this machine, many inputs in one call.

The C is the firmware's own: the same model.c and kernels, compiled by the host's compiler, with
one loop over images around them that can also copy what every layer writes.
"""

import ctypes
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebio import compiler, storage, tflite
from edgebio.errors import EdgebioError
from edgebio.processes import host_compiler


class HostModel:
    """A network compiled for this machine.

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
    input_shape, output_shape : tuple of int
        Of one image, without the batch.
    input_dtype, output_dtype : dtype
        int8, or float32 if the network has float edges.
    input_scale, input_zero_point, output_scale, output_zero_point : float, int
        real = scale * (value - zero point); 1 and 0 at a float edge.

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
        network = self.program.network
        source = network.tensors[network.input]
        target = network.tensors[network.declared_output]
        self.input_shape = source.shape[1:]
        self.output_shape = network.output_shape[1:]
        self.input_dtype, self.output_dtype = np.dtype(source.dtype), np.dtype(target.dtype)
        self.input_scale, self.input_zero_point = _affine(source)
        self.output_scale, self.output_zero_point = _affine(target)
        self._run = load_library(self.program).eb_host_run
        self._run.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_size_t]
        self._run.restype = None

    def run(self, x: NDArray[Any]) -> NDArray[Any]:
        """Outputs (n, *output_shape) for the inputs `x` (n, *input_shape) of input_dtype.

        Raises
        ------
        EdgebioError
            If `x` has another shape or type, or contains NaN.
        """
        return self._invoke(x, None)

    def layers(self, x: NDArray[Any]) -> list[NDArray[Any]]:
        """Outputs (n, ...) of every layer for the inputs `x`, in the order of `program.calls`."""
        network = self.program.network
        outputs = [call.layer.output for call in self.program.calls]
        sizes = [network.bytes(index) for index in outputs]
        trace = np.empty((len(x) if np.ndim(x) else 0, sum(sizes)), np.uint8)
        self._invoke(x, trace)
        layers = []
        for index, part in zip(
            outputs, np.split(trace, np.cumsum(sizes)[:-1], axis=1), strict=True
        ):
            tensor = network.tensors[index]
            # Between time-major layers, the batch, 1, is not the first axis.
            shape = tensor.shape[1:] if tensor.shape[0] == 1 else tensor.shape
            values = np.ascontiguousarray(part).view(tensor.dtype)
            layers.append(values.reshape(len(trace), *shape))
        return layers

    def describe(self) -> list[str]:
        """One line per layer, in the order of `layers`."""
        return [compiler.describe_call(self.program, call) for call in self.program.calls]

    def _invoke(self, x: NDArray[Any], trace: NDArray[np.uint8] | None) -> NDArray[Any]:
        x = np.asarray(x)
        if x.shape[1:] != self.input_shape or x.ndim == 0 or x.dtype != self.input_dtype:
            shape = ", ".join(map(str, ("n", *self.input_shape)))
            raise EdgebioError(
                f"inputs are {x.dtype} of shape {x.shape}; "
                f"this model takes {self.input_dtype} of shape ({shape})"
            )
        if x.dtype.kind == "f" and np.isnan(x).any():
            raise EdgebioError("inputs contain NaN")
        x = np.ascontiguousarray(x)
        y = np.empty((len(x), *self.output_shape), self.output_dtype)
        state = np.empty(self.program.plan.total + 16, np.uint8)
        start = state.ctypes.data + -state.ctypes.data % 16
        trace_start = None if trace is None else trace.ctypes.data
        self._run(start, x.ctypes.data, y.ctypes.data, trace_start, len(x))
        return y


def _affine(tensor: tflite.Tensor) -> tuple[float, int]:
    """Scale and zero point."""
    if not len(tensor.scale):
        return 1.0, 0
    return float(tensor.scale[0]), int(tensor.zero_point[0])


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
