"""Ranges of activations, by percentile.

Int8 gives every activation 255 steps between its ends, so one outlier widens the steps of all other
values. The converter's own calibration takes the extremes and has no percentile, so ranges are
measured here on the float network and handed to the quantizer in the place of its own.

Of each activation, all elements over all images of the representative set are taken together; the
range goes from the ``100 - p`` to the ``p`` percentile and is widened to hold 0, which needs an
exact code. What lies outside saturates. Constants (weights, biases) keep their own extremes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.frontend.standard import PIXEL_SCALE

_KEEP_SCALE = frozenset({"MAX_POOL_2D", "RESHAPE", "TRANSPOSE", "STRIDED_SLICE"})
"""Operators whose output has the scale of their input."""

Range = tuple[float, float]


def measure(
    activations: Mapping[int, npt.NDArray[np.float32]], percentile: float
) -> dict[int, Range]:
    """Range of every activation.

    Parameters
    ----------
    activations
        By tensor: float32 of any shape.
    percentile
        Within 50 to 100; 100 takes the extremes.
    """
    return {
        tensor: (
            min(0.0, float(np.percentile(values, 100 - percentile))),
            max(0.0, float(np.percentile(values, percentile))),
        )
        for tensor, values in activations.items()
    }


def settle(ranges: Mapping[int, Range], graph: Any, kinds: list[str]) -> dict[int, Range]:
    """Make ranges agree where an operator keeps the scale, and fix the input's.

    Parameters
    ----------
    ranges
        By tensor; every operator's first output.
    graph
        Main subgraph (`SubGraphT`).
    kinds
        Its operators' names.

    Returns
    -------
    dict
        The ranges, with that of the image added: exactly the pixels' own, int8 in steps of
        `PIXEL_SCALE`, whatever the representative set holds.
    """
    settled = dict(ranges)
    # From the end, as what a pool passes on is what counts, and not what it drops.
    for operator, kind in reversed(list(zip(graph.operators, kinds, strict=True))):
        if kind in _KEEP_SCALE:
            settled[int(operator.inputs[0])] = settled[int(operator.outputs[0])]
    settled[int(graph.inputs[0])] = (-128 * PIXEL_SCALE, 127 * PIXEL_SCALE)
    return settled
