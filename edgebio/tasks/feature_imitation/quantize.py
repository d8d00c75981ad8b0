"""Quantize the run of a feature imitation: both networks, and how far int8 is from float.

``model.tflite`` is the LSTM, int8 from companded samples of one channel to features;
``classifier.tflite`` the CNN, int8 from the features of all channels to classes. The bytes that the
first gives are those that the second takes.
"""

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage, tflite
from edgebio.errors import CheckFailedError, EdgebioError
from edgebio.frontend.standardization import PIXEL_SCALE
from edgebio.tasks.stft_classifier.quantize import MODEL, OUTPUTS, REPORT, Decide, convert
from edgebio.tflite.constants import with_constants
from edgebio.tasks.feature_imitation import run as runs
from edgebio.training.metrics import by_class, confusion, instability, roc_auc, scores
from edgebio.training.signals import compand, expand

CLASSIFIER, TOLD = "classifier.tflite", "told.npy"
"""The last: what the int8 imitator said of the test windows, int8, shape (n, channels, 4)."""
ENTRY = "edgebio.imitation"
"""Name of the metadata entry that holds frontend.json."""

_GAINS = (1.0, 2.0)
"""Of the calibration windows: unseen sessions are louder, and R2 is lost where loud ones saturate.
An octave takes a tenth of the range."""
_COMPARED = 200  # windows of the layer report
_AT_ONCE = 256  # windows of all channels


def quantize(folder: Path, decide: Decide | None = None) -> dict[str, Any]:
    """Make ``model.tflite``, ``classifier.tflite`` and ``quantize.json`` of a run.

    Parameters
    ----------
    folder
        A finished run of an imitation.
    decide
        How int8 models are run; `report.decide` if None.

    Returns
    -------
    dict
        What quantize.json holds: as for a run on images, where ``model_sha256``, ``bytes`` and
        ``layers`` are of the LSTM and scores are of both networks behind one another; and ``r2``
        with ``float`` and ``int8``, by feature.

    Raises
    ------
    CheckFailedError
        Where the converter fails, or its models do not fit one another.
    EdgebioError
        Where the run is not complete.
    """
    run = runs.load(folder)
    from edgebio.quantize import flatbuffer
    from edgebio.quantize import layer_report

    with tempfile.TemporaryDirectory() as scratch:
        names = ("float.tflite", "int8.tflite", "classifier.tflite")
        paths = [Path(scratch, name) for name in names]
        convert("edgebio.tasks.feature_imitation.quantize", folder, *paths)
        float_model, bare, classifier = (path.read_bytes() for path in paths)
    graphs = tflite.read(bare), tflite.read(classifier)
    said = graphs[0].tensors[graphs[0].outputs[0]]
    taken = graphs[1].tensors[graphs[1].inputs[0]]
    if not (said.scale == taken.scale and said.zero_point == taken.zero_point):
        raise CheckFailedError(
            f"{folder}: the imitator's outputs have scale {said.scale.tolist()}, the classifier's "
            f"inputs {taken.scale.tolist()}; the one's bytes are not the other's"
        )
    content = run.frontend.model_dump_json().encode()
    model = flatbuffer.with_metadata(bare, ENTRY, content)

    kept, channels = run.arrays, run.frontend.frontend.channels
    run_it = decide or layer_report.decide
    told = np.concatenate(
        [
            run_it(bare, run.inputs(slice(k, k + _AT_ONCE)))[0].reshape(-1, channels, 4)
            for k in range(0, len(kept.starts), _AT_ONCE)
        ]
    )
    outputs, kernels = run_it(classifier, np.ascontiguousarray(told[:, :, None]))
    units = (told.astype(np.float64) - said.zero_point[0]) * said.scale[0]
    decided = {"float": kept.probability.argmax(axis=1), "int8": outputs.argmax(axis=1)}
    counts = confusion(kept.labels, decided["int8"], outputs.shape[1])
    some = np.unique(np.linspace(0, len(kept.starts) - 1, _COMPARED).astype(np.int64))
    one_each = run.inputs(some).reshape(len(some), channels, *graphs[0].tensors[0].shape[1:])
    document: dict[str, Any] = {
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "scheme": "ptq",
        "samples": len(kept.calibration),
        "bytes": {"float": len(float_model), "int8": len(model), "classifier": len(classifier)},
        "windows": len(kept.starts),
        "r2": {
            "float": runs.r2_by_feature(kept.features, run.frontend.told.decode(kept.told)),
            "int8": runs.r2_by_feature(kept.features, run.frontend.told.decode(units)),
        },
        **{
            f"{name}_{kind}": value
            for kind, values in (("float", kept.probability), ("int8", outputs))
            for name, value in {
                **scores(kept.labels, decided[kind]),
                "roc_auc": roc_auc(kept.labels, values),
                "instability": instability(kept.labels, decided[kind], kept.recordings),
            }.items()
        },
        "by_class_int8": by_class(counts),
        "confusion_int8": counts,
        "decisions_differing": int((decided["float"] != decided["int8"]).sum()),
        "kernels": kernels,
        "layers": layer_report.layers(float_model, bare, one_each[np.arange(len(some)), some % channels]),
    }
    storage.write_bytes(folder / MODEL, model)
    storage.write_bytes(folder / CLASSIFIER, classifier)
    for name, values in ((OUTPUTS, outputs), (TOLD, told)):
        with storage.replacing(folder / name) as temporary:
            np.save(temporary, values)
    storage.write_json(folder / REPORT, document)
    return document


