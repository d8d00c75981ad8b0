"""TensorFlow's interpreter: the value of every tensor, float or int8."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.models.keras import tf


def interpreter(model: bytes, reference: bool) -> Any:
    """Interpreter of a .tflite that preserves every tensor.

    Reference kernels are slow, and closest to those of microcontrollers.
    """
    resolvers = tf.lite.experimental.OpResolverType
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about LiteRT's own package
        result = tf.lite.Interpreter(
            model_content=model,
            experimental_op_resolver_type=resolvers.BUILTIN_REF
            if reference
            else resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
    result.allocate_tensors()
    return result


def run(
    model: bytes, inputs: npt.NDArray[Any], tensors: list[int], *, reference: bool = False
) -> dict[int, npt.NDArray[Any]]:
    """Values of tensors, by their numbers, for inputs, shape (n, ...): each of shape (n, ...)."""
    runner = interpreter(model, reference)
    first = runner.get_input_details()[0]["index"]
    rows: dict[int, list[npt.NDArray[Any]]] = {tensor: [] for tensor in tensors}
    for k in range(len(inputs)):
        runner.reset_all_variables()  # an LSTM starts from zero state with every input
        runner.set_tensor(first, inputs[k : k + 1])
        runner.invoke()
        for tensor, values in rows.items():
            values.append(runner.get_tensor(tensor)[0])
    return {tensor: np.stack(values) for tensor, values in rows.items()}
