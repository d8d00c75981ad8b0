"""Float network to int8 .tflite: ``python -m edgebio.quantize.convert RUN FLOAT INT8``.

Two more arguments name files of weights in the place of the run's: those of the network, and, where
it was trained with the roundings of int8, those of its quantization-aware wrapping.

It runs in a process of its own, as the converter can end its process instead of raising.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.models.keras import mlir_quantize, tf
from edgebio.models.compression_wrappers import quantization_aware
from edgebio.quantize import flatbuffer, litert, ranges
from edgebio.tasks.stft_classifier import run as runs


def to_float(network: Any, shape: tuple[int, int, int]) -> bytes:
    """Convert a Keras network to a float .tflite with batch 1, batch normalisation folded in."""
    model: bytes = _converter(network, shape).convert()
    return model


def to_int8(model: bytes, calibration: npt.NDArray[np.int8], percentile: float) -> bytes:
    """Quantize a float .tflite fully: int8 in and out, weights per channel.

    Parameters
    ----------
    model
        Content of the float .tflite.
    calibration
        int8 pixels, shape (n, columns, bins, channels).
    percentile
        See `ranges`.
    """
    unpacked = flatbuffer.unpack(model)
    graph = unpacked.subgraphs[0]
    outputs = [int(operator.outputs[0]) for operator in graph.operators]
    images = calibration.astype(np.float32) * np.float32(PIXEL_SCALE)
    activations = litert.run(model, images, outputs)
    settled = ranges.settle(graph, flatbuffer.kinds(unpacked), activations, percentile)
    for tensor, (low, high) in settled.items():
        flatbuffer.set_range(unpacked, tensor, low, high)
    quantized: bytes = mlir_quantize(
        flatbuffer.pack(unpacked),
        fully_quantize=True,
        input_data_type=tf.int8,
        output_data_type=tf.int8,
    )
    return quantized


def aware_to_int8(aware: Any, shape: tuple[int, int, int]) -> bytes:
    """Convert a quantization-aware network (`edgebio.models.compression_wrappers`) by its own ranges."""
    converter = _converter(aware, shape)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    model: bytes = converter.convert()
    return model


def _converter(network: Any, shape: tuple[int, int, int]) -> Any:
    function = tf.function(lambda image: network(image, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((1, *shape), tf.float32, name="image"))
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete], network)


def main(
    folder: Path,
    float_model: Path,
    int8_model: Path,
    weights: Path | None = None,
    aware: Path | None = None,
) -> None:
    """Convert the network of a run."""
    run = runs.load(folder)
    shape = run.frontend.frontend.image_shape
    network = run.network()
    if weights:
        network.load_weights(weights)
    model = to_float(network, shape)
    float_model.write_bytes(model)
    if aware:
        wrapped = quantization_aware(network)
        wrapped.load_weights(aware)
        int8_model.write_bytes(aware_to_int8(wrapped, shape))
    else:
        int8_model.write_bytes(to_int8(model, run.calibration(), run.recipe.quantize.percentile))


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:]))
    except EdgebioError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
