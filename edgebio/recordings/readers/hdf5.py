"""HDF5: data sets of numbers in any group, by h5py."""

from pathlib import Path
from typing import Any

import numpy as np

from edgebio.recordings.import_options import METADATA, ImportOptions
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.table import Table, find_samples, table_of_arrays

_MAX_BYTES = 1 << 30  # of one data set


def read_hdf5_table(path: Path, options: ImportOptions) -> Table:
    """Read a data set of samples, one row per sample, named by its path: ``session1/emg``."""
    options.check_supported(path, "an HDF5 file", METADATA | {"samples", "transposed"})
    check_file(path)
    with refuse_damage(path, "cut or not an HDF5 file"):
        import h5py

        with h5py.File(path, "r") as file:
            shapes: dict[str, tuple[int, ...]] = {}

            def list_dataset(name: str, item: Any) -> None:
                is_plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "iufSO"
                if is_plain and item.size * item.dtype.itemsize <= _MAX_BYTES:
                    shapes[name] = item.shape

            file.visititems(list_dataset)
            matrices = [name for name, shape in shapes.items() if len(shape) == 2]
            name = find_samples(path, options, matrices, shapes)
            values = np.asarray(file[name])
            metadata = {
                field: _plain(file[array]) for field, array in options.metadata_columns.items()
                if array in shapes
            }  # fmt: skip
    return table_of_arrays(path, options, name, values, metadata)


def _plain(item: Any) -> Any:
    values = item.asstr()[()] if item.dtype.kind in "SO" else item[()]
    return np.ravel(np.asarray(values, np.str_ if item.dtype.kind in "SO" else None))
