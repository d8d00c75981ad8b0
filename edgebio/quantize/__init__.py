"""Float network to int8 .tflite, with its report."""

from edgebio.tasks.stft_classifier.quantize import quantize

__all__ = ["quantize"]
