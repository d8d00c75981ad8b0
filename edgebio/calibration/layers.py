"""The layers' statistics on a wearer's signal made those of the people who were trained on.

What `edgebio.training.layer_statistics` does to the float network, done to the int8 one: each output of a
convolution is scaled and shifted, by the scale of its weights and by its bias, so that what it sums
up has the mean and deviation that batch normalisation gave it in training.
"""

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.calibration.int8_network import Layer, Network
from edgebio.errors import EdgebioError
from edgebio.tflite.metadata import LayerStatistics, require
from edgebio.training.fit import real

SEEN = 3000
"""Windows that statistics are learned from: as many as tell them within a hundredth or so."""
_MOST = 8.0  # times that an output may be scaled: one that hardly moves tells nothing louder


def settled(content: bytes, pixels: npt.NDArray[np.int8]) -> bytes:
    """Calibrate the layers of a model to unlabelled images.

    Parameters
    ----------
    content
        A .tflite whose metadata has the layers' statistics.
    pixels
        int8, shape (n, columns, bins, channels): the wearer's images, standardised by his or her
        own signal, with all classes in about the shares of training.

    Raises
    ------
    EdgebioError
        Where the model has no statistics, or no image is given.
    """
    about = require(tflite.read(content), "calibrate")
    if not about.layers:
        raise EdgebioError("the model does not say what statistics its layers should have")
    if not len(pixels):
        raise EdgebioError("no images to calibrate on")
    network = Network(content)
    settle(network, about.layers, real(pixels))
    return network.content()


def settle(
    network: Network, aims: tuple[LayerStatistics, ...], seen: npt.NDArray[np.float32]
) -> None:
    """Give every convolution of a network the statistics that it should have, in place."""
    for layer, aim in zip(network.convolutions, aims, strict=True):
        mean, deviation = network.moments(layer, seen)
        wanted = np.array(aim.deviation)
        ratio = np.clip(wanted / np.maximum(deviation, 1e-6), 1 / _MOST, _MOST)
        layer.weights.assign(layer.weights * _by_output(layer, ratio))
        layer.bias.assign((layer.bias.numpy() - mean) * ratio + np.array(aim.mean))


def statistics(network: Network, seen: npt.NDArray[np.float32]) -> tuple[LayerStatistics, ...]:
    """Measure what every convolution sums up over images."""
    return tuple(
        LayerStatistics(mean=mean.tolist(), deviation=deviation.tolist())
        for mean, deviation in (network.moments(layer, seen) for layer in network.convolutions)
    )


def _by_output(layer: Layer, ratio: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Lay a factor an output out as the layer's weights are."""
    shape = tuple(layer.weights.shape)
    last = 2 if layer.operator.kind == "DEPTHWISE_CONV_2D" else 1
    return ratio.astype(np.float32).reshape(shape[-last:])
