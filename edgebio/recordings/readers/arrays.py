"""Tables of named arrays, as NPZ and .mat files hold them."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.table import Table, categorize
from edgebio.suggest import nearest

SUPPORTED = {
    "samples", "transposed", "labels", "repetition", "subject", "session", "rate",
    "rest_repetition",
}  # fmt: skip
"""Import options that such files can honor."""

Array = npt.NDArray[Any]


def find_samples(
    path: Path, options: ImportOptions, matrices: Collection[str], names: Collection[str]
) -> str:
    """Name of the array of samples: the one in `options`, ``samples``, or the only matrix.

    Parameters
    ----------
    path
        The file, for messages.
    options
        How it is read.
    matrices
        Arrays of two dimensions.
    names
        All arrays.
    """
    present = ", ".join(names) or "none"
    if options.samples is not None:
        if options.samples not in names:
            hint = nearest(options.samples, names)
            raise EdgebioError(f"{path}: no array {options.samples!r}; it has {present}{hint}")
        return options.samples
    used = {*options.metadata_columns.values(), options.rate_column}
    unused = [name for name in matrices if name not in used]
    if "samples" in unused:
        return "samples"
    if len(unused) != 1:
        raise EdgebioError(
            f"{path}: expected an array samples (n, channels), or a single 2-D array; it has "
            f"{present}: name it in a mapping file"
        )
    return unused[0]


def table_of_arrays(
    path: Path, options: ImportOptions, name: str, values: Array, metadata: Mapping[str, Array],
    rate: float | None,
) -> Table:  # fmt: skip
    """Make a table of the array of samples and of those that hold a value per sample."""
    if options.transposed:
        values = values.T
    elif 0 < values.shape[0] < values.shape[1]:
        raise EdgebioError(
            f"{path}: {name} is {values.shape[0]} x {values.shape[1]}, which is more channels than "
            "samples; if it is channels x samples, set transposed = true in a mapping file"
        )
    categories = {}
    for field, array in metadata.items():
        column = np.full(len(values), array.item()) if array.size == 1 else array
        if len(column) != len(values):
            raise EdgebioError(f"{path}: {len(column)} {field} for {len(values)} samples")
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            row = int(np.flatnonzero(~np.isfinite(column))[0])
            raise EdgebioError(f"{path}: {field}, sample {row}: {column[row]}; expected a number")
        categories[field] = categorize(column)
    return Table(
        path=path,
        values=values,
        locate=lambda row, column: f"{path}: sample {row}, channel {column}",
        metadata=categories,
        rate=rate,
    )
