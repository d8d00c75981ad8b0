"""Readers of file formats: each turns a file into a `table.Table`."""

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
    """Read a file by the reader of its suffix: NPZ, .mat, EDF, BDF, WFDB; otherwise as a CSV.

    Raises
    ------
    EdgebioError
        Where the file is missing, damaged or too large, or `options` name what it lacks.
    """
    return _READERS.get(path.suffix.lower(), csv.read_csv_table)(path, options)
