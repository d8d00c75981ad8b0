"""Readers of file formats: each turns a file into a `table.Table`.

They raise `EdgebioError`, one line that names the file and the position, where it is missing,
damaged or too large, or where the import options name what it lacks.
"""

from pathlib import Path

from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers import csv, edf, mat, npz, wfdb
from edgebio.recordings.readers.table import Table

_READERS = {
    ".npz": npz.read_npz_table,
    ".mat": mat.read_mat_table,
    ".edf": edf.read_edf_table,
    ".bdf": edf.read_edf_table,
    ".hea": wfdb.read_wfdb_table,
}


def read_table(path: Path, options: ImportOptions) -> Table:
    """Read a file by the reader of its suffix: NPZ, .mat, EDF, BDF, WFDB; otherwise as a CSV."""
    return _READERS.get(path.suffix.lower(), csv.read_csv_table)(path, options)
