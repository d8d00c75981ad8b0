"""A compact CNN of 3x3 convolutions over (time, frequency) with electrodes as channels."""

from typing import Any

from edgebio.models.keras import keras
from edgebio.models.layers import normalised
from edgebio.recipes import ModelSettings


def blocks(x: Any, settings: ModelSettings) -> Any:
    """Add the blocks: convolution, batch normalisation, ReLU, and a pool where it is asked for.

    Parameters
    ----------
    x
        Keras tensor, shape (batch, time, frequency, channels).
    settings
        Filters of each block and where pools stand.
    """
    for number, filters in enumerate(settings.filters):
        convolution = keras.layers.Conv2D(
            filters, 3, padding="same", use_bias=False, name=f"conv{number}"
        )
        x = normalised(convolution(x), f"conv{number}")
        if number in settings.pool_after:
            x = keras.layers.MaxPooling2D(2, name=f"pool{number}")(x)
    return x
