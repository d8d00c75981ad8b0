"""Packed samples: each value has as few bits as the largest one needs.

Converters use 8 to 12 bits of an int16, and the wire is slower than the processor.
"""

import numpy as np
import numpy.typing as npt


def bit_width(samples: npt.NDArray[np.int16]) -> int:
    """Bits in two's complement that hold every value: 1 to 16."""
    if not samples.size:
        return 1
    largest = max(int(samples.max()), ~int(samples.min()), 0)
    return largest.bit_length() + 1


def pack(samples: npt.NDArray[np.int16], bits: int) -> bytes:
    """Values one after another, each from its lowest bit on; zeros pad the last byte."""
    values = samples.ravel().astype(np.uint16)
    rows = (values[:, None] >> np.arange(bits, dtype=np.uint16)) & 1
    return np.packbits(rows.astype(np.uint8).ravel(), bitorder="little").tobytes()
