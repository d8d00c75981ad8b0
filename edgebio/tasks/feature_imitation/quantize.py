"""Quantize a feature imitation: both networks.

``model.tflite`` is the LSTM, int8 from companded samples of one channel to features;
``classifier.tflite`` the CNN, int8 from the features of all channels to classes. The bytes that the
first computes are those that the second takes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.errors import CheckFailedError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.quantization.converter_process import run_converter
from edgebio.recipes import Scheme
from edgebio.recordings.recording import Recording
from edgebio.tasks.engines import Engine, generated_c
from edgebio.tasks.feature_imitation.feature_scale import r2_by_feature
from edgebio.tasks.feature_imitation.run import CLASSIFIER_MODEL, PREDICTED, ImitationRun
from edgebio.tasks.results import Quantized
from edgebio.tasks.run_folder import MODEL
from edgebio.tflite.constants import with_constants
from edgebio.training.chunks import map_chunks
from edgebio.training.features import IMITATED_FEATURES
from edgebio.training.signals import compand, expand

ENTRY = "edgebio.imitation"
"""Name of the metadata entry that holds frontend.json."""

_GAINS = (1.0, 2.0)
"""Of the calibration segments: unseen sessions are louder, and loud segments that saturate cost R2.
An octave takes a tenth of the range."""
_COMPARED = 200  # segments of the layer report
_BATCH = 256  # segments of all channels
_INPUT = "input"  # of both networks


def quantize_imitation(
    run: ImitationRun,
    scheme: Scheme,
    recordings: Sequence[Recording],
    engine: Engine | None,
    compare_layers: bool,
) -> Quantized:
    """Quantize both networks of a run; see `edgebio.tasks.task.Task`.

    ``bytes`` and ``layers`` are of the LSTM; ``r2`` has ``float`` and ``int8``, by feature.
    """
    from edgebio.quantization import flatbuffer, layer_report

    float_model, int8_model, classifier = run_converter(convert_imitation, run.folder, 3)
    output, taken = _output(int8_model), _input(classifier)
    if not (output.scale == taken.scale and output.zero_point == taken.zero_point):
        raise CheckFailedError(
            f"{run.folder}: the imitator's outputs have scale {output.scale.tolist()}, the "
            f"classifier's inputs {taken.scale.tolist()}; their bytes mean different features"
        )
    content = run.frontend.model_dump_json().encode()
    model = flatbuffer.with_metadata(int8_model, ENTRY, content)

    engine = engine or generated_c  # by tflite-micro all channels' segments would take minutes
    arrays, scale = run.arrays, run.frontend.feature_scale
    count, channels = len(arrays.starts), run.frontend.frontend.channels

    def predict(part: slice) -> npt.NDArray[np.int8]:
        outputs, _ = engine(int8_model, run.inputs(part))
        return outputs.reshape(-1, channels, len(IMITATED_FEATURES))

    predicted = map_chunks(predict, count, _BATCH)
    outputs, kernels = engine(classifier, np.ascontiguousarray(predicted[:, :, None]))
    units = (predicted.astype(np.float64) - output.zero_point[0]) * output.scale[0]
    compared = np.unique(np.linspace(0, count - 1, _COMPARED).astype(np.int64))
    return Quantized(
        models={MODEL: model, CLASSIFIER_MODEL: classifier},
        arrays={PREDICTED: predicted},
        outputs=outputs,
        probability=arrays.probability,
        kernels=kernels,
        details={
            "samples": len(arrays.calibration),
            "bytes": {
                "float": len(float_model),
                "int8": len(model),
                "classifier": len(classifier),
            },
            "r2": {
                "float": r2_by_feature(arrays.features, scale.decode(arrays.predicted)),
                "int8": r2_by_feature(arrays.features, scale.decode(units)),
            },
            "layers": layer_report.compare_layers(
                float_model, int8_model, run.one_channel_inputs(compared, compared)
            )
            if compare_layers
            else [],
        },
    )


def convert_imitation(folder: Path, float_model: Path, int8_model: Path, classifier: Path) -> None:
    """Convert both networks of a run, in a process of its own."""
    from edgebio.quantization import convert

    run = ImitationRun.load(folder)
    imitator, arrays = run.imitator(), run.arrays
    codes = np.concatenate([compand(gain * expand(arrays.calibration)) for gain in _GAINS])
    samples = _with_limits(codes, -128, 127).astype(np.float32) * np.float32(PIXEL_SCALE)
    float_model.write_bytes(convert.to_float(imitator, _INPUT))
    model = _correct_bias(convert.recurrent_to_int8(imitator, samples, _INPUT), imitator, codes)
    int8_model.write_bytes(model)
    output = _output(model)
    # The classifier's input has the range of the imitator's output, whatever occurs in it.
    low, high = ((code - int(output.zero_point[0])) * output.scale[0] for code in (-128, 127))
    predicted = _with_limits(np.clip(arrays.calibration_predicted, low, high), low, high)
    content = convert.recurrent_to_int8(run.classifier(), predicted, _INPUT)
    classifier.write_bytes(with_input_scale(content, output))


def with_input_scale(model: bytes, output: tflite.Tensor) -> bytes:
    """Give a model's input the scale of another's output if they differ by rounding only.

    The converter computes it from the limits of the range, float32 themselves, and can be one step
    of a float32 off. A scale that really differs is left, and refused later.
    """
    taken = _input(model)
    if not np.allclose(taken.scale, output.scale, rtol=4 * np.finfo(np.float32).eps, atol=0):
        return model
    return with_constants(model, {}, {taken.index: output.scale})


def _correct_bias(model: bytes, network: Any, codes: npt.NDArray[np.int8]) -> bytes:
    """Subtract the mean error of an int8 model's outputs from its last layer's biases.

    Rounded weights shift a layer's outputs. The features are logarithms: a shift is a factor of all
    of them, which costs R2 of loud segments. After Nagel M, van Baalen M, Blankevoort T, Welling M:
    Data-free quantization through weight equalization and bias correction (ICCV 2019). `codes` are
    inputs, int8, shape (n, ...), that the means are over.
    """
    from edgebio.quantization import flatbuffer, litert

    graph, output = tflite.read(model), _output(model)
    wanted = network(codes.astype(np.float32) * np.float32(PIXEL_SCALE), training=False).numpy()
    steps = litert.run(model, codes, [output.index])[output.index].astype(np.float64)
    units = (steps - output.zero_point[0]) * output.scale[0]
    unpacked = flatbuffer.unpack(model)
    bias = graph.operators[-1].inputs[2]
    flatbuffer.add_to_bias(unpacked, bias, (wanted - units).mean(axis=0))
    return flatbuffer.pack(unpacked)


def _with_limits(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[Any]:
    """Values, shape (n, ...), followed by one row of the lowest and one of the highest."""
    limits = np.array([low, high], values.dtype).reshape(2, *[1] * (values.ndim - 1))
    return np.concatenate([values, np.broadcast_to(limits, (2, *values.shape[1:]))])


def _input(model: bytes) -> tflite.Tensor:
    graph = tflite.read(model)
    return graph.tensors[graph.inputs[0]]


def _output(model: bytes) -> tflite.Tensor:
    graph = tflite.read(model)
    return graph.tensors[graph.outputs[0]]
