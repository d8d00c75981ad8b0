"""Inputs and outputs of a network as .npy files."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError

Values = npt.NDArray[Any]


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
    storage.write_array(path, y)
