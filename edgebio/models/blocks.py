"""Convolution blocks of both families of networks.

Zhang Y, Suda N, Lai L, Chandra V: Hello Edge: keyword spotting on microcontrollers (arXiv
1711.07128) for the depthwise-separable one, with images of several channels instead of one.
"""

from typing import Any

from edgebio.models.keras import keras
from edgebio.recipes import ModelSettings


def cnn_blocks(x: Any, settings: ModelSettings) -> Any:
    """Add 3x3 convolutions over (time, frequency), with electrodes as channels.

    `x` is a Keras tensor, shape (batch, time, frequency, channels).
    """
    for number, filters in enumerate(settings.filters):
        x = _pool(convolve(x, filters, 3, f"conv{number}"), number, settings)
    return x


def dscnn_blocks(x: Any, settings: ModelSettings) -> Any:
    """Add a 3x3 convolution that mixes the electrodes, and then 3x3 depthwise and 1x1 ones."""
    for number, filters in enumerate(settings.filters):
        if number:
            depthwise = keras.layers.DepthwiseConv2D(
                3, padding="same", use_bias=False, name=f"depthwise{number}"
            )
            x = batch_norm_relu(depthwise(x), f"depthwise{number}")
        x = convolve(x, filters, 1 if number else 3, f"conv{number}")
        x = _pool(x, number, settings)
    return x


def convolve(x: Any, filters: int, size: int | tuple[int, int], name: str) -> Any:
    """Convolution, batch normalization and ReLU."""
    convolution = keras.layers.Conv2D(filters, size, padding="same", use_bias=False, name=name)
    return batch_norm_relu(convolution(x), name)


def batch_norm_relu(x: Any, name: str) -> Any:
    """Batch normalization and ReLU; conversion folds both into the convolution before them."""
    # Trainings are short: at Keras' momentum of 0.99 the statistics would lag behind the weights.
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _pool(x: Any, number: int, settings: ModelSettings) -> Any:
    if number in settings.pool_after:
        return keras.layers.MaxPooling2D(2, name=f"pool{number}")(x)
    return x