def main(folder: Path, float_model: Path, int8_model: Path, classifier: Path) -> None:
    """Convert both networks of a run, in a process of its own."""
    run = runs.load(folder)
    imitator, arrays = run.imitator(), run.arrays
    ends = np.array([-128, 127], np.int8).reshape(2, *[1] * (arrays.calibration.ndim - 1))
    louder = [compand(gain * expand(arrays.calibration)) for gain in _GAINS]
    codes = np.concatenate([*louder, np.broadcast_to(ends, (2, *arrays.calibration.shape[1:]))])
    signals = codes.astype(np.float32) * np.float32(PIXEL_SCALE)
    float_model.write_bytes(_converted(imitator))
    made = _corrected(_converted(imitator, signals), imitator, codes[: -len(ends)])
    int8_model.write_bytes(made)
    graph = tflite.read(made)
    said = graph.tensors[graph.outputs[0]]
    # The classifier's input has the range of the imitator's output, whatever was seen in it.
    low, high = ((code - int(said.zero_point[0])) * said.scale[0] for code in (-128, 127))
    told = np.clip(arrays.calibration_told, low, high)
    edges = np.array([low, high], np.float32).reshape(2, 1, 1, 1)
    told = np.concatenate([told, np.broadcast_to(edges, (2, *told.shape[1:]))])
    classifier.write_bytes(taking(_converted(run.classifier(), told), said))


def taking(model: bytes, said: tflite.Tensor) -> bytes:
    """Give a model's input the scale of another's output, from which it differs by rounding.

    The converter computes it from the ends of the range, which are float32 themselves: it can come
    out one step of a float32 away. A scale that is really another one stays, and is found later.
    """
    graph = tflite.read(model)
    taken = graph.tensors[graph.inputs[0]]
    if not np.allclose(taken.scale, said.scale, rtol=4 * np.finfo(np.float32).eps, atol=0):
        return model
    return with_constants(model, {}, {taken.index: said.scale})


def _converted(network: Any, representative: npt.NDArray[np.float32] | None = None) -> bytes:
    """Convert a network with batch 1: to float, or fully to int8 by a representative set.

    The converter's own calibration is used, by extremes: an LSTM has ranges inside that no tensor
    of the float model shows.
    """
    from edgebio.models.keras import calibrator, tf

    function = tf.function(lambda x: network(x, training=False))
    shape = (1, *network.input_shape[1:])
    concrete = function.get_concrete_function(tf.TensorSpec(shape, tf.float32, name="input"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], network)
    if representative is not None:
        # Left to itself the calibrator carries the LSTM's state from one window into the next, and
        # measures ranges of a loud window that never ends. This process has no other use for it.
        calibrator.Calibrator._feed_tensors = _feed_each_anew
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([row[None]] for row in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
    model: bytes = converter.convert()
    return model


def _corrected(model: bytes, network: Any, codes: npt.NDArray[np.int8]) -> bytes:
    """Take from the last layer's biases what an int8 model says too much on average.

    Rounded weights shift what a layer says. The features are logarithms: a shift is a factor of
    all of them, which R2 of loud windows feels. After Nagel M, van Baalen M, Blankevoort T, Welling
    M: Data-free quantization through weight equalization and bias correction (ICCV 2019).

    Parameters
    ----------
    model
        The int8 .tflite, which ends in a FULLY_CONNECTED.
    network
        The float network.
    codes
        int8, shape (n, ...): inputs that the averages are over.
    """
    from edgebio.quantize import flatbuffer, litert

    graph = tflite.read(model)
    said, last = graph.tensors[graph.outputs[0]], graph.operators[-1]
    wanted = network(codes.astype(np.float32) * np.float32(PIXEL_SCALE), training=False).numpy()
    steps = litert.run(model, codes, [said.index])[said.index].astype(np.float64)
    units = (steps - said.zero_point[0]) * said.scale[0]
    unpacked = flatbuffer.unpack(model)
    flatbuffer.add_to_bias(unpacked, last.inputs[2], (wanted - units).mean(axis=0))
    return flatbuffer.pack(unpacked)


def _feed_each_anew(measuring: Any, samples: Any, resize_input: bool) -> None:
    """Take the place of ``Calibrator._feed_tensors``: every sample starts from zero state."""
    for sample in samples():
        measuring._calibrator.Prepare()
        measuring._calibrator.FeedTensor(sample)


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:5]))
    except EdgebioError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
