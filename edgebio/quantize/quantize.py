"""Quantize a run: model.tflite with its metadata, and quantize.json."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from edgebio import storage, tflite
from edgebio.errors import CheckFailedError
from edgebio.frontend.standard import PIXEL_SCALE
from edgebio.quantize import flatbuffer, report
from edgebio.tflite.metadata import ENTRY, ModelMetadata
from edgebio.training import run as runs
from edgebio.training.fit import predict
from edgebio.training.scores import scores

MODEL, REPORT = "model.tflite", "quantize.json"
_COMPARED = 200  # images of the layer report


def quantize(folder: Path, *, score: bool = True) -> dict[str, Any]:
    """Make ``model.tflite`` and ``quantize.json`` of a run, by post-training quantization.

    Parameters
    ----------
    folder
        A finished run.
    score
        Decide on all test images too; left out where the caller does it by other means.

    Returns
    -------
    dict
        What quantize.json holds: settings, sizes, the layer report and, where asked for, the
        scores of float and int8.

    Raises
    ------
    CheckFailedError
        Where the converter fails, or its model is not what the firmware needs.
    EdgebioError
        Where the run is not complete.
    """
    run = runs.load(folder)
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch, name) for name in ("float.tflite", "int8.tflite")]
        _convert(folder, *paths)
        float_model, bare = (path.read_bytes() for path in paths)
    _check_input(tflite.read(bare), folder)
    metadata = ModelMetadata(
        name=run.recipe.name,
        classes=run.frontend.classes,
        frontend=run.frontend.frontend,
        standardisation=run.frontend.standardisation,
        decision=run.recipe.decision,
    )
    model = flatbuffer.with_metadata(bare, ENTRY, metadata.model_dump_json().encode())

    test = run.test()
    some = test.take(np.unique(np.linspace(0, len(test) - 1, _COMPARED).astype(np.int64)))
    document: dict[str, Any] = {
        "scheme": "ptq",
        "percentile": run.recipe.quantize.percentile,
        "samples": len(run.calibration()),
        "bytes": {"float": len(float_model), "int8": len(model)},
        "input": {"scale": PIXEL_SCALE, "zero_point": 0},
        "layers": report.layers(float_model, bare, some),
    }
    if score:
        pixels = test.all()
        outputs, kernels = report.decide(bare, pixels)
        probability = predict(run.network(), test)
        float_decided, int8_decided = probability.argmax(axis=1), outputs.argmax(axis=1)
        document |= {
            "windows": len(test),
            "float": scores(test.labels, float_decided),
            "int8": scores(test.labels, int8_decided),
            "decisions_differing": int((float_decided != int8_decided).sum()),
            "kernels": kernels,
        }
    storage.write_bytes(folder / MODEL, model)
    storage.write_json(folder / REPORT, document)
    return document


def _convert(folder: Path, float_model: Path, int8_model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edgebio.quantize.convert", folder, float_model, int8_model],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode < 0:
        raise CheckFailedError(
            f"{folder}: TensorFlow's converter died of {signal.Signals(-done.returncode).name} on "
            "this network; nothing was changed. Change [model] of the recipe to operators that it "
            "knows"
        )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise CheckFailedError(
            f"{folder}: not converted: {said[-1] if said else 'no reason given'}"
        )


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
