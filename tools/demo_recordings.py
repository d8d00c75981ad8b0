"""Recordings of ``make demo``: those that are here, else one person's that are fetched, else
the synthetic set."""

import os
from pathlib import Path

from edgebio import datasets, progress
from edgebio.datasets import download
from edgebio.errors import EdgebioError

REAL, SYNTHETIC = ("emg-3dc", "2"), ("emg-synthetic", "1")
BEGIN_SECONDS = 20.0
"""Time for the source of the real recordings to begin."""


def choose_recordings(address: str | None = None) -> tuple[tuple[str, str], str]:
    """Data set and subject, and a line that says which ones and why.

    `address` is that of a folder with the files of the real set, if not its own source.
    """
    name, subject = REAL
    if _complete(name, subject):
        return REAL, f"real recordings: {datasets.locate(name)}"
    size = sum(file.size for file in download.files_of(name, [subject]))
    print(f"fetching one person of {name}, {size / 1e6:.0f} MB", flush=True)
    reason = f"no answer from its source within {BEGIN_SECONDS:g} s"
    if download.answers(name, BEGIN_SECONDS, address):
        progress.enable()
        try:
            download.fetch(name, address, [subject])
            os.environ.pop("EDGEBIO_DATA", None)  # of a folder without the set
            return REAL, f"real recordings: {datasets.locate(name)}"
        except EdgebioError as error:
            reason = str(error)
    return SYNTHETIC, f"SYNTHETIC EMG, as {name} is not here: {reason}"


def _complete(name: str, subject: str) -> bool:
    """Whether all files of a subject are on this machine."""
    folder = datasets.locate(name)
    if folder is None:
        return False
    return all(_is_here(folder, file) for file in download.files_of(name, [subject]))


def _is_here(folder: Path, file: download.File) -> bool:
    path = folder / file.path
    return path.is_file() and path.stat().st_size == file.size
