"""Ranges of activations, by percentile.

Int8 gives every activation 255 steps between its ends, so one outlier widens the steps of all other
values. The converter's own calibration takes the extremes and has no percentile, so ranges are
measured here on the float network and handed to the quantizer in the place of its own:

- Of each activation, all elements over all images of the representative set are taken together;
  the range goes from the ``100 - p`` to the ``p`` percentile and is widened to hold 0, which needs
  an exact code. What lies outside saturates.
- A pool or reshape keeps its input's scale, so its input takes the range of its output.
- What enters the softmax decides, and two classes that saturate there are a draw. It takes its
  extremes, and a quarter more, as unseen sessions reach beyond those of training.
- The image has the pixels' own range, whatever the representative set holds.
- Constants (weights, biases) keep their extremes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.frontend.standardization import PIXEL_SCALE

_KEEP_SCALE = frozenset({"MAX_POOL_2D", "RESHAPE"})
_HEADROOM = 1.25  # of what enters the softmax

Range = tuple[float, float]


def settle(
    graph: Any,
    kinds: Sequence[str],
    activations: Mapping[int, npt.NDArray[np.float32]],
    percentile: float,
) -> dict[int, Range]:
    """Settle the range of every activation.

    Parameters
    ----------
    graph
        Main subgraph (`SubGraphT`).
    kinds
        Names of its operators.
    activations
        First output of every operator by tensor: float32, shape (n, ...).
    percentile
        Within 50 to 100; 100 takes the extremes.

    Returns
    -------
    dict
        By tensor: lowest and highest value.
    """
    settled = {
        tensor: _holding_zero(*np.percentile(values, [100 - percentile, percentile]))
        for tensor, values in activations.items()
    }
    # From the end, as what a pool passes on is what counts, and not what it drops.
    for operator, kind in reversed(list(zip(graph.operators, kinds, strict=True))):
        source = int(operator.inputs[0])
        if kind in _KEEP_SCALE:
            settled[source] = settled[int(operator.outputs[0])]
        elif kind == "SOFTMAX":
            values = activations[source]
            settled[source] = _holding_zero(_HEADROOM * values.min(), _HEADROOM * values.max())
    settled[int(graph.inputs[0])] = (-128 * PIXEL_SCALE, 127 * PIXEL_SCALE)
    return settled


def _holding_zero(low: float, high: float) -> Range:
    return min(0.0, float(low)), max(0.0, float(high))
