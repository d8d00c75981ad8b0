"""Give the layers, on a wearer's signal, the statistics that they had in training.

What `edgebio.training.layer_statistics` does to the float network, done to the int8 one: each
output of a convolution is scaled and shifted, by the scale of its weights and by its bias, so that
its sums have the mean and deviation that batch normalization gave them in training.
"""

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.calibration.int8_network import Int8Network, Layer
from edgebio.errors import EdgebioError
from edgebio.tflite.metadata import LayerStatistics, require_metadata
from edgebio.training.images import pixels_to_float

IMAGES = 3000
"""Images that statistics are learned from: enough for an accuracy of about 1 %."""
_MAX_FACTOR = 8.0  # of an output: one that hardly moves carries nothing to amplify


def calibrate_layers(content: bytes, pixels: npt.NDArray[np.int8]) -> bytes:
    """Calibrate the layers of a model, whose metadata has their statistics, to unlabeled images.

    `pixels`, int8, shape (n, frames, bins, channels), are standardized by the wearer's own signal
    and show all classes in about the shares of training.

    Raises
    ------
    EdgebioError
        If the model has no statistics, or there is no image.
    """
    statistics = require_metadata(tflite.read(content), "calibrate").layers
    if not statistics:
        raise EdgebioError("the model has no layer statistics to calibrate to")
    if not len(pixels):
        raise EdgebioError("no images to calibrate on")
    network = Int8Network(content)
    images = pixels_to_float(pixels)
    for layer, target in zip(network.convolutions, statistics, strict=True):
        mean, deviation = network.moments(layer, images)
        ratio = np.array(target.deviation) / np.maximum(deviation, 1e-6)
        ratio = np.clip(ratio, 1 / _MAX_FACTOR, _MAX_FACTOR)
        layer.weights.assign(layer.weights * _broadcast(layer, ratio))
        layer.bias.assign((layer.bias.numpy() - mean) * ratio + np.array(target.mean))
    return network.content()


def measure_layers(
    network: Int8Network, images: npt.NDArray[np.float32]
) -> tuple[LayerStatistics, ...]:
    """Measure the sums of every convolution over images."""
    return tuple(
        LayerStatistics(mean=mean.tolist(), deviation=deviation.tolist())
        for mean, deviation in (network.moments(layer, images) for layer in network.convolutions)
    )


def _broadcast(layer: Layer, factors: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Shape one factor per output for multiplication with the layer's weights."""
    shape = tuple(layer.weights.shape)
    last = 2 if layer.operator.kind == "DEPTHWISE_CONV_2D" else 1
    return factors.astype(np.float32).reshape(shape[-last:])
