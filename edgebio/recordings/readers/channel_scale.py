"""Channels of a converter, as EDF, BDF and WFDB describe them: values, steps and zeros."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.counts import advised_lsb
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.table import Table, find_columns
from edgebio.recordings.units import unit_factor

_LIMITS = (np.iinfo(np.int16).min, np.iinfo(np.int16).max)


def select_channels(path: Path, options: ImportOptions, names: Sequence[str]) -> list[int]:
    """Indices of the channels that the options name; of all if they name none."""
    if not names:
        raise EdgebioError(f"{path}: no signal")
    return find_columns(path, options.columns, names, len(names)) or list(range(len(names)))


def table_of_channels(
    path: Path,
    options: ImportOptions,
    digital: npt.NDArray[np.int64],
    *,
    names: Sequence[str],
    units: Sequence[str],
    steps: npt.NDArray[np.float64],
    zeros: npt.NDArray[np.int64],
    notes: tuple[str, ...] = (),
    **fields: Any,
) -> Table:
    """Make a table of channels: of counts, or of physical values where the options give an lsb.

    Parameters
    ----------
    path, options
        The file, and how it is read.
    digital
        Values of the converter, shape (n, channels).
    names, units, steps, zeros
        Of each channel: name, physical unit, units of one count, and the count of physical 0.
    notes
        For the user.
    **fields
        Further fields of the table.
    """
    if len(set(units)) > 1:
        raise EdgebioError(
            f"{path}: channels of several units ({', '.join(dict.fromkeys(units))}); choose ones "
            "of one unit by --columns"
        )
    values: npt.NDArray[Any] = digital - zeros
    unit = units[0]
    if options.lsb is not None:
        values = values * steps
    else:
        values = values * np.sign(steps).astype(np.int64)
        size = np.abs(steps)
        if (size > size.min() * (1 + 1e-6)).any():
            step = _step_for_all(values, size) * unit_factor(path, unit, options.units)
            raise EdgebioError(
                f"{path}: a count is {size.min():.4g} {unit} in one channel and {size.max():.4g} "
                f"in another; give one step for all: --lsb {step:.6g} or more"
            )
        if not _fit(values) and not options.remove_offset and _fit(digital):
            values = digital * np.sign(steps).astype(np.int64)
            notes = (
                *notes,
                "the converter's own counts: they do not fit 16 bits around the physical zero",
            )
        if not _fit(values) and not options.remove_offset:
            factor = unit_factor(path, unit, options.units)
            least = advised_lsb(
                float(size[0]) * factor, float(np.abs(values).max() * size[0]) * factor
            )
            raise EdgebioError(
                f"{path}: counts from {values.min():,} to {values.max():,} do not fit 16 bits; "
                f"remove the offset of the electrodes (--remove-offset), or give a step of "
                f"{least:.6g} {options.units or unit} or more: --lsb {least:.6g}"
            )
        unit = f"{size[0]:.6g} {unit}".strip()

    def locate(row: int, column: int) -> str:
        return f"{path}: sample {row}, channel {names[column]}"

    return Table(path=path, values=values, locate=locate, units=unit, notes=notes, **fields)


def _step_for_all(values: npt.NDArray[np.int64], sizes: npt.NDArray[np.float64]) -> float:
    """Return the smallest step of several channels with which all of them fit 16 bits."""
    largest = (np.abs(values).max(axis=0, initial=0) * sizes).max(initial=0)
    return advised_lsb(float(sizes.min()), float(largest))


def _fit(values: npt.NDArray[np.int64]) -> bool:
    return not values.size or _LIMITS[0] <= values.min() <= values.max() <= _LIMITS[1]
