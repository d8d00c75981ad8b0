"""Layer statistics: batch normalization by the signal of a session, without labels.

Y. Li et al., Revisiting Batch Normalization For Practical Domain Adaptation, arXiv 1603.04779.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.models.keras import keras
from edgebio.training.image_training import predict
from edgebio.training.images import Images, pixels_to_float

_IMAGES = 4000  # that statistics are learned from: enough for an accuracy of about 1 %
_BATCH = 500


def set_layer_statistics(
    network: Any, images: Images, starts: npt.NDArray[np.int64] | None = None
) -> None:
    """Give every batch normalization the statistics of images, layer by layer, in place.

    The images are those of `edgebio.training.images.Images.spread`.
    """
    x = pixels_to_float(images.spread(_IMAGES, starts))
    for layer in network.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        # A layer's input depends on the statistics of the layers before it.
        before = keras.Model(network.input, layer.input)
        parts = (
            before(x[k : k + _BATCH], training=False).numpy() for k in range(0, len(x), _BATCH)
        )
        mean, variance = moments(parts)
        gamma, beta, *_ = layer.get_weights()
        layer.set_weights([gamma, beta, mean, variance])


def moments(
    parts: Iterable[npt.NDArray[np.float32]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and variance along the last axis of arrays taken together: each (outputs,)."""
    total = squares = np.zeros(())
    count = 0
    for part in parts:
        values = part.astype(np.float64)
        axes = tuple(range(values.ndim - 1))
        total, squares = total + values.sum(axis=axes), squares + np.square(values).sum(axis=axes)
        count += values[..., 0].size
    mean = total / count
    return mean, np.maximum(squares / count - np.square(mean), 0)


def predict_by_session(network: Any, images: Images) -> npt.NDArray[np.float32]:
    """Class probabilities of images, each with the layer statistics of its own session.

    float32, shape (n, classes). The network keeps the statistics of the last session.
    """
    probability = np.empty((len(images), network.output_shape[-1]), np.float32)
    for index, starts in images.by_session():
        set_layer_statistics(network, images, starts)
        probability[index] = predict(network, images, index)
    return probability
