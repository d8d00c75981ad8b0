"""Samples as they travel: values of as few bits as the largest one needs.

Converters give 8 to 12 bits of an int16, and a line is slower than a core.
"""

import numpy as np
import numpy.typing as npt


def width(samples: npt.NDArray[np.int16]) -> int:
    """Bits in two's complement that hold every value: 1 to 16."""
    if not samples.size:
        return 1
    largest = max(int(samples.max()), ~int(samples.min()), 0)
    return largest.bit_length() + 1


def pack(samples: npt.NDArray[np.int16], bits: int) -> bytes:
    """Values one after the other, each from its lowest bit on; zeros fill up the last byte."""
    values = samples.ravel().astype(np.uint16)
    each = (values[:, None] >> np.arange(bits, dtype=np.uint16)) & 1
    return np.packbits(each.astype(np.uint8).ravel(), bitorder="little").tobytes()
