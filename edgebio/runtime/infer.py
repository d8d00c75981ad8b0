"""Run inputs through a model: on the host twin, on an emulated board, or on a board on a port."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import boards, storage
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.firmware import batch
from edgebio.runtime.device import Device

Values = npt.NDArray[Any]


def run(model: Path, x: Values, board: str | None = None, port: str | None = None) -> Values:
    """Run inputs, shape (n, ...), through a .tflite; outputs have shape (n, classes).

    They run on an emulated board, on a board at a serial URL that has this model, or, by default,
    in the generated C on this machine.
    """
    if port:
        with Device(port, model) as device:
            return device.run_inputs(x)
    if board:
        return batch.run_network(boards.load(board), model, x)
    return HostModel(model).run(x)


def load(path: Path) -> Values:
    """Read inputs from a .npy file; pickled objects are refused."""
    try:
        with path.open("rb") as file:
            array: Values = np.lib.format.read_array(file, allow_pickle=False)
    except FileNotFoundError:
        raise EdgebioError(f"{path}: no such file") from None
    except (ValueError, OSError, EOFError) as error:
        raise EdgebioError(f"{path}: not a .npy array: {str(error).splitlines()[0]}") from None
    if array.ndim < 2:
        raise EdgebioError(f"{path}: shape {array.shape}; inputs have shape (n, ...)")
    return array


def save(path: Path, y: Values) -> None:
    """Write outputs as a .npy file, completely or not at all."""
    with storage.replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, y, allow_pickle=False)
