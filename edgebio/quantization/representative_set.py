"""A representative set: the inputs that the ranges of a brought model are measured on."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ModelInput:
    """Input of a float model: its name, and its shape without the batch; None for any size."""

    name: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"{self.name} (n, {sizes})"


def read_arrays(path: Path) -> dict[str, Array]:
    """Read a .npy, under the name "", or the arrays of a .npz by their names.

    Raises
    ------
    EdgebioError
        If the file is missing or damaged, or an array holds no numbers, none, NaN or infinity, or
        one value only.
    """
    try:
        content = np.load(path, allow_pickle=False)
        arrays = {"": content} if isinstance(content, np.ndarray) else dict(content)
    except FileNotFoundError:
        raise EdgebioError(
            f"{path}: no such file; save inputs like those of training with numpy.save, shape "
            "(n, ...)"
        ) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise EdgebioError(
            f"{path}: not a .npy or .npz of numbers ({str(error).splitlines()[0]}); write it with "
            "numpy.save"
        ) from None
    if not arrays:
        raise EdgebioError(f"{path}: no arrays; save inputs like those of training in it")
    return {name: _check(array, f"{path}: {name}".rstrip(": ")) for name, array in arrays.items()}


def match_inputs(arrays: dict[str, Array], inputs: Sequence[ModelInput], path: Path) -> list[Array]:
    """Arrays in the order of a model's inputs.

    Raises
    ------
    EdgebioError
        If names, shapes or numbers of inputs do not fit; says what the model takes.
    """
    if len(inputs) == 1 and len(arrays) == 1:
        arrays = {inputs[0].name: next(iter(arrays.values()))}
    missing = [str(each) for each in inputs if each.name not in arrays]
    if missing:
        raise EdgebioError(
            f"{path}: no array for {', '.join(missing)}; save one for each input by its name: "
            f"numpy.savez({path.stem!r}, {', '.join(f'{i.name}=...' for i in inputs)})"
        )
    matched = [arrays[each.name] for each in inputs]
    for each, array in zip(inputs, matched, strict=True):
        _check_shape(array.shape, each, path)
    if len({len(array) for array in matched}) > 1:
        lengths = ", ".join(f"{i.name} {len(a)}" for i, a in zip(inputs, matched, strict=True))
        raise EdgebioError(f"{path}: numbers of inputs differ ({lengths}); give the same of each")
    return matched


def _check(array: npt.NDArray[Any], where: str) -> Array:
    if array.dtype.kind not in "fiu":
        raise EdgebioError(f"{where} holds {array.dtype}; expected numbers")
    if not array.ndim or not array.size:
        raise EdgebioError(f"{where} has shape {list(array.shape)}; expected inputs, (n, ...)")
    values = array.astype(np.float32)
    invalid = ~np.isfinite(values)
    if invalid.any():
        row = int(np.argmax(invalid.reshape(len(values), -1).any(axis=1)))
        raise EdgebioError(
            f"{where} holds {int(invalid.sum()):,} values that are NaN or infinite, first in input "
            f"{row}; leave out or repair those inputs"
        )
    if values.min() == values.max():
        raise EdgebioError(
            f"{where}: every value is {values.min():g}; ranges need inputs like those of training"
        )
    return values


def _check_shape(shape: tuple[int, ...], wanted: ModelInput, path: Path) -> None:
    rest = shape[1:]
    fits = len(rest) == len(wanted.shape) and all(
        size in (None, actual) for size, actual in zip(wanted.shape, rest, strict=True)
    )
    if fits:
        return
    hint = ""
    if len(shape) == len(wanted.shape):
        hint = "; the first axis counts inputs: add it with x[None]"
    elif len(shape) == len(wanted.shape) + 2 and shape[1] == 1:
        hint = "; leave out the batch axis: x[:, 0]"
    raise EdgebioError(f"{path}: shape {list(shape)}; the model takes {wanted}{hint}")
