"""The reference for int8 networks: TensorFlow Lite Micro's own kernels, from its PyPI wheel."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import MissingToolError


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
        data = model if isinstance(model, bytes) else model.read_bytes()
        self._interpreter = runtime.Interpreter.from_bytes(
            data,
            # `layer` reads any tensor afterwards, so the arena holds all of them side by side.
            arena_size=10 * len(data) + (1 << 22),
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
        )

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

    def layer(self, tensor: int) -> npt.NDArray[Any]:
        """Content of a tensor of the file, by its index, after the last `invoke`; with batch."""
        content: npt.NDArray[Any] = self._interpreter.GetTensor(tensor, 0)["tensor_data"]
        return content
