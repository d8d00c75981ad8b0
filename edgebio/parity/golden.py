"""Golden vectors: what every stage must give, as plain files that any firmware can be held to."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import storage, tflite
from edgebio.compiler.host import HostModel
from edgebio.frontend.twin import Twin
from edgebio.parity.stimuli import Stimulus
from edgebio.tflite.metadata import require

_MEANING = {
    "samples": "input: converter samples, streamed from reset",
    "filter": "filtered samples, Q12 counts; only those that a column has used",
    "window": "tapered frame of each column, Q11 counts",
    "scale": "frame shifted to fill 16 bits",
    "exponent": "that shift, to the left",
    "fft": "arm_rfft_q15 of the frame: re, im, re, im, ...",
    "power": "re^2 + im^2 of the chosen bins",
    "log": "log2 of the magnitude in counts, Q10",
    "image": "pixels of each column",
    "images": "images that the network is given",
    "outputs": "outputs of the network",
}


def write(model: Path, stimuli: Sequence[Stimulus], folder: Path) -> dict[str, Any]:
    """Write the golden vectors of a model.

    Parameters
    ----------
    model
        A .tflite with metadata.
    stimuli
        Signals to write vectors for.
    folder
        Where they go: golden.json, README.md, and for each signal one folder of raw files.

    Returns
    -------
    dict
        What golden.json holds: specification, and for each file its stage, type and shape.
    """
    graph = tflite.read(model)
    about = require(graph, "golden vectors")
    twin, host = Twin(about.frontend, about.standardization), HostModel(graph)
    signals = []
    for number, stimulus in enumerate(stimuli):
        stages = twin.stages(stimulus.samples)
        arrays: dict[str, npt.NDArray[Any]] = {
            "samples": stimulus.samples,
            **stages.values,
            "images": stages.images,
            "outputs": host.run(stages.images),
        }
        files = []
        for stage, array in arrays.items():
            raw = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes()
            name = f"{number:02}/{stage}.bin"
            storage.write_bytes(folder / name, raw)
            files.append(
                {
                    "stage": stage,
                    "file": name,
                    "type": str(array.dtype),
                    "shape": list(array.shape),
                    "sha256": hashlib.sha256(raw).hexdigest(),
                }
            )
        signals.append({"signal": stimulus.name, "files": files})
    document = {
        "model_sha256": graph.sha256,
        "frontend": about.frontend.model_dump(),
        "standardization": about.standardization.model_dump(),
        "classes": about.classes,
        "signals": signals,
    }
    storage.write_text(folder / "README.md", _readme(document))
    storage.write_json(folder / "golden.json", document)
    return document


def _readme(document: dict[str, Any]) -> str:
    spec = document["frontend"]
    rows = "\n".join(f"| {stage} | {text} |" for stage, text in _MEANING.items())
    return f"""\
# Golden vectors
What every stage of the front end and the network must give, value for value, on a core of class
`{spec["fft_numerics"]}`: {spec["channels"]} channels at {spec["rate"]:g} Hz, {spec["n_fft"]}-point FFT
every {spec["hop_length"]} samples.

Each folder is one signal. Files are raw, little-endian, in C order; golden.json has the type, shape
and SHA-256 of each. Stages have one row a channel, then one a column (`filter`: one value a
sample). Feed `samples` from reset, and compare in this order; the first file that differs names the
stage at fault.

| stage | values |
| --- | --- |
{rows}
"""
