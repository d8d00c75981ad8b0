"""Run a network's generated C on this machine, many inputs in one call.

The C is the firmware's own: the same model.c and kernels, compiled by the host's compiler. Around
them goes one loop over images, which can also keep what every layer writes.
"""

import ctypes
import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebio import compiler, storage, tflite
from edgebio.compiler import emit
from edgebio.errors import EdgebioError
from edgebio.processes import host_compiler

_LOOP: Final = """\
/* Images one after the other; where `trace` is given, every layer's output goes there too. */
#include <stddef.h>
#include <string.h>

static _Thread_local char *trace_next;

static void keep(const void *data, size_t bytes)
{
    if (trace_next) {
        memcpy(trace_next, data, bytes);
        trace_next += bytes;
    }
}

#define EB_MODEL_LAYER_DONE(layer, data, bytes) keep(data, bytes)
#include "model.c"

void eb_host_run(void *state, const char *input, char *output, char *trace, size_t images);

void eb_host_run(void *state, const char *input, char *output, char *trace, size_t images)
{
    trace_next = trace;
    for (size_t image = 0; image < images; image++) {
        eb_model_invoke(state, input, output);
        input += EB_MODEL_INPUT_BYTES;
        output += EB_MODEL_OUTPUT_BYTES;
    }
}
"""


class HostModel:
    """A network compiled for this machine.

    Parameters
    ----------
    model
        A .tflite: its path, its bytes, or its graph.
    core
        Core class whose kernels are used; instructions that this machine lacks are spelled out
        in C.
    goal
        What the kernels are chosen for.

    Attributes
    ----------
    program : Program
        What the compiler decided.
    input_shape, output_shape : tuple of int
        Of one image, without the batch.
    input_dtype, output_dtype : dtype
        int8, or float32 where the network has float edges.
    input_scale, input_zero_point, output_scale, output_zero_point : float, int
        real = scale * (value - zero point); 1 and 0 at a float edge.

    Raises
    ------
    EdgebioError
        Where the model cannot be compiled.
    MissingToolError
        Where there is no C compiler.
    """

    def __init__(
        self,
        model: Path | str | bytes | tflite.Graph,
        core: compiler.Core = "portable",
        goal: compiler.Goal = compiler.SPEED,
    ) -> None:
        self.program = compiler.compile_model(model, core, goal)
        network = self.program.network
        source = network.tensors[network.input]
        target = network.tensors[network.declared_output]
        self.input_shape = source.shape[1:]
        self.output_shape = network.output_shape[1:]
        self.input_dtype, self.output_dtype = np.dtype(source.dtype), np.dtype(target.dtype)
        self.input_scale, self.input_zero_point = _affine(source)
        self.output_scale, self.output_zero_point = _affine(target)
        self._run = _library(self.program).eb_host_run
        self._run.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_size_t]
        self._run.restype = None

    def run(self, x: NDArray[Any]) -> NDArray[Any]:
        """Compute the outputs of some inputs.

        Parameters
        ----------
        x : ndarray (n, *input_shape) of input_dtype

        Returns
        -------
        ndarray (n, *output_shape) of output_dtype

        Raises
        ------
        EdgebioError
            Where `x` has another shape or type, or holds NaN.
        """
        return self._invoke(x, None)

    def layers(self, x: NDArray[Any]) -> list[NDArray[Any]]:
        """Compute what every executed layer writes, in the order of `program.steps`.

        Parameters
        ----------
        x : ndarray (n, *input_shape) of input_dtype

        Returns
        -------
        list of ndarray (n, ...)
            One a layer, in the shape and type of its tensor.
        """
        network = self.program.network
        outputs = [step.layer.output for step in self.program.steps]
        sizes = [network.bytes(index) for index in outputs]
        trace = np.empty((len(x) if np.ndim(x) else 0, sum(sizes)), np.uint8)
        self._invoke(x, trace)
        found = []
        start = 0
        for index, size in zip(outputs, sizes, strict=True):
            tensor = network.tensors[index]
            part = np.ascontiguousarray(trace[:, start : start + size]).view(tensor.dtype)
            # Between time-major layers the batch, of 1, is not the first axis.
            shape = tensor.shape[1:] if tensor.shape[0] == 1 else tensor.shape
            found.append(part.reshape(len(trace), *shape))
            start += size
        return found

    def describe(self) -> list[str]:
        """One line a layer, in the order of `layers`."""
        return [emit.describe(self.program.network, step) for step in self.program.steps]

    def _invoke(self, x: NDArray[Any], trace: NDArray[np.uint8] | None) -> NDArray[Any]:
        x = np.asarray(x)
        if x.shape[1:] != self.input_shape or x.ndim == 0 or x.dtype != self.input_dtype:
            wanted = ", ".join(map(str, ("n", *self.input_shape)))
            raise EdgebioError(
                f"inputs are {x.dtype} of shape {x.shape}; "
                f"this model takes {self.input_dtype} of shape ({wanted})"
            )
        if x.dtype.kind == "f" and np.isnan(x).any():
            raise EdgebioError("inputs hold NaN")
        x = np.ascontiguousarray(x)
        y = np.empty((len(x), *self.output_shape), self.output_dtype)
        state = np.empty(self.program.plan.total + 16, np.uint8)
        start = state.ctypes.data + -state.ctypes.data % 16
        self._run(
            start,
            x.ctypes.data,
            y.ctypes.data,
            None if trace is None else trace.ctypes.data,
            len(x),
        )
        return y


def _affine(tensor: tflite.Tensor) -> tuple[float, int]:
    if not len(tensor.scale):
        return 1.0, 0
    return float(tensor.scale[0]), int(tensor.zero_point[0])


def _library(program: compiler.Program) -> ctypes.CDLL:
    """Compile the program, or take what was compiled for the same text."""
    texts = {**program.texts(), "loop.c": _LOOP}
    digest = hashlib.sha256("\0".join(f"{k}\0{v}" for k, v in sorted(texts.items())).encode())
    folder = storage.cache("host", f"model-{digest.hexdigest()[:16]}")
    for name, text in texts.items():
        if not (folder / name).exists():
            storage.write_text(folder / name, text)
    kernels = storage.assets("firmware_assets") / "kernels"
    return host_compiler.load_library(
        "model",
        [folder / "loop.c", *(kernels / name for name in program.kernel_sources)],
        [folder, kernels],
        # Auto-vectorised: the same arithmetic, several times faster on a PC.
        flags=(*host_compiler.STRICT, "-O3"),
    )
