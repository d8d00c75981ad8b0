"""Readers of file formats: each turns a file into a `table.Table`.

They raise `EdgebioError`, one line that names the file and the position, where it is missing,
damaged or too large, or where the import options name what it lacks.
"""

from pathlib import Path

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers import (
    brainvision,
    csv,
    edf,
    epn,
    hdf5,
    mat,
    npz,
    parquet,
    wfdb,
    xdf,
)
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
    ".parquet": parquet.read_parquet_table,
}
"""By suffix; `SUFFIXES` are all that are read."""

SUFFIXES = (*_READERS, ".csv", ".tsv", ".txt", ".dat", ".gz")

_HEADERS = {
    ".dat": ".hea", ".atr": ".hea", ".mat": ".hea",
    ".eeg": ".vhdr", ".vmrk": ".vhdr",
}  # fmt: skip
"""Suffix of the header of a record, by that of its parts."""

_EXPORTS = {
    ".fif": "write EDF from MNE: raw.export('x.edf')",
    ".set": "write EDF from EEGLAB (pop_writeeeg), or from MNE: raw.export('x.edf')",
    ".gdf": "write EDF from MNE: raw.export('x.edf')",
    ".cnt": "write EDF from MNE: raw.export('x.edf')",
    ".feather": "write Parquet: DataFrame.to_parquet('x.parquet')",
    ".pkl": "it may run anything when it is opened; write DataFrame.to_csv('x.csv')",
    ".pickle": "it may run anything when it is opened; write DataFrame.to_csv('x.csv')",
    ".xlsx": "save the sheet as CSV",
    ".xls": "save the sheet as CSV",
    ".ods": "save the sheet as CSV",
    ".c3d": "export the analog channels as CSV",
    ".acq": "export it as text from AcqKnowledge, or convert it by bioread",
    ".rhd": "convert it by Intan's own programs to CSV or .mat",
    ".otb+": "export it as .mat or CSV from OT BioLab+",
    ".poly5": "write EDF by TMSi's own programs",
    ".wav": "write it as .npy, by scipy.io.wavfile.read and numpy.save",
    ".zip": "unpack it, and give the folder",
    ".rar": "unpack it, and give the folder",
    ".7z": "unpack it, and give the folder",
}
"""What to do with files of other formats, by suffix."""


def read_table(path: Path, options: ImportOptions) -> Table:
    """Read a file by the reader of its suffix; otherwise as text.

    Raises
    ------
    EdgebioError
        If another program must convert the file first, or its header is to be given instead.
    """
    suffix = path.suffix.lower()
    header = path.with_suffix(_HEADERS.get(suffix, suffix))
    if header != path and header.is_file():
        raise EdgebioError(f"{path}: a part of a record; give its header, {header.name}")
    if suffix in _EXPORTS:
        raise EdgebioError(f"{path}: {suffix} is not read; {_EXPORTS[suffix]}")
    return _READERS.get(suffix, csv.read_csv_table)(path, options)
