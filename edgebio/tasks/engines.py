"""What runs an int8 model on a test set."""

import numpy as np
import numpy.typing as npt


def generated_c(model: bytes, inputs: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int8], str]:
    """Run an int8 .tflite as the device would: with the C that edgebio generates from it."""
    from edgebio.compiler.host import HostModel

    return HostModel(model).run(inputs), "generated C"
