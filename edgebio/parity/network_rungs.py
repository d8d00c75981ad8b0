"""Rungs 3 and 4, the network: float against int8, tflite-micro against the generated C."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import progress, storage
from edgebio.compiler.host_model import HostModel
from edgebio.compiler.host_stream import HostStream
from edgebio.errors import EdgebioError
from edgebio.firmware.bench_stream import choose_hop
from edgebio.parity.comparison import Part, Rung, compare_exactly, exact_rung
from edgebio.parity.reference_interpreter import ReferenceInterpreter
from edgebio.tflite import read
from edgebio.tflite.edges import Bytes

Values = npt.NDArray[Any]
Inputs = Values | Mapping[str, Values]
"""Inputs of a network: shape (n, ...), of its own type; by name if there are several."""

_STREAMED_IMAGES = 32

MAX_ACCURACY_LOSS = 0.02
"""Rung 3 holds if int8 loses at most this accuracy against float."""


def float_against_int8(model: Path, report: Path) -> Rung:
    """Rung 3: accuracy of int8 against float, and SNR layer by layer, as quantize.json reports.

    The rung is skipped without that `report`, and fails if it describes another model.
    """
    name = "float model against int8"
    if not report.is_file():
        return Rung(3, name, note=f"no {report.name} beside the model: float model unknown")
    document = json.loads(report.read_text())
    if document["model_sha256"] != storage.sha256(model):
        return Rung(3, name, ok=False, note=f"{report} describes another model; quantize again")
    accuracy = {key: document[key] for key in ("accuracy_float", "accuracy_int8")}
    loss = document["accuracy_float"] - document["accuracy_int8"]
    parts = tuple(
        Part(layer["name"], layer["values"], snr_db=layer["snr_db"]) for layer in document["layers"]
    )
    note = f"holds if int8 loses at most {MAX_ACCURACY_LOSS:g} of accuracy"
    return Rung(3, name, parts, loss <= MAX_ACCURACY_LOSS, note, accuracy)


def interpreter_against_c(model: Path, inputs: Inputs) -> Rung:
    """Rung 4: outputs of tflite-micro against the generated C on this machine, every byte.

    The C is compared in both forms: on whole windows, and as a stream where windows share anything.
    """
    host, interpreter = HostModel(model), ReferenceInterpreter(model)
    rows, lasting = host.inputs.pack(inputs), bool(host.program.plan.states)
    measured = host.run_packed(rows)
    expected = np.empty_like(measured)
    for index in progress.track(range(len(rows)), "tflite-micro against generated C"):
        row = slice(index, index + 1)
        expected[row] = interpreter.run_packed(rows[row], lasting=lasting)
    parts = compare_outputs(host, expected, measured)
    if any(part.differing for part in parts):
        # Name the layer: the first that differs, for the first input whose output does.
        index = int(np.argmax((expected != measured).any(axis=1)))
        parts = [*trace_layers(host, interpreter, rows[: index + 1]), *parts]
    parts += _streamed_against_whole(model, host, rows[:_STREAMED_IMAGES])
    return exact_rung(4, "tflite-micro against generated C", parts)


def compare_outputs(host: HostModel, expected: Bytes, measured: Bytes) -> list[Part]:
    """Compare all outputs, given as bytes."""
    wanted, single = host.outputs.unpack(expected), len(host.outputs.tensors) == 1
    parts = []
    for name, have in host.outputs.unpack(measured).items():
        shape = len(have), math.prod(have.shape[1:])
        want, title = wanted[name].reshape(shape), "outputs" if single else f"output {name}"
        parts.append(compare_exactly(title, want, have.reshape(shape), ("image", "class")))
    return parts


def _streamed_against_whole(model: Path, host: HostModel, rows: Bytes) -> list[Part]:
    """Compare the stream with whole windows, on the frames of all inputs one after another."""
    hop = choose_hop(read(model), None)
    try:
        stream = HostStream(model, hop)
    except EdgebioError:  # windows share nothing, so no image has a stream
        return []
    frames = host.inputs.unpack_only(rows).reshape(-1, *stream.frame_shape)
    frames = frames[: len(frames) // hop * hop]
    measured = stream.push(frames)
    windows = np.lib.stride_tricks.sliding_window_view(frames, stream.window, axis=0)
    windows = np.moveaxis(windows, -1, 1)[::-hop][::-1][-len(measured) :]
    expected = host.run(np.ascontiguousarray(windows))
    return [compare_exactly(f"streamed by {hop}", expected, measured, ("window", "class"))]


def trace_layers(host: HostModel, interpreter: ReferenceInterpreter, rows: Bytes) -> list[Part]:
    """Compare every layer for the last of some inputs, given as bytes.

    A state may depend on the others.
    """
    lasting = bool(host.program.plan.states)
    if lasting:
        host.reset()
        interpreter.restart()
    else:
        rows = rows[-1:]
    interpreter.run_packed(rows, lasting=lasting)
    measured = [values[-1:] for values in host.layers(host.inputs.unpack(rows))]
    network, parts = host.program.network, list[Part]()
    known = len(host.program.graph.tensors)
    for index, (call, line, have) in enumerate(
        zip(host.program.calls, host.describe(), measured, strict=True)
    ):
        tensor = call.layer.output
        if tensor >= known:  # of the compiler
            continue
        values = interpreter.layer(tensor)
        values = values.reshape(*have.shape[:-1], -1) if have.ndim > 1 else values.reshape(-1)
        want, computed = network.remaining(tensor, values, have)
        name = f"layer {index} {line}"
        parts.append(compare_exactly(name, want, computed, layer_axes("image", want)))
    return parts


def compare_layers(
    host: HostModel, expected: Sequence[Values], measured: Sequence[Values]
) -> list[Part]:
    """Compare the output of every layer, in the order in which they run."""
    return [
        compare_exactly(f"layer {index} {line}", want, have, layer_axes("image", want))
        for index, (line, want, have) in enumerate(
            zip(host.describe(), expected, measured, strict=True)
        )
    ]


def layer_axes(first: str, values: Values) -> tuple[str, ...]:
    """Names of the axes of a layer's outputs."""
    return (first, *"yxc"[-(values.ndim - 1) :])
