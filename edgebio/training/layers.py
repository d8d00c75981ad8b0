"""Statistics of the layers: batch normalisation by the signal of a sitting, labels unseen.

Y. Li et al., Revisiting Batch Normalization For Practical Domain Adaptation, arXiv 1603.04779.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.frontend.standard import PIXEL_SCALE
from edgebio.models.keras import keras
from edgebio.training.fit import predict
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
    x = images.signal(_SEEN, starts).astype(np.float32) * np.float32(PIXEL_SCALE)
    for layer in network.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        # What comes to a layer depends on the statistics of those before it.
        before = keras.Model(network.input, layer.input)
        total = squares = 0.0
        count = 0
        for k in range(0, len(x), _AT_ONCE):
            values = before(x[k : k + _AT_ONCE], training=False).numpy().astype(np.float64)
            total = total + values.sum(axis=(0, 1, 2))
            squares = squares + np.square(values).sum(axis=(0, 1, 2))
            count += values[..., 0].size
        mean = total / count
        gamma, beta, *_ = layer.get_weights()
        layer.set_weights([gamma, beta, mean, squares / count - np.square(mean)])


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
