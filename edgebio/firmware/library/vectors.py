"""Inputs with their right answers, which a library carries to be checked where it runs.

The inputs are the numbers of a generator (eb_library_check.c) and take no space; the answers are
those of the host twins.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import generated_c
from edgebio.compiler.host_model import HostModel
from edgebio.decision.outputs import Outputs
from edgebio.decision.twin import Decider, activity
from edgebio.firmware.library.header import member_names
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.twin import Twin
from edgebio.tflite import Graph
from edgebio.tflite.metadata import ModelMetadata

COUNT = 6
"""Decisions of the signal, or inputs of a network alone."""

_DENOMINATOR = 32  # of float inputs: -4 to 4, exactly


def whole_vectors(graph: Graph, metadata: ModelMetadata) -> str:
    """Text of vectors.h for a model with a front end."""
    spec = metadata.frontend
    twin = Twin(spec, metadata.standardization)
    loudness = _loudness(twin)
    samples = _signal(spec, loudness)
    outputs = HostModel(graph).run(twin.images(samples))
    activities = activity(samples, spec.segment_length, spec.step)
    decisions = Decider(metadata.decision, Outputs.from_graph(graph)).decide(
        outputs.reshape(COUNT, -1), activities
    )
    rows = [
        f"    {{{spec.segment_length + number * spec.step}u, {activities[number]}u, "
        f"{decisions.winners[number]}u, {decisions.decisions[number]}u, "
        f"{decisions.reasons[number]}u, {_bytes(outputs[number])}}},\n"
        for number in range(COUNT)
    ]
    return _text(
        f"#define EB_VECTORS_FRAMES {len(samples)}u\n",
        "    uint32_t frames;\n    uint32_t activity;\n    uint8_t winner;\n"
        "    uint8_t decision;\n    uint8_t reason;\n",
        rows,
        f"static const uint8_t eb_loudness[] = {{{', '.join(map(str, loudness.tolist()))}}};\n",
    )


def network_vectors(graph: Graph) -> str:
    """Text of vectors.h for a network alone; one with a state gets the inputs in order."""
    twin = HostModel(graph)
    edges = twin.inputs
    counts = [math.prod(edge.shape) for edge in edges.tensors]
    inputs = _draw(COUNT * sum(counts)).reshape(COUNT, -1)
    # Truncated toward 0, as C divides.
    quieter = np.trunc(inputs / (256 << np.arange(COUNT)[:, None]))
    x: dict[str, npt.NDArray[Any]] = {}
    fills = ""
    for edge, values, member in zip(
        edges.tensors,
        np.split(quieter, np.cumsum(counts)[:-1], axis=1),
        member_names(edges),
        strict=True,
    ):
        kind = edge.tensor.dtype
        scaled = values / _DENOMINATOR if kind == "float32" else values
        # As uint8, negative numbers wrap, as in C.
        typed = scaled.astype(np.int64).astype(kind) if kind == "uint8" else scaled.astype(kind)
        x[edge.name] = typed.reshape(COUNT, *edge.shape)
        fills += f" \\\n    FILL({member}, {math.prod(edge.shape)}u, EB_VECTOR_OF_{kind.upper()})"
    outputs = twin.run_packed(edges.pack(x))
    return _text(
        f"#define EB_VECTOR_OF_FLOAT32(number) ((float)(number) / {_DENOMINATOR}.0f)\n"
        "#define EB_VECTOR_OF_INT8(number) ((int8_t)(number))\n"
        "#define EB_VECTOR_OF_UINT8(number) ((uint8_t)(number))\n\n"
        f"#define EB_VECTORS_INPUTS(FILL){fills}\n",
        "",
        [f"    {{{_bytes(each)}}},\n" for each in outputs],
    )


def _loudness(twin: Twin) -> npt.NDArray[np.int64]:
    """Halvings of full-scale noise for each channel, to about the mean of the training signals.

    There the network's outputs tell faults best: far from it they saturate.
    """
    spec, standardization = twin.spec, twin.standardization
    assert standardization is not None
    noise = _draw(spec.segment_length * spec.channels).reshape(-1, spec.channels)
    louder = twin.log_magnitudes(noise) - standardization.pixels()[..., 0].astype(int)  # Q10
    halvings = np.rint(louder.mean(axis=(0, 1)) / 1024) - 1
    return np.asarray(np.clip(halvings, 0, 12), np.int64)


def _signal(spec: FrontendSpec, loudness: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
    """Generated signal of `COUNT` decisions: noise, louder and quieter by turns."""
    frames = spec.segment_length + (COUNT - 1) * spec.step
    noise = _draw(frames * spec.channels).reshape(frames, spec.channels)
    turns = (np.arange(frames)[:, None] // spec.step + np.arange(spec.channels)) % 3
    return np.trunc(noise / (1 << (loudness + turns))).astype(np.int16)


def _draw(count: int) -> npt.NDArray[np.int16]:
    """Numbers of the generator, from its start."""
    numbers, seed = np.empty(count, np.uint16), 1
    for index in range(count):
        seed = (seed * 1664525 + 1013904223) & 0xFFFF_FFFF
        numbers[index] = seed >> 16
    return numbers.view(np.int16)


def _bytes(values: npt.NDArray[np.generic]) -> str:
    raw = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"))).tobytes()
    return "{" + ", ".join(map(str, raw)) + "}"


def _text(macros: str, fields: str, rows: list[str], more: str = "") -> str:
    return generated_c.header(
        "/* Right answers, computed by the host twins. Generated. */\n",
        "EB_VECTORS_H",
        includes='#include <stdint.h>\n\n#include "model.h"\n',
        macros=f"#define EB_VECTORS {COUNT}u\n{macros}",
        declarations=(
            f"typedef struct {{\n{fields}    uint8_t outputs[EB_MODEL_OUTPUT_BYTES];\n"
            "} eb_vector;\n\n"
            f"static const eb_vector eb_vectors[EB_VECTORS] = {{\n{''.join(rows)}}};\n{more}"
        ),
    )
