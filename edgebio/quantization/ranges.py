"""Ranges of activations, by percentile.

Int8 gives every activation 255 steps between its ends, so one outlier widens the steps of all other
values. The converter's own calibration takes the extremes and has no percentile, so ranges are
measured here on the float network and given to the quantizer instead of its own:

- Of each activation, all elements over all images of the representative set are taken together;
  the range goes from the ``100 - p`` to the ``p`` percentile and is widened to contain 0, which
  needs an exact code. Values outside saturate.
- A pool or reshape keeps its input's scale, so its input has the range of its output.
- The softmax's input decides, and two classes that saturate there are tied. It has its extremes,
  and a quarter more, as unseen sessions go beyond those of training.
- The image has the pixels' own range, whatever the representative set contains.
- Constants (weights, biases) keep their extremes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.frontend.standardization import PIXEL_SCALE

_KEEP_SCALE = frozenset({"MAX_POOL_2D", "RESHAPE"})
_HEADROOM = 1.25  # of the softmax's input

Range = tuple[float, float]


def activation_ranges(
    graph: Any,
    kinds: Sequence[str],
    activations: Mapping[int, npt.NDArray[np.float32]],
    percentile: float,
) -> dict[int, Range]:
    """Lowest and highest value of every activation, by tensor.

    `graph` is the main subgraph (`SubGraphT`), with the `kinds` of its operators; `activations` has
    the first output of every operator, float32, shape (n, ...). A percentile of 100 uses the
    extremes.
    """
    result = {
        tensor: _with_zero(*np.percentile(values, [100 - percentile, percentile]))
        for tensor, values in activations.items()
    }
    # From the end, as the values that a pool keeps count, and not those that it drops.
    for operator, kind in reversed(list(zip(graph.operators, kinds, strict=True))):
        source = int(operator.inputs[0])
        if kind in _KEEP_SCALE:
            result[source] = result[int(operator.outputs[0])]
        elif kind == "SOFTMAX":
            values = activations[source]
            result[source] = _with_zero(_HEADROOM * values.min(), _HEADROOM * values.max())
    result[int(graph.inputs[0])] = (-128 * PIXEL_SCALE, 127 * PIXEL_SCALE)
    return result


def _with_zero(low: float, high: float) -> Range:
    return min(0.0, float(low)), max(0.0, float(high))
