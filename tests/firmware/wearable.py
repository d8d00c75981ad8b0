"""A small network with metadata: what a wearable device decides with."""

from decimal import Decimal
from pathlib import Path

import numpy as np

from edgebio.decision.spec import DecisionSettings
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.tflite.metadata import ENTRY, ModelMetadata, SignalScale
from tests.compiler.model_builder import load_schema
from tests.compiler.networks import Net

CLASSES = ("neutral", "fist", "pinch")
MICROVOLT = SignalScale(volts_per_count=Decimal("1e-6"), peak=1000)


def spec(channels: int = 3, rate: float = 1000.0) -> FrontendSpec:
    """12 frames of 16 bins, a decision every 48 samples."""
    return FrontendSpec(
        rate=rate, channels=channels, n_fft=32, hop_length=16, segment_length=32 + 11 * 16,
        step_frames=3, bins=(1, 17), fft_numerics="scalar", highpass=rate / 50,
    )  # fmt: skip


def write(
    target: Path,
    front: FrontendSpec | None = None,
    *,
    signal: SignalScale = MICROVOLT,
    classes: tuple[str, ...] = CLASSES,
    grips: dict[str, tuple[float, ...]] | None = None,
    outputs: int = 8,
) -> Path:
    """Write a .tflite: a convolution of so many outputs, and one that gives the classes."""
    front = front or spec()
    net = Net(np.random.default_rng(1), (1, *front.image_shape), "ptq")
    net.conv({"size": [3, 3], "stride": [2, 2], "dilation": [1, 1], "same": True}, outputs)
    size = list(net.shape_of(net.at)[1:3])
    net.conv({"size": size, "stride": [1, 1], "dilation": [1, 1], "same": False}, len(classes))
    net.reshape((1, len(classes)))
    net.softmax()
    logs = np.random.default_rng(2).integers(0, 1 << 13, (64, front.n_bins, front.channels))
    metadata = ModelMetadata(
        name="wearable",
        classes=classes,
        frontend=front,
        standardization=Standardization.learn(front, [logs.astype(np.int16)]),
        decision=DecisionSettings(votes=3),
        signal=signal,
        grips=grips or {},
    )
    entry = load_schema().MetadataT()
    entry.name, entry.buffer = ENTRY, net.buffer(metadata.model_dump_json().encode())
    net.model.metadata.append(entry)
    target.write_bytes(net.finish())
    return target
