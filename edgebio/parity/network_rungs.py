"""Rungs of the network: float against int8, tflite-micro against the generated C."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress, storage
from edgebio.compiler.host import HostModel
from edgebio.parity.comparison import Part, Rung, compare_exactly, exact_rung
from edgebio.parity.reference_interpreter import ReferenceInterpreter

Images = npt.NDArray[Any]

MOST_LOST = 0.02
"""Rung 3 holds while int8 loses no more accuracy than this against float."""


def float_against_int8(model: Path) -> Rung:
    """Rung 3: accuracy and, layer by layer, SNR of int8 against float.

    They are measured by ``edgebio quantize`` and read from quantize.json beside the model; a
    model without that file, or another one than it speaks of, is not climbed here.
    """
    name = "float model against int8"
    report = model.parent / "quantize.json"
    if not report.is_file():
        return Rung(3, name, note="no quantize.json beside the model: the float model is unknown")
    found = json.loads(report.read_text())
    if found["model_sha256"] != storage.sha256(model):
        return Rung(3, name, ok=False, note=f"{report} speaks of another model; quantize again")
    lost = found["accuracy_float"] - found["accuracy_int8"]
    parts = tuple(
        Part(layer["name"], layer["values"], snr_db=layer["snr_db"]) for layer in found["layers"]
    )
    return Rung(
        3,
        name,
        parts,
        lost <= MOST_LOST,
        f"holds where int8 loses at most {MOST_LOST:g} of accuracy",
        {
            "accuracy_float": found["accuracy_float"],
            "accuracy_int8": found["accuracy_int8"],
        },
    )


def oracle_against_c(model: Path, images: Images) -> Rung:
    """Rung 4: outputs of tflite-micro against the generated C on this machine, every byte."""
    host, oracle = HostModel(model), ReferenceInterpreter(model)
    measured = host.run(images)
    expected = np.empty_like(measured)
    for index, image in enumerate(progress.track(images, "tflite-micro against generated C")):
        expected[index] = oracle.invoke(image)
    parts = [compare_exactly("outputs", expected, measured, ("image", "class"))]
    if parts[0].differing:
        # Name the layer: the first one whose output differs on the first image that does.
        image = int(np.argmax((expected != measured).any(axis=1)))
        oracle.invoke(images[image])
        parts = [*_layers(host, oracle, images[image : image + 1]), *parts]
    return exact_rung(4, "tflite-micro against generated C", parts)


def layer_parts(
    host: HostModel, expected: Sequence[Images], measured: Sequence[Images]
) -> list[Part]:
    """Compare what every layer wrote, in the order in which they run."""
    return [
        compare_exactly(f"layer {index} {line}", want, have, ("image", *"yxc"[-(want.ndim - 1) :]))
        for index, (line, want, have) in enumerate(
            zip(host.describe(), expected, measured, strict=True)
        )
    ]


def _layers(host: HostModel, oracle: ReferenceInterpreter, image: Images) -> list[Part]:
    measured = host.layers(image)
    expected = [
        oracle.layer(step.layer.output).reshape(have.shape)
        for step, have in zip(host.program.steps, measured, strict=True)
    ]
    return layer_parts(host, expected, measured)
