"""Reference models that are given a front end, as `edgebio quantize` gives it to its own."""

from pathlib import Path

import flatbuffers
import numpy as np

from edgebio.decision.spec import DecisionSettings
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.tflite.metadata import ENTRY, ModelMetadata
from tests.compiler.networks import load_schema


def with_frontend(
    model: Path, target: Path, spec: FrontendSpec, samples: np.ndarray, decision: DecisionSettings
) -> Path:
    """Copy `model` to `target` with metadata; `samples` teach the standardisation."""
    s = load_schema()
    unpacked = s.ModelT.InitFromObj(s.Model.GetRootAs(model.read_bytes(), 0))
    classes = int(unpacked.subgraphs[0].tensors[unpacked.subgraphs[0].outputs[0]].shape[-1])
    known = ModelMetadata(
        name="reference",
        classes=tuple(f"grip {i}" for i in range(classes)),
        frontend=spec,
        standardization=Standardization.learn(spec, [Twin(spec).log_magnitudes(samples)]),
        decision=decision,
    )
    buffer = s.BufferT()
    buffer.data = np.frombuffer(known.model_dump_json().encode(), np.uint8)
    unpacked.buffers.append(buffer)
    entry = s.MetadataT()
    entry.name, entry.buffer = ENTRY, len(unpacked.buffers) - 1
    unpacked.metadata = [*(unpacked.metadata or []), entry]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(unpacked.Pack(builder), b"TFL3")
    target.write_bytes(bytes(builder.Output()))
    return target
