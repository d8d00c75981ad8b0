"""Keras networks to .tflite with batch 1, float or int8.

The converter can end its process instead of raising, see `edgebio.quantization.converter_process`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.models.compression_wrappers import quantization_aware
from edgebio.models.keras import calibrator, mlir_quantize, tf
from edgebio.quantization import flatbuffer, litert, ranges


def to_float(network: Any, name: str = "image") -> bytes:
    """Convert a network, with an input of some name, to float; batch norms are folded in."""
    model: bytes = _converter(network, name).convert()
    return model


def to_int8(model: bytes, calibration: npt.NDArray[np.int8], percentile: float) -> bytes:
    """Quantize a float .tflite fully: int8 in and out, weights per channel.

    `calibration` is int8 pixels, shape (n, frames, bins, channels); see
    `edgebio.quantization.ranges` for `percentile`.
    """
    unpacked = flatbuffer.unpack(model)
    graph = unpacked.subgraphs[0]
    outputs = [int(operator.outputs[0]) for operator in graph.operators]
    images = calibration.astype(np.float32) * np.float32(PIXEL_SCALE)
    activations = litert.run(model, images, outputs)
    kinds = flatbuffer.kinds(unpacked)
    for tensor, (low, high) in ranges.activation_ranges(
        graph, kinds, activations, percentile
    ).items():
        flatbuffer.set_range(unpacked, tensor, low, high)
    quantized: bytes = mlir_quantize(
        flatbuffer.pack(unpacked),
        fully_quantize=True,
        input_data_type=tf.int8,
        output_data_type=tf.int8,
    )
    return quantized


def aware_to_int8(network: Any, weights: Path) -> bytes:
    """Convert a network by the ranges of its quantization-aware wrapper, of such weights."""
    aware = quantization_aware(network)
    aware.load_weights(weights)
    converter = _converter(aware, "image")
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    model: bytes = converter.convert()
    return model


def recurrent_to_int8(network: Any, samples: npt.NDArray[np.float32], name: str) -> bytes:
    """Convert a network fully to int8 by the extremes of a representative set.

    The converter's own calibration is used: an LSTM has ranges inside that no tensor of the float
    model shows. `samples` is float32, shape (n, ...).
    """
    return by_extremes(_converter(network, name), [samples])


def by_extremes(converter: Any, samples: Sequence[npt.NDArray[np.float32]]) -> bytes:
    """Convert fully to int8 what a converter holds, by the extremes of a representative set.

    `samples` has float32 of shape (n, ...) for each input.
    """
    _calibrate_from_reset()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _rows(samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    model: bytes = converter.convert()
    return model


def float_tflite_by_extremes(model: bytes, samples: Sequence[npt.NDArray[np.float32]]) -> bytes:
    """Quantize a float .tflite fully by the extremes of a representative set, as `by_extremes`."""
    _calibrate_from_reset()
    quantized: bytes = mlir_quantize(
        calibrator.Calibrator(model).calibrate(lambda: _rows(samples)),
        fully_quantize=True,
        input_data_type=tf.int8,
        output_data_type=tf.int8,
    )
    return quantized


def _rows(samples: Sequence[npt.NDArray[np.float32]]) -> Iterator[list[npt.NDArray[np.float32]]]:
    return ([array[None] for array in row] for row in zip(*samples, strict=True))


def _calibrate_from_reset() -> None:
    """Let every sample of a representative set start from zero state.

    Left to itself the calibrator carries an LSTM's state from one sample into the next, and
    measures ranges of a loud segment that never ends. The process has no other use for it.
    """
    calibrator.Calibrator._feed_tensors = _feed_from_reset


def _feed_from_reset(measuring: Any, samples: Any, resize_input: bool) -> None:
    """Replace ``Calibrator._feed_tensors``: every sample starts from zero state."""
    for sample in samples():
        measuring._calibrator.Prepare()
        measuring._calibrator.FeedTensor(sample)


def _converter(network: Any, name: str) -> Any:
    function = tf.function(lambda x: network(x, training=False))
    shape = (1, *network.input_shape[1:])
    concrete = function.get_concrete_function(tf.TensorSpec(shape, tf.float32, name=name))
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete], network)
