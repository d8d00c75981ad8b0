"""What native code writes past Python: TensorFlow, compilers, converters."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def silenced(descriptors: Sequence[int] = (1, 2)) -> Iterator[None]:
    """Send what is written to some file descriptors to nowhere, while the block runs.

    Parameters
    ----------
    descriptors
        1 for standard output, 2 for standard error.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [os.dup(number) for number in descriptors]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in descriptors:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in zip(descriptors, kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
