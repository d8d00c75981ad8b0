"""TensorFlow's interpreter: what every operator computes, float or int8."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.models.keras import tf


def interpreter(model: bytes, reference: bool) -> Any:
    """Interpreter of a .tflite that keeps every tensor.

    Parameters
    ----------
    model
        Content of the file.
    reference
        Take the reference kernels: slow, and closest to those of microcontrollers.
    """
    resolvers = tf.lite.experimental.OpResolverType
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # says that LiteRT has its own package now
        made = tf.lite.Interpreter(
            model_content=model,
            experimental_op_resolver_type=resolvers.BUILTIN_REF
            if reference
            else resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
    made.allocate_tensors()
    return made


def run(
    model: bytes, images: npt.NDArray[Any], tensors: list[int], *, reference: bool = False
) -> dict[int, npt.NDArray[Any]]:
    """Values of some tensors for many images.

    Parameters
    ----------
    model
        Content of a .tflite with batch 1.
    images
        Of the input's type, shape (n, columns, bins, channels).
    tensors
        Tensors that are computed, or the output.
    reference
        See `interpreter`.

    Returns
    -------
    dict
        By tensor: shape (n, ...).
    """
    made = interpreter(model, reference)
    first = made.get_input_details()[0]["index"]
    found: dict[int, list[npt.NDArray[Any]]] = {tensor: [] for tensor in tensors}
    for k in range(len(images)):
        made.reset_all_variables()  # an LSTM starts from zero state with every input
        made.set_tensor(first, images[k : k + 1])
        made.invoke()
        for tensor, values in found.items():
            values.append(made.get_tensor(tensor)[0])
    return {tensor: np.stack(values) for tensor, values in found.items()}
