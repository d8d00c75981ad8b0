"""Reference models with a front end, as `edgebio quantize` writes it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import flatbuffers
import numpy as np

from edgebio.decision.spec import DecisionSettings
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.runtime import host_device
from edgebio.tflite.metadata import ENTRY, ModelMetadata
from tests.compiler.model_builder import load_schema

SLOW_SPEC = FrontendSpec(
    segment_length=182, hop_length=10, n_fft=32, step_frames=3, bins=(1, 17), highpass=10.0,
    rate=200.0, channels=8,
)  # fmt: skip
SEGMENTS = 12


def bursts(n: int, channels: int = 8) -> np.ndarray:
    """Bursts of noise: int16, shape (n, channels)."""
    random = np.random.default_rng(7)
    envelope = 20 + 800 * (np.sin(np.arange(n)[:, None] / 131 + np.arange(channels)) > 0)
    return (random.normal(size=(n, channels)) * envelope).clip(-32768, 32767).astype(np.int16)


def segments() -> np.ndarray:
    """Samples of `SEGMENTS` segments of `SLOW_SPEC`."""
    return bursts(SLOW_SPEC.segment_length + (SEGMENTS - 1) * SLOW_SPEC.step)


@contextlib.contextmanager
def on_host(models_folder: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Run a small model in the host process; yields its URL and the model."""
    settings = DecisionSettings(votes=3, confidence=0.4)
    source, model = models_folder / "emg_cnn.tflite", folder / "model.tflite"
    with_frontend(source, model, SLOW_SPEC, bursts(4000), settings)
    with host_device.running(host_device.build(model, folder / "device")) as device:
        yield device.url, model


def with_frontend(
    model: Path, target: Path, spec: FrontendSpec, samples: np.ndarray, decision: DecisionSettings
) -> Path:
    """Copy `model` to `target` with metadata; `samples` set the standardization."""
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
