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
        x = _pool(
            convolve(x, filters, _kernel(settings, number), f"conv{number}"), number, settings
        )
    return x


def dscnn_blocks(x: Any, settings: ModelSettings) -> Any:
    """Add a 3x3 convolution that mixes the electrodes, and then 3x3 depthwise and 1x1 ones."""
    for number, filters in enumerate(settings.filters):
        kernel = _kernel(settings, number)
        if number:
            x, padding = _padded(x, kernel, f"depthwise{number}")
            depthwise = keras.layers.DepthwiseConv2D(
                kernel, padding=padding, use_bias=False, name=f"depthwise{number}"
            )
            x = batch_norm_relu(depthwise(x), f"depthwise{number}")
        x = convolve(x, filters, 1 if number else kernel, f"conv{number}")
        x = _pool(x, number, settings)
    return x


def convolve(x: Any, filters: int, size: int | tuple[int, int], name: str) -> Any:
    """Convolution, batch normalization and ReLU."""
    x, padding = _padded(x, size, name)
    convolution = keras.layers.Conv2D(filters, size, padding=padding, use_bias=False, name=name)
    return batch_norm_relu(convolution(x), name)


def _kernel(settings: ModelSettings, number: int) -> int | tuple[int, int]:
    """Kernel of a block: 3x3, or some frames by 3 bins."""
    return (settings.kernel_frames[number], 3) if settings.kernel_frames else 3


def _padded(x: Any, kernel: int | tuple[int, int], name: str) -> tuple[Any, str]:
    """Input of a layer, and its padding: none in time if its kernel is some frames by 3 bins."""
    if isinstance(kernel, int):
        return x, "same"
    return keras.layers.ZeroPadding2D((0, kernel[1] // 2), name=f"{name}_pad")(x), "valid"


def batch_norm_relu(x: Any, name: str) -> Any:
    """Batch normalization and ReLU; conversion folds both into the convolution before them."""
    # Trainings are short: at Keras' momentum of 0.99 the statistics would lag behind the weights.
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _pool(x: Any, number: int, settings: ModelSettings) -> Any:
    if number in settings.pool_after:
        size = (1, 2) if settings.kernel_frames else 2
        return keras.layers.MaxPooling2D(size, name=f"pool{number}")(x)
    return x
