"""Quantize a run: model.tflite with its metadata, and quantize.json."""

import hashlib
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import recipes, storage, tflite
from edgebio.errors import CheckFailedError, EdgebioError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.processes.programs import run_program
from edgebio.recipes import Scheme
from edgebio.recordings.recording import Recording
from edgebio.tasks import provenance
from edgebio.tasks.feature_imitation import run
from edgebio.tasks.stft_classifier import run as runs
from edgebio.tasks.stft_classifier.run import Run
from edgebio.tflite.metadata import ENTRY, LayerStatistics, ModelMetadata
from edgebio.training.images import Images
from edgebio.training.metrics import by_class, confusion, instability, roc_auc, scores

MODEL, REPORT, OUTPUTS = "model.tflite", "quantize.json", "outputs.npy"
"""The last: int8 outputs for the test images, shape (n, classes)."""

_COMPARED = 200  # images of the layer report


Decide = Callable[[bytes, npt.NDArray[np.int8]], tuple[npt.NDArray[np.int8], str]]
"""Outputs of an int8 model for images, and the name of the kernels that computed them."""


def quantize(
    folder: Path,
    decide: Decide | None = None,
    scheme: Scheme | None = None,
    recordings: Callable[[Run], Sequence[Recording]] = provenance.load,
    *,
    compare: bool = True,
) -> dict[str, Any]:
    """Make ``model.tflite`` and ``quantize.json`` of a run.

    The run's own float network stays as it is, whatever the scheme: each begins with it.

    Parameters
    ----------
    folder
        A finished run.
    decide
        How the int8 model is run on the test images; `report.decide` if None.
    scheme
        How it becomes int8; what the recipe says if None.
    recordings
        Where schemes that train on find what the run was trained on.
    compare
        Whether float and int8 are compared layer by layer; otherwise that report is empty.

    Returns
    -------
    dict
        What quantize.json holds: the model's digest, settings, sizes, the scores of float and
        int8 on the test side, the layer report, and what there is to compress in the weights. The
        float network is that which was quantized: where a scheme trained on, its result.

    Raises
    ------
    CheckFailedError
        Where the converter fails, or its model is not what the firmware needs.
    EdgebioError
        Where the run is not complete.
    """
    if run.is_one(folder):
        from edgebio.tasks.feature_imitation.quantize import quantize as quantize_imitation

        wanted = scheme or recipes.load(folder / runs.RECIPE).quantize.scheme
        if wanted != "ptq":
            raise EdgebioError(
                f"{folder}: imitates features, and its networks are quantized by ptq only, not by "
                f"{wanted}"
            )
        return quantize_imitation(folder, decide)
    run = runs.load(folder)
    scheme = scheme or run.recipe.quantize.scheme
    # What cannot be done is refused before seconds go into importing TensorFlow.
    learned = None if scheme == "ptq" else provenance.images(run, recordings(run))
    from edgebio.quantize import flatbuffer
    from edgebio.quantize import layer_report

    network, compressed = run.network(), None
    if scheme != "ptq" and learned:
        from edgebio.training.compression import compress

        compressed = compress(network, scheme, run.recipe, *learned, run.calibration())
        network = compressed.network
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch, name) for name in ("float.tflite", "int8.tflite")]
        weights: list[Path] = []
        if compressed:
            for kind, trained in (("float", compressed.network), ("aware", compressed.aware)):
                if trained is not None:
                    weights.append(Path(scratch, f"{kind}.h5"))
                    trained.save_weights(weights[-1])
        convert("edgebio.quantize.convert", folder, *paths, *weights)
        float_model, bare = (path.read_bytes() for path in paths)
    graph = tflite.read(bare)
    _check_input(graph, folder)
    metadata = ModelMetadata(
        name=run.recipe.name,
        classes=run.frontend.classes,
        frontend=run.frontend.frontend,
        standardization=run.frontend.standardization,
        decision=run.recipe.decision,
    )
    by_layers = run.training.normalization == "layers"
    if by_layers:
        metadata = metadata.model_copy(update={"layers": _statistics(network)})
    model = flatbuffer.with_metadata(bare, ENTRY, metadata.model_dump_json().encode())

    test = run.test()
    pixels = test.all()
    decide = decide or layer_report.decide
    if by_layers:
        outputs, kernels = _by_sitting(model, test, pixels, decide)
    else:
        outputs, kernels = decide(bare, pixels)
    probability = compressed.probability(test) if compressed else run.probability()
    said: dict[str, npt.NDArray[Any]] = {"float": probability, "int8": outputs}
    decided = {kind: values.argmax(axis=1) for kind, values in said.items()}
    counts = confusion(test.labels, decided["int8"], outputs.shape[1])
    some = np.unique(np.linspace(0, len(test) - 1, _COMPARED).astype(np.int64))
    document: dict[str, Any] = {
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "scheme": scheme,
        "percentile": run.recipe.quantize.percentile,
        "samples": len(run.calibration()),
        "tuning": {
            **getattr(run.recipe.quantize, scheme).model_dump(),
            "seconds": compressed.seconds,
            "history": compressed.history,
        }
        if compressed
        else None,
        "bytes": {"float": len(float_model), "int8": len(model)},
        "weights": layer_report.weights(graph),
        "windows": len(test),
        **{
            f"{name}_{kind}": value
            for kind, classes in decided.items()
            for name, value in {
                **scores(test.labels, classes),
                "roc_auc": roc_auc(test.labels, said[kind]),
                "instability": instability(test.labels, classes, test.recordings),
            }.items()
        },
        "by_class_int8": by_class(counts),
        "confusion_int8": counts,
        "decisions_differing": int((decided["float"] != decided["int8"]).sum()),
        "kernels": kernels,
        "layers": layer_report.layers(float_model, bare, pixels[some]) if compare else [],
    }
    storage.write_bytes(folder / MODEL, model)
    with storage.replacing(folder / OUTPUTS) as temporary:
        np.save(temporary, outputs)
    storage.write_json(folder / REPORT, document)
    return document


