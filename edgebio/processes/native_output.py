"""Output that native code writes past Python: TensorFlow, compilers, converters."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def silence_output(descriptors: Sequence[int] = (1, 2)) -> Iterator[None]:
    """Discard everything written to stdout (1), stderr (2), or both, while the block runs."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    copies = [os.dup(number) for number in descriptors]
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in descriptors:
            os.dup2(null, number)
        yield
    finally:
        for number, copy in zip(descriptors, copies, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(null)
