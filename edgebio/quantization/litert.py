"""TensorFlow's interpreter: the value of every tensor, float or int8."""

import contextlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.models.keras import tf

_RESOLVERS = tf.lite.experimental.OpResolverType


def interpreter(model: bytes, reference: bool) -> Any:
    """Interpreter of a .tflite that preserves every tensor.

    Reference kernels are slow, and closest to those of microcontrollers.
    """
    if reference:
        with contextlib.suppress(ValueError):  # some kernels, such as ELU's, have no reference
            return _interpreter(model, _RESOLVERS.BUILTIN_REF)
    return _interpreter(model, _RESOLVERS.BUILTIN_WITHOUT_DEFAULT_DELEGATES)


def _interpreter(model: bytes, resolver: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about LiteRT's own package
        result = tf.lite.Interpreter(
            model_content=model,
            experimental_op_resolver_type=resolver,
            experimental_preserve_all_tensors=True,
        )
    result.allocate_tensors()
    return result


def run(
    model: bytes,
    inputs: npt.NDArray[Any] | Sequence[npt.NDArray[Any]],
    tensors: list[int],
    *,
    reference: bool = False,
) -> dict[int, npt.NDArray[Any]]:
    """Values of tensors, by their numbers, each of shape (n, ...).

    `inputs` has shape (n, ...); of a model with several inputs, an array for each.
    """
    runner = interpreter(model, reference)
    arrays = [inputs] if isinstance(inputs, np.ndarray) else inputs
    details = runner.get_input_details()
    rows: dict[int, list[npt.NDArray[Any]]] = {tensor: [] for tensor in tensors}
    for k in range(len(arrays[0])):
        runner.reset_all_variables()  # an LSTM starts from zero state with every input
        for detail, array in zip(details, arrays, strict=True):
            runner.set_tensor(detail["index"], array[k : k + 1])
        runner.invoke()
        for tensor, values in rows.items():
            values.append(runner.get_tensor(tensor)[0])
    return {tensor: np.stack(values) for tensor, values in rows.items()}
