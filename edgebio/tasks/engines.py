"""What runs an int8 model on many inputs."""

import importlib.util
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from edgebio import tflite

Engine = Callable[[bytes, npt.NDArray[np.int8]], tuple[npt.NDArray[np.int8], str]]
"""From an int8 .tflite and inputs, int8, shape (n, ...), to its outputs, int8, shape (n, outputs),
and the name of the kernels that computed them."""


def interpreter(model: bytes, inputs: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int8], str]:
    """Run an int8 .tflite by the best interpreter that is installed; see `Engine`.

    ``"tflite-micro"`` gives the bytes of the generated C; ``"LiteRT"`` differs from it by a step
    now and then.
    """
    if importlib.util.find_spec("tflite_micro") is None:
        from edgebio.quantization import litert

        output = tflite.read(model).outputs[0]
        return litert.run(model, inputs, [output], reference=True)[output], "LiteRT"
    from edgebio.parity.reference_interpreter import ReferenceInterpreter

    return ReferenceInterpreter(model).run(inputs), "tflite-micro"


def generated_c(model: bytes, inputs: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int8], str]:
    """Run an int8 .tflite as the device does, by the C that edgebio generates; see `Engine`."""
    from edgebio.compiler.host_model import HostModel

    return HostModel(model).run(inputs), "generated C"
