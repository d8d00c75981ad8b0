"""Recordings: samples in converter counts, the files that hold them, and their preprocessing."""

from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.loading import import_recordings, load_recording, load_recordings
from edgebio.recordings.recording import UNLABELED, Recording
from edgebio.recordings.recordings_file import save_recordings

__all__ = [
    "UNLABELED",
    "ImportOptions",
    "Recording",
    "import_recordings",
    "load_recording",
    "load_recordings",
    "save_recordings",
]
