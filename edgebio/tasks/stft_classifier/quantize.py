"""Quantize an STFT classifier: model.tflite takes the front end's pixels as they are."""

import tempfile
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
from edgebio.tasks.engines import Engine, interpreter
from edgebio.tasks.results import Quantized
from edgebio.tasks.run_folder import MODEL
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.tflite.metadata import ENTRY, LayerStatistics, ModelMetadata
from edgebio.training.images import Images

_COMPARED = 200  # images of the layer report


def quantize_classifier(
    run: ImageRun,
    scheme: Scheme,
    recordings: Sequence[Recording],
    engine: Engine | None,
    compare_layers: bool,
) -> Quantized:
    """Quantize the network of a run; see `edgebio.tasks.task.Task.quantize`."""
    # Recordings that do not fit are refused before seconds go into importing TensorFlow.
    images = None if scheme == "ptq" else run.training_images(recordings)
    from edgebio.quantization import flatbuffer, layer_report

    network, compressed = run.network(), None
    if images and scheme != "ptq":
        from edgebio.training.compression import compress

        compressed = compress(network, scheme, run.recipe, *images, run.calibration())
        network = compressed.network
    with tempfile.TemporaryDirectory() as scratch:
        weights: list[Path] = []
        if compressed:
            for kind, trained in (("float", compressed.network), ("aware", compressed.aware)):
                if trained is not None:
                    weights.append(Path(scratch, f"{kind}.h5"))
                    trained.save_weights(weights[-1])
        float_model, int8_model = run_converter(convert_classifier, run.folder, 2, *weights)
    graph = tflite.read(int8_model)
    _check_tensors(graph, run.folder)
    by_session = run.training.normalization == "layers"
    metadata = ModelMetadata(
        name=run.recipe.name,
        classes=run.frontend.classes,
        frontend=run.frontend.frontend,
        standardization=run.frontend.standardization,
        decision=run.recipe.decision,
        layers=_layer_statistics(network) if by_session else (),
        signal=run.frontend.signal,
        grips=run.recipe.grips,
    )
    model = flatbuffer.with_metadata(int8_model, ENTRY, metadata.model_dump_json().encode())

    test = run.test_images()
    pixels = test.all()
    engine = engine or interpreter
    if by_session:
        outputs, kernels = _run_by_session(model, test, pixels, engine)
    else:
        outputs, kernels = engine(int8_model, pixels)
    compared = np.unique(np.linspace(0, len(test) - 1, _COMPARED).astype(np.int64))
    tuning = compressed and {
        **getattr(run.recipe.quantize, scheme).model_dump(),
        "seconds": compressed.seconds,
        "history": compressed.history,
    }
    return Quantized(
        models={MODEL: model},
        outputs=outputs,
        probability=compressed.probability(test) if compressed else run.test_set().probability,
        kernels=kernels,
        details={
            "percentile": run.recipe.quantize.percentile,
            "samples": len(run.calibration()),
            "tuning": tuning,
            "bytes": {"float": len(float_model), "int8": len(model)},
            "weights": layer_report.weight_statistics(graph),
            "layers": layer_report.compare_layers(float_model, int8_model, pixels[compared])
            if compare_layers
            else [],
        },
    )


def convert_classifier(
    folder: Path,
    float_model: Path,
    int8_model: Path,
    weights: Path | None = None,
    aware: Path | None = None,
) -> None:
    """Convert the network of a run to float and int8, in a process of its own.

    `weights` replace the run's own; if they were trained with the roundings of int8, `aware` are
    those of the quantization-aware wrapper.
    """
    from edgebio.quantization import convert

    run = ImageRun.load(folder)
    network = run.network()
    if weights:
        network.load_weights(weights)
    model = convert.to_float(network)
    float_model.write_bytes(model)
    if aware:
        int8_model.write_bytes(convert.aware_to_int8(network, aware))
    else:
        percentile = run.recipe.quantize.percentile
        int8_model.write_bytes(convert.to_int8(model, run.calibration(), percentile))


def _layer_statistics(network: Any) -> tuple[LayerStatistics, ...]:
    """Mean and deviation that batch normalization gives to the sums of each convolution."""
    norms = [layer for layer in network.layers if type(layer).__name__ == "BatchNormalization"]
    weights = [layer.get_weights() for layer in norms]
    return tuple(
        LayerStatistics(mean=beta.tolist(), deviation=np.abs(gamma).tolist())
        for gamma, beta, *_ in weights
    )


def _run_by_session(
    model: bytes, test: Images, pixels: npt.NDArray[np.int8], engine: Engine
) -> tuple[npt.NDArray[np.int8], str]:
    """Outputs for test images, by models calibrated to the signal of each session."""
    from edgebio.calibration.layers import IMAGES, calibrate_layers

    parts, order, kernels = [], [], ""
    for index, starts in test.by_session():
        own = calibrate_layers(model, test.spread(IMAGES, starts))
        values, kernels = engine(own, pixels[index])
        parts.append(values)
        order.append(index)
    outputs = np.concatenate(parts)
    outputs[np.concatenate(order)] = outputs.copy()
    return outputs, kernels


def _check_tensors(graph: tflite.Graph, folder: Path) -> None:
    """Refuse a model that would not take the front end's pixels as they are."""
    image, output = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    for kind, tensor in (("input", image), ("output", output)):
        if tensor.dtype != "int8":
            raise CheckFailedError(f"{folder}: the converter made {tensor.dtype} {kind}s, not int8")
    if image.scale.tolist() != [PIXEL_SCALE] or image.zero_point.tolist() != [0]:
        raise CheckFailedError(
            f"{folder}: the converter gave the input scale {image.scale.tolist()} and zero point "
            f"{image.zero_point.tolist()}; the front end's pixels have [{PIXEL_SCALE}] and [0]"
        )
