""".tflite to `Graph`; imports no TensorFlow."""

from edgebio.tflite.graph import Graph, Operator, Tensor
from edgebio.tflite.reader import read

__all__ = ["Graph", "Operator", "Tensor", "read"]
