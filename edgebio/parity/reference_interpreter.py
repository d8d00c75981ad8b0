"""The oracle of int8 networks: TensorFlow Lite Micro's own reference kernels, by PyPI's wheel."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import MissingToolError


class ReferenceInterpreter:
    """A model in ``tflite-micro``.

    Desktop TFLite is no oracle: XNNPACK and its own kernels round otherwise than TFLM does.

    Parameters
    ----------
    model
        Path of the .tflite, or its bytes.

    Raises
    ------
    MissingToolError
        Where ``tflite-micro`` is not installed.
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
            # Every tensor is kept for `layer`, so the arena holds them all side by side.
            arena_size=10 * len(data) + (1 << 22),
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
        )

    def invoke(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Compute the output of one input, without the batch axis.

        An LSTM starts from zero state, as a Keras layer does that is not stateful; the generated C
        does so too.
        """
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
