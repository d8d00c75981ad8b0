"""The reference for int8 networks: TensorFlow Lite Micro's own kernels, from its PyPI wheel."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.errors import MissingToolError
from edgebio.parity.reference_model import static_model
from edgebio.tflite.edges import Bytes, inputs_of, outputs_of


class ReferenceInterpreter:
    """A .tflite in ``tflite-micro``, by its path or its bytes.

    Desktop TFLite is no reference: XNNPACK and its own kernels round differently from TFLM.
    Raises `MissingToolError` if ``tflite-micro`` is not installed.
    """

    def __init__(self, model: Path | bytes) -> None:
        try:
            from tflite_micro.python.tflite_micro import runtime
        except ImportError:
            raise MissingToolError(
                'tflite-micro is not installed: pip install "edgebio[verify]"'
            ) from None
        content = model if isinstance(model, bytes) else model.read_bytes()
        data, graph = static_model(content), tflite.read(content)
        self._edges = inputs_of(graph), outputs_of(graph)
        self._create: Callable[[], Any] = functools.partial(
            runtime.Interpreter.from_bytes,
            data,
            # `layer` reads any tensor afterwards, so the arena holds all of them side by side.
            arena_size=10 * len(data) + (1 << 22),
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
        )
        self._interpreter = self._create()

    def restart(self) -> None:
        """Begin a new sequence: the next input is the first one of a network with a state."""
        # A reset would not do: CALL_ONCE, which gives variables their first values, would not run.
        self._interpreter = self._create()

    def invoke(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Output of one input, without batch axis; an LSTM starts from a zero state."""
        self._interpreter.reset()
        self._interpreter.set_input(np.ascontiguousarray(image[None]), 0)
        self._interpreter.invoke()
        output: npt.NDArray[Any] = self._interpreter.get_output(0)[0].copy()
        return output

    def run(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Compute the outputs of `images`: shape (n, ...) in, (n, ...) out."""
        return np.array([self.invoke(image) for image in images])

    def run_packed(self, rows: Bytes, *, lasting: bool) -> Bytes:
        """Outputs for inputs that lie behind one another; see `edgebio.tflite.edges`.

        Parameters
        ----------
        rows : ndarray of uint8 (n, bytes)
        lasting
            Whether states last from one row to the next, and from one call to the next.
        """
        sources, targets = self._edges
        inputs = sources.unpack(rows)
        outputs = np.zeros((len(rows), targets.bytes), np.uint8)
        for index, row in enumerate(outputs):
            if not lasting:
                self._interpreter.reset()
            for position, name in enumerate(sources.names):
                self._interpreter.set_input(inputs[name][index : index + 1], position)
            self._interpreter.invoke()
            for position, edge in enumerate(targets.tensors):
                values = self._interpreter.get_output(position).tobytes()
                row[edge.offset : edge.offset + edge.bytes] = np.frombuffer(values, np.uint8)
        return outputs

    def layer(self, tensor: int) -> npt.NDArray[Any]:
        """Content of a tensor of the file, by its index, after the last `invoke`; with batch."""
        content: npt.NDArray[Any] = self._interpreter.GetTensor(tensor, 0)["tensor_data"]
        return content
