"""What both families share."""

from typing import Any

from edgebio.models.keras import keras


def normalised(x: Any, name: str) -> Any:
    """Batch normalisation and ReLU; both vanish into the convolution when it is converted."""
    # Runs are short: at Keras' momentum of 0.99 the moving statistics would lag behind the weights.
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
