"""Places where a model can be run on given inputs: this machine, an emulated board, a port."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import boards, progress, storage, tflite
from edgebio.compiler.host import HostModel
from edgebio.errors import DeviceError, EdgebioError
from edgebio.firmware import batch
from edgebio.link.client import Client

Values = npt.NDArray[Any]


def run(model: Path, x: Values, board: str | None = None, port: str | None = None) -> Values:
    """Run inputs through a model where asked, by default in the generated C on this machine.

    Parameters
    ----------
    model
        The .tflite.
    x
        Inputs, shape (n, ...), of the model's type (int8, but for a model with float edges).
    board
        Name of an emulated board.
    port
        Serial URL of a board that carries this model.

    Returns
    -------
    ndarray
        Outputs, shape (n, classes).
    """
    if port:
        return _on_port(model, x, port)
    if board:
        return batch.run_network(boards.load(board), model, x)
    return HostModel(model).run(x)


def load(path: Path) -> Values:
    """Read inputs from a .npy file; pickled objects are refused.

    Raises
    ------
    EdgebioError
        Where the file is missing, cut or no array of numbers.
    """
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
    """Write outputs as a .npy file, whole or not at all."""
    with storage.replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, y, allow_pickle=False)


def _on_port(model: Path, x: Values, port: str) -> Values:
    graph = tflite.read(model)
    with Client(port) as device:
        carried = device.describe().model.hex()
        if carried != graph.sha256:
            raise DeviceError(
                f"{port}: the board carries model {carried[:12]}, not "
                f"{graph.sha256[:12]}; flash it: edgebio build, edgebio flash"
            )
        runs = [device.run_image(row).output for row in progress.track(x, f"inputs on {port}")]
    return np.array(runs, dtype=np.int8)
