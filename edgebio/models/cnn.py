"""A compact CNN of 3x3 convolutions over (time, frequency) with electrodes as channels."""

from typing import Any

from edgebio.models.keras import keras
from edgebio.models.layers import batch_norm_relu
from edgebio.recipes import ModelSettings


def blocks(x: Any, settings: ModelSettings) -> Any:
    """Add the blocks: convolution, batch normalization, ReLU, and a pool after those that have one.

    `x` is a Keras tensor, shape (batch, time, frequency, channels).
    """
    for number, filters in enumerate(settings.filters):
        convolution = keras.layers.Conv2D(
            filters, 3, padding="same", use_bias=False, name=f"conv{number}"
        )
        x = batch_norm_relu(convolution(x), f"conv{number}")
        if number in settings.pool_after:
            x = keras.layers.MaxPooling2D(2, name=f"pool{number}")(x)
    return x
