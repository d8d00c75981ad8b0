"""HDF5: data sets of numbers in any group, by h5py."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.recordings.import_options import METADATA, ImportOptions
from edgebio.recordings.readers.arrays import Catalog, table_of_catalog
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.table import Table

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
            attributes = _attributes(file, shapes)
            catalog = Catalog(
                {**shapes, **dict.fromkeys(attributes, ())},
                lambda name: attributes[name] if name in attributes else _plain(file[name]),
            )
            return table_of_catalog(path, options, catalog)


def _attributes(file: Any, names: Iterable[str]) -> dict[str, Any]:
    """Single numbers and texts beside data sets, in the groups around them or the file."""
    attributes = {}
    places = {"": file}
    for name in names:
        parts = name.split("/")
        places |= {"/".join(parts[:k]): file["/".join(parts[:k])] for k in range(1, len(parts) + 1)}
    for place, item in places.items():
        for key, value in item.attrs.items():
            array = np.asarray(value)
            if array.size == 1 and array.dtype.kind in "iufUO":
                own = array.ravel()[0]
                attributes[f"{place}/{key}".strip("/")] = np.array(
                    own if array.dtype.kind in "iuf" else str(own)
                )
    return {name: value for name, value in attributes.items() if name not in names}


def _plain(item: Any) -> npt.NDArray[Any]:
    """Values of a data set; text as such."""
    values = item.asstr()[()] if item.dtype.kind in "SO" else item[()]
    return np.asarray(values, np.str_ if item.dtype.kind in "SO" else None)
