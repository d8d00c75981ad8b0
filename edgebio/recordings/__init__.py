"""Recordings: samples as the converter gave them, and the data sets that hold them."""

from edgebio.recordings.recording import Recording

__all__ = ["Recording"]
