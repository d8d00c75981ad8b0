"""Readers of file formats: each turns a file into a `table.Table`.

They raise `EdgebioError`, one line that names the file and the position, where it is missing,
damaged or too large, or where the import options name what it lacks.
"""

from pathlib import Path

from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers import brainvision, csv, edf, epn, hdf5, mat, npz, wfdb, xdf
from edgebio.recordings.readers.table import Table

_READERS = {
    ".npz": npz.read_npz_table,
    ".mat": mat.read_mat_table,
    ".edf": edf.read_edf_table,
    ".bdf": edf.read_edf_table,
    ".hea": wfdb.read_wfdb_table,
    ".npy": npz.read_npy_table,
    ".h5": hdf5.read_hdf5_table,
    ".hdf5": hdf5.read_hdf5_table,
    ".xdf": xdf.read_xdf_table,
    ".vhdr": brainvision.read_brainvision_table,
    ".json": epn.read_epn_table,
}
"""By suffix; `SUFFIXES` are all that are read."""

SUFFIXES = (*_READERS, ".csv", ".tsv", ".txt", ".dat", ".gz")


def read_table(path: Path, options: ImportOptions) -> Table:
    """Read a file by the reader of its suffix; otherwise as text."""
    return _READERS.get(path.suffix.lower(), csv.read_csv_table)(path, options)
