"""A depthwise-separable CNN: one plain convolution that mixes the electrodes, then separable ones.

Zhang Y, Suda N, Lai L, Chandra V: Hello Edge: keyword spotting on microcontrollers
(arXiv 1711.07128), with images of several channels instead of one.
"""

from typing import Any

from edgebio.models.keras import keras
from edgebio.models.layers import batch_norm_relu
from edgebio.recipes import ModelSettings


def blocks(x: Any, settings: ModelSettings) -> Any:
    """Add the blocks to a Keras tensor, shape (batch, time, frequency, channels).

    The first is a 3x3 convolution, the others are 3x3 depthwise, then 1x1.
    """
    for number, filters in enumerate(settings.filters):
        name = f"conv{number}"
        if number == 0:
            size = 3
        else:
            depthwise = keras.layers.DepthwiseConv2D(
                3, padding="same", use_bias=False, name=f"depthwise{number}"
            )
            x = batch_norm_relu(depthwise(x), f"depthwise{number}")
            size = 1
        convolution = keras.layers.Conv2D(filters, size, padding="same", use_bias=False, name=name)
        x = batch_norm_relu(convolution(x), name)
        if number in settings.pool_after:
            x = keras.layers.MaxPooling2D(2, name=f"pool{number}")(x)
    return x
