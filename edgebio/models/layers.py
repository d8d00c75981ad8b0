"""Layers that networks share."""

from typing import Any

from edgebio.models.keras import keras


def batch_norm_relu(x: Any, name: str) -> Any:
    """Batch normalization and ReLU; conversion folds both into the convolution before them."""
    # Trainings are short: at Keras' momentum of 0.99 the statistics would lag behind the weights.
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
