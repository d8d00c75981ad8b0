"""Networks in tf_keras, sized by the recipe."""

from typing import Any

from edgebio.errors import EdgebioError
from edgebio.models.blocks import cnn_blocks, dscnn_blocks
from edgebio.models.keras import keras
from edgebio.recipes import ModelSettings

__all__ = ["build"]

_FAMILIES = {"cnn": cnn_blocks, "dscnn": dscnn_blocks}


def build(settings: ModelSettings, shape: tuple[int, int, int], classes: int) -> Any:
    """Build an untrained network, whose weights come from Keras' global seed.

    Returns
    -------
    tf_keras.Model
        From float32 images (batch, frames, bins, channels) of a shape, in standard deviations, to
        class probabilities (batch, classes).

    Raises
    ------
    EdgebioError
        If the pools leave nothing of the image, or a pool follows a missing block.
    """
    blocks = len(settings.filters)
    if missing := [number for number in settings.pool_after if number not in range(blocks)]:
        raise EdgebioError(
            f"model.pool_after: no block {missing[0]}; the {blocks} blocks are numbered from 0"
        )
    if settings.kernel_frames:
        _check_kernel_frames(settings, shape[0])
    pools = len(set(settings.pool_after))
    if (shape[1] if settings.kernel_frames else min(shape[:2])) >> pools == 0:
        raise EdgebioError(
            f"{pools} pools of 2x2 leave nothing of an image of {shape[0]} frames and {shape[1]} "
            f"bins; remove some from model.pool_after"
        )
    images = keras.Input(shape, name="image")
    x = _FAMILIES[settings.family](images, settings)
    x = (
        keras.layers.Flatten(name="flatten")(x)
        if settings.flatten
        else keras.layers.GlobalAveragePooling2D(name="average")(x)
    )
    if settings.dense:
        x = keras.layers.Dense(settings.dense, activation="relu", name="dense")(x)
    if settings.dropout:
        x = keras.layers.Dropout(settings.dropout, name="dropout")(x)
    x = keras.layers.Dense(classes, name="classes")(x)
    x = keras.layers.Softmax(name="probability")(x)
    return keras.Model(images, x, name=settings.family)


def _check_kernel_frames(settings: ModelSettings, frames: int) -> None:
    kernels = settings.kernel_frames
    if len(kernels) != len(settings.filters):
        raise EdgebioError(
            f"model.kernel_frames: {len(kernels)} kernels for {len(settings.filters)} blocks"
        )
    span = 1 + sum(size - 1 for size in kernels)
    if span > frames:
        raise EdgebioError(
            f"model.kernel_frames: the kernels span {span} frames of an image of {frames}"
        )
