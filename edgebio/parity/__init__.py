"""Comparison of computations: the ladder, golden vectors, hardware in the loop."""

from edgebio.parity.comparison import Part, Rung
from edgebio.parity.ladder import verify_model

__all__ = ["Part", "Rung", "verify_model"]
