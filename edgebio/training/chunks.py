"""Apply a function chunk by chunk, so that memory is bounded."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt


def map_chunks(
    function: Callable[[slice], npt.NDArray[Any]], count: int, size: int
) -> npt.NDArray[Any]:
    """Results of a function for slices of `size` out of `count`, concatenated."""
    return np.concatenate([function(slice(k, k + size)) for k in range(0, count, size)])
