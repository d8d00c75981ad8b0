"""tflite-micro's reference kernels, as what generated C must equal in every byte."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def outputs(
    model: bytes, x: NDArray[Any], tensors: Sequence[int] = ()
) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """What tflite-micro computes: the model's output, and each of `tensors`, for every input."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(
        model,
        arena_size=1 << 20,
        intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
    )

    def rows() -> Iterator[list[NDArray[Any]]]:
        for image in x:
            interpreter.reset()  # an LSTM starts anew
            interpreter.set_input(image[None], 0)
            interpreter.invoke()
            yield [
                interpreter.get_output(0).copy(),
                *(interpreter.GetTensor(index, 0)["tensor_data"].copy() for index in tensors),
            ]

    first, *rest = (np.stack(column) for column in zip(*rows(), strict=True))
    return first, rest
