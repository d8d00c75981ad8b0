"""Files of named arrays to tables: which array holds the samples, and what the others mean.

Samples are a matrix, one row per sample; or trials of it: an array of three dimensions (trials x
samples x channels), or a list of matrices of any lengths, as cells of MATLAB are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.column_roles import KNOWN_NAMES
from edgebio.recordings.readers.table import Categories, Table, categorize, single_rate
from edgebio.suggest import nearest

Values = npt.NDArray[Any] | list[npt.NDArray[Any]]

_SAMPLE_NAMES = ("samples", "emg", "data", "x", "val", "signal", "signals", "eeg", "ecg")
_RATE_NAMES = ("rate", "fs", "sfreq", "srate", "freq", "sampling_rate", "samplingrate",
               "sample_rate", "samplerate", "sampling_frequency", "samplingfrequency",
               "frequency")  # fmt: skip
_MIN_TRIAL = 16  # samples; shorter ones mean that the order of the dimensions is another


@dataclass(frozen=True)
class Catalog:
    """Arrays of a file, by name.

    Attributes
    ----------
    shapes
        Of each: of a list of matrices, three dimensions.
    load
        Reads one: numbers, or text.
    notes
        What is not read, to show to the user.
    """

    shapes: Mapping[str, tuple[int, ...]]
    load: Callable[[str], Values]
    notes: tuple[str, ...] = ()


def table_of_catalog(path: Path, options: ImportOptions, catalog: Catalog) -> Table:
    """Make a table of the array of samples, and of the metadata of each sample, trial, or of all.

    Raises
    ------
    EdgebioError
        If no array, or more than one, may be the samples, or shapes do not agree.
    """
    notes = list(catalog.notes)
    name = find_samples(path, options, catalog, notes)
    values, lengths = _join_trials(path, options, name, catalog.load(name), notes)
    requested = {
        key: find_array(path, array, catalog.shapes)
        for key, array in options.metadata_columns.items()
    }
    arrays = {key: _load_flat(path, array, catalog) for key, array in requested.items()}
    sizes = {len(values), len(lengths), 1}
    for key, known in {**KNOWN_NAMES, "rate": _RATE_NAMES}.items():
        if key in arrays:
            continue
        array = _first_known(
            known, catalog.shapes, sizes - {len(values) if key == "rate" else 0}, exclude=name
        )
        if array is None or (key == "labels" and options.label is not None):
            continue
        own = _load_flat(path, array, catalog)
        if own.dtype.kind == "f" and not np.isfinite(own).all():
            continue
        arrays[key] = own
        if key != "rate":
            notes.append(f"{key}: array {array}")
    rate = None
    if "rate" in arrays:
        rate = single_rate(path, options.rate_column or "rate", arrays.pop("rate").tolist())
    return Table(
        path=path,
        values=values,
        locate=lambda row, column: f"{path}: sample {row}, channel {column + 1}",
        metadata={key: _categories(path, key, own, lengths) for key, own in arrays.items()},
        rate=rate,
        notes=tuple(notes),
        trials=tuple(np.cumsum([0, *lengths[:-1]]).tolist()) if len(lengths) > 1 else (),
    )


def find_array(path: Path, name: str, names: Iterable[str]) -> str:
    """Full name of an array, given by it or by its last part, where that is unique."""
    own = list(names)
    matches = [each for each in own if each == name] or [
        each for each in own if each.replace("/", ".").rpartition(".")[2] == name
    ]
    if len(matches) != 1:
        present = ", ".join(own) or "none"
        raise EdgebioError(f"{path}: no array {name!r}; it has {present}{nearest(name, own)}")
    return matches[0]


def find_samples(path: Path, options: ImportOptions, catalog: Catalog, notes: list[str]) -> str:
    """Name of the array of samples: as in `options`, by name, or the only one that may be it."""
    if options.samples is not None:
        return find_array(path, options.samples, catalog.shapes)
    used = {*options.metadata_columns.values()}
    free = [
        name for name, shape in catalog.shapes.items()
        if len(shape) in (2, 3) and name not in used and (len(shape) == 3 or min(shape) > 1)
    ] or [name for name, shape in catalog.shapes.items() if len(shape) == 2 and name not in used
          and max(shape) > 1]  # fmt: skip
    if len(free) == 1:
        return free[0]
    for known in _SAMPLE_NAMES:
        own = [name for name in free if _last(name) == known]
        if len(own) == 1:
            notes.append(f"samples: array {own[0]}")
            return own[0]
    present = ", ".join(catalog.shapes) or "none"
    tail = f" ({catalog.notes[0]})" if catalog.notes else ""
    raise EdgebioError(
        f"{path}: expected an array samples (n, channels), or a single 2-D array; it has "
        f"{present}: name it in a mapping file{tail}"
    )


def _join_trials(
    path: Path, options: ImportOptions, name: str, values: Values, notes: list[str]
) -> tuple[npt.NDArray[Any], list[int]]:
    """Join trials end to end; returns the samples, shape (n, channels), and their lengths."""
    if isinstance(values, list):
        parts = [part.T if options.transposed else part for part in values]
        if not parts or len({part.shape[1] for part in parts if part.ndim == 2}) != 1:
            shapes = ", ".join("x".join(map(str, part.shape)) for part in parts[:4])
            raise EdgebioError(f"{path}: {name} holds {shapes}, ...; expected alike channels")
        _check_orientation(path, name, parts[0].shape, "each of its matrices")
        notes.append(f"{name}: {len(parts)} trials")
        return np.concatenate(parts), [len(part) for part in parts]
    if values.dtype.kind not in "biuf":
        raise EdgebioError(f"{path}: {name} does not hold numbers")
    if values.dtype.kind == "b":
        values = values.astype(np.int64)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim == 2:
        values = values.T if options.transposed else values
        _check_orientation(path, name, values.shape, "")
        return values, [len(values)]
    if values.ndim != 3:
        raise EdgebioError(f"{path}: {name} has {values.ndim} dimensions; expected 2 or 3")
    values = values.swapaxes(1, 2) if options.transposed else values
    trials, length, channels = values.shape
    if length < channels or length < _MIN_TRIAL or not trials:
        raise EdgebioError(
            f"{path}: {name} is {' x '.join(map(str, values.shape))}; expected trials x samples x "
            "channels (of trials x channels x samples, set transposed = true in a mapping file)"
        )
    notes.append(f"{name}: {trials} trials of {length} samples of {channels} channels")
    return values.reshape(-1, channels), [length] * trials


def _check_orientation(path: Path, name: str, shape: tuple[int, ...], part: str) -> None:
    if 0 < shape[0] < shape[1]:
        raise EdgebioError(
            f"{path}: {part + ' ' if part else ''}{name} is {shape[0]} x {shape[1]}, which is more "
            "channels than samples; if it is channels x samples, set transposed = true in a "
            "mapping file"
        )


def _categories(
    path: Path, key: str, values: npt.NDArray[Any], lengths: Sequence[int]
) -> Categories:
    """Names of each sample, of values of each sample, of each trial, or of all."""
    count = sum(lengths)
    column = np.full(count, values.item()) if values.size == 1 else values
    if len(column) == len(lengths) != count:
        column = np.repeat(column, lengths)
    if len(column) != count:
        trials = f" in {len(lengths)} trials" if len(lengths) > 1 else ""
        raise EdgebioError(f"{path}: {len(column)} {key} for {count} samples{trials}")
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        row = int(np.flatnonzero(~np.isfinite(column))[0])
        raise EdgebioError(f"{path}: {key}, sample {row}: {column[row]}; expected a number")
    return categorize(column)


def _load_flat(path: Path, name: str, catalog: Catalog) -> npt.NDArray[Any]:
    """Read an array of metadata: one row or one column."""
    values = catalog.load(name)
    if isinstance(values, list):
        if all(part.size == 1 for part in values):
            return np.array([part.item() for part in values])
        raise EdgebioError(f"{path}: {name} holds matrices; expected one row or one column")
    if values.ndim > 1 and values.size != max(values.shape):
        shape = " x ".join(map(str, values.shape))
        raise EdgebioError(f"{path}: {name} is {shape}; expected one row or one column")
    return values.ravel()


def _first_known(
    known: Sequence[str], shapes: Mapping[str, tuple[int, ...]], sizes: set[int], exclude: str
) -> str | None:
    for name in known:
        for array, shape in shapes.items():
            size = int(np.prod(shape)) if shape else 1
            if _last(array) == name and array != exclude and size in sizes:
                return array
    return None


def _last(name: str) -> str:
    return name.replace("/", ".").rpartition(".")[2].lower()
