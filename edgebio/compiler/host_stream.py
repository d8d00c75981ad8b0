"""Run a network's generated C on this machine as a stream: frames in, outputs when they are due."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebio import compiler
from edgebio.compiler.host_model import load_library
from edgebio.errors import EdgebioError


class HostStream:
    """A network that takes new frames and computes only what they change, on this machine.

    Parameters
    ----------
    model
        A .tflite: its path, its bytes, or its graph.
    hop
        Frames between the beginnings of two windows.
    isa, goal
        See `HostModel`.

    Attributes
    ----------
    program : Program
        The compiled network, with its stream.
    frame_shape, output_shape : tuple of int
        Of one frame, and of one output.
    input_dtype, output_dtype : dtype

    Raises
    ------
    EdgebioError
        If the model cannot be compiled, or its windows share nothing.
    MissingToolError
        If there is no C compiler.
    """

    def __init__(
        self,
        model: compiler.Model,
        hop: int,
        isa: compiler.KernelSet = "portable",
        goal: compiler.Goal = compiler.SPEED,
    ) -> None:
        self.program = compiler.compile_model(model, isa, goal, hop)
        stream, network = self.program.stream, self.program.network
        assert stream is not None
        self.hop, self.window = stream.hop, stream.window
        source, target = network.tensors[network.input], network.tensors[network.declared_output]
        self.frame_shape = source.shape[2:]
        self.output_shape = network.output_shape[1:]
        self.input_dtype, self.output_dtype = np.dtype(source.dtype), np.dtype(target.dtype)
        self._push = load_library(self.program).eb_host_push
        self._push.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t]
        self._push.restype = ctypes.c_uint32
        self._state = np.zeros(stream.plan.total + 16, np.uint8)

    def reset(self) -> None:
        """Forget all frames: at a gap, or before another stream."""
        self._state[:] = 0

    def push(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Push new frames, whole hops of them; one output for each whole window that they end.

        Parameters
        ----------
        frames : ndarray (n * hop, *frame_shape) of input_dtype

        Raises
        ------
        EdgebioError
            If `frames` have another shape or type, contain NaN, or are not whole hops.
        """
        frames = np.asarray(frames)
        if frames.ndim == 0 or frames.shape[1:] != self.frame_shape:
            shape = ", ".join(map(str, ("frames", *self.frame_shape)))
            raise EdgebioError(f"frames have shape {frames.shape}; this model takes ({shape})")
        if frames.dtype != self.input_dtype:
            raise EdgebioError(f"frames are {frames.dtype}; this model takes {self.input_dtype}")
        if len(frames) % self.hop:
            raise EdgebioError(
                f"{len(frames)} frames are no multiple of the hop of {self.hop} frames: give "
                f"{len(frames) // self.hop * self.hop} of them"
            )
        if frames.dtype.kind == "f" and np.isnan(frames).any():
            raise EdgebioError("frames contain NaN")
        frames = np.ascontiguousarray(frames)
        pushes = len(frames) // self.hop
        y = np.empty((pushes, *self.output_shape), self.output_dtype)
        start = self._state.ctypes.data + -self._state.ctypes.data % 16
        count = self._push(start, frames.ctypes.data, y.ctypes.data, pushes)
        return y[:count]
