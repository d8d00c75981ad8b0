"""Float network to int8 .tflite, with its report."""

from edgebio.quantize.quantize import quantize

__all__ = ["quantize"]
