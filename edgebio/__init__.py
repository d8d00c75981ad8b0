"""edgebio: biosignals to microcontrollers, proven bit for bit on the way."""

__version__ = "0.1.0"
