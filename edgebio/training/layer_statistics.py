"""Statistics of the layers: batch normalisation by the signal of a sitting, labels unseen.

Y. Li et al., Revisiting Batch Normalization For Practical Domain Adaptation, arXiv 1603.04779.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.models.keras import keras
from edgebio.training.fit import predict, real
from edgebio.training.images import Images

_SEEN = 4000  # images that statistics are learned from: as many as tell them within a hundredth
_AT_ONCE = 500


def settle(network: Any, images: Images, starts: npt.NDArray[np.int64] | None = None) -> None:
    """Give every batch normalisation the statistics of some windows, layer after layer, in place.

    Parameters
    ----------
    network
        tf_keras.Model of `edgebio.models.build`.
    images
        Where the windows are.
    starts
        int64, shape (n,): first column of each; all of the signal if None.
    """
    x = real(images.signal(_SEEN, starts))
    for layer in network.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        # What comes to a layer depends on the statistics of those before it.
        before = keras.Model(network.input, layer.input)
        parts = (
            before(x[k : k + _AT_ONCE], training=False).numpy() for k in range(0, len(x), _AT_ONCE)
        )
        mean, variance = moments(parts)
        gamma, beta, *_ = layer.get_weights()
        layer.set_weights([gamma, beta, mean, variance])


def moments(
    parts: Iterable[npt.NDArray[np.float32]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and variance along the last axis of arrays that follow one another: each (outputs,)."""
    total = squares = np.zeros(())
    count = 0
    for part in parts:
        values = part.astype(np.float64)
        axes = tuple(range(values.ndim - 1))
        total, squares = total + values.sum(axis=axes), squares + np.square(values).sum(axis=axes)
        count += values[..., 0].size
    mean = total / count
    return mean, np.maximum(squares / count - np.square(mean), 0)


def predict_by_sitting(network: Any, images: Images) -> npt.NDArray[np.float32]:
    """Class probabilities of images, each by the statistics of its own sitting.

    Parameters
    ----------
    network
        tf_keras.Model; it is left with the statistics of the last sitting.
    images
        Whole signals of all sittings.

    Returns
    -------
    ndarray
        float32, shape (n, classes).
    """
    probability = np.empty((len(images), network.output_shape[-1]), np.float32)
    for chosen, starts in images.by_sitting():
        settle(network, images, starts)
        probability[chosen] = predict(network, images, chosen)
    return probability
