"""Golden vectors: the output of every stage as plain files, to test any firmware with."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage, tflite
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.frontend.twin import Twin
from edgebio.parity.stimuli import Stimulus
from edgebio.tflite.metadata import require_metadata

_FILE = "golden.json"
_DESCRIPTIONS = {
    "samples": "input: samples of the converter, streamed from reset",
    "filter": "filtered samples, Q12 counts; only those that a frame has used",
    "window": "each frame times the window function, Q11 counts",
    "scale": "frame shifted to fill 16 bits",
    "exponent": "that shift, to the left",
    "fft": "arm_rfft_q15 of the frame: re, im, re, im, ...",
    "power": "re^2 + im^2 of the chosen bins",
    "log": "log2 of the magnitude in counts, Q10",
    "image": "pixels of each frame",
    "images": "STFT images, the inputs of the network",
    "outputs": "outputs of the network",
}


_INPUTS = 16  # of a network alone
_NETWORK_README = """\
# Golden vectors
A sequence of inputs of the network, and its exact outputs. Files are raw, little-endian, in C
order; golden.json has the type, shape and SHA-256 of each. Feed the inputs in order, a network
with a state from its reset.

| file | tensor |
| --- | --- |
"""


def write(model: Path, stimuli: Sequence[Stimulus], folder: Path) -> dict[str, Any]:
    """Write golden.json, README.md, and a folder of raw files for each stimulus.

    Returns the content of golden.json: specification; stage, type and shape of each file. A folder
    that holds other files is refused.
    """
    _check_folder(folder)
    graph = tflite.read(model)
    known = require_metadata(graph, "golden vectors")
    twin, host = Twin(known.frontend, known.standardization), HostModel(graph)
    signals = []
    for number, stimulus in enumerate(stimuli):
        stages = twin.stages(stimulus.samples)
        arrays: dict[str, npt.NDArray[Any]] = {
            "samples": stimulus.samples,
            **stages.values,
            "images": stages.images,
            "outputs": host.run(stages.images),
        }
        signals.append({"signal": stimulus.name, "files": _write_arrays(arrays, folder, number)})
    document = {
        "model_sha256": graph.sha256,
        "frontend": known.frontend.document(),
        "standardization": known.standardization.model_dump(),
        "standardisation": known.standardization.model_dump(),
        "classes": known.classes,
        "signals": signals,
    }
    storage.write_text(folder / "README.md", _readme(document))
    storage.write_json(folder / _FILE, document)
    return document


def write_network(model: Path, folder: Path) -> dict[str, Any]:
    """The same for a network alone: a sequence of random inputs, and its outputs, by their names.

    A network with a state gets the inputs in order.
    """
    _check_folder(folder)
    host = HostModel(model)
    inputs = host.inputs.random(_INPUTS)
    outputs = host.run_named(inputs)
    # Names are free text, and an output may have the name of an input.
    arrays = {f"input_{number}": values for number, values in enumerate(inputs.values())}
    arrays |= {f"output_{number}": values for number, values in enumerate(outputs.values())}
    files = _write_arrays(arrays, folder, 0)
    for file, name in zip(files, (*inputs, *outputs), strict=True):
        file["tensor"] = name
    document = {
        "model_sha256": host.program.network.sha256,
        "lasting_state": bool(host.program.plan.states),
        "signals": [{"signal": "random", "files": files}],
    }
    rows = "".join(f"| {file['file']} | {file['tensor']} |\n" for file in files)
    storage.write_text(folder / "README.md", _NETWORK_README + rows)
    storage.write_json(folder / _FILE, document)
    return document


def _check_folder(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _FILE).is_file():
        raise EdgebioError(f"{folder}: holds files and no {_FILE}; choose an empty folder")


def _write_arrays(
    arrays: Mapping[str, npt.NDArray[Any]], folder: Path, number: int
) -> list[dict[str, Any]]:
    """Write the raw file of each array, and describe it."""
    files = []
    for stage, array in arrays.items():
        raw = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes()
        name = f"{number:02}/{stage}.bin"
        storage.write_bytes(folder / name, raw)
        digest = hashlib.sha256(raw).hexdigest()
        files.append({"stage": stage, "file": name, "type": str(array.dtype),
                      "shape": list(array.shape), "sha256": digest})  # fmt: skip
    return files


def _readme(document: dict[str, Any]) -> str:
    spec = document["frontend"]
    rows = "\n".join(f"| {stage} | {text} |" for stage, text in _DESCRIPTIONS.items())
    return f"""\
# Golden vectors
The exact output of every stage of the front end and the network, for FFT numerics
`{spec["fft_numerics"]}`: {spec["channels"]} channels at {spec["rate"]:g} Hz, \
{spec["n_fft"]}-point FFT, hop length {spec["hop_length"]} samples.

Each folder is one signal. Files are raw, little-endian, in C order; golden.json has the type, shape
and SHA-256 of each. Stages have one row per channel, then one per frame (`filter`: one value per
sample). Feed `samples` from reset and compare in this order; the first file that differs names the
faulty stage.

| stage | values |
| --- | --- |
{rows}
"""