def _statistics(network: Any) -> tuple[LayerStatistics, ...]:
    """Mean and deviation that batch normalisation gives to what each convolution sums up."""
    found = []
    for layer in network.layers:
        if type(layer).__name__ == "BatchNormalization":
            gamma, beta, *_ = layer.get_weights()
            found.append(LayerStatistics(mean=beta.tolist(), deviation=np.abs(gamma).tolist()))
    return tuple(found)


def _by_sitting(
    model: bytes, test: Images, pixels: npt.NDArray[np.int8], decide: Decide
) -> tuple[npt.NDArray[np.int8], str]:
    """Outputs for test images, by models calibrated to the signal of each sitting."""
    from edgebio.calibration.layers import SEEN, settled

    parts, order, kernels = [], [], ""
    for chosen, starts in test.by_sitting():
        own = settled(model, test.signal(SEEN, starts))
        found, kernels = decide(own, pixels[chosen])
        parts.append(found)
        order.append(chosen)
    outputs = np.concatenate(parts)
    outputs[np.concatenate(order)] = outputs.copy()
    return outputs, kernels


def convert(module: str, folder: Path, *files: Path) -> None:
    """Run a converting module on a run in a process of its own, which may die of it.

    Raises
    ------
    CheckFailedError
        Where it does, or refuses.
    """
    result = run_program(sys.executable, "-m", module, folder, *files)
    if result.returncode < 0:
        raise CheckFailedError(
            f"{folder}: TensorFlow's converter died of {signal.Signals(-result.returncode).name} on "
            "this network; nothing was changed. Change [model] of the recipe to operators that it "
            "knows"
        )
    if result.returncode:
        reason = (result.error_lines or ["no reason given"])[-1]
        raise CheckFailedError(f"{folder}: not converted: {reason}")


def _check_input(graph: tflite.Graph, folder: Path) -> None:
    """Refuse a model that would not take the front end's pixels as they are."""
    image, output = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    for what, tensor in (("input", image), ("output", output)):
        if tensor.dtype != "int8":
            raise CheckFailedError(f"{folder}: the converter made {tensor.dtype} {what}s, not int8")
    if image.scale.tolist() != [PIXEL_SCALE] or image.zero_point.tolist() != [0]:
        raise CheckFailedError(
            f"{folder}: the converter gave the input scale {image.scale.tolist()} and zero point "
            f"{image.zero_point.tolist()}; the front end's pixels have [{PIXEL_SCALE}] and [0]"
        )
