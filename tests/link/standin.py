"""A device whose network is a few lines of C: cheap, and its output depends on every pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from edgebio.decision.outputs import Outputs
from edgebio.decision.spec import DecisionSettings
from edgebio.decision.twin import Decider, Decisions
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.runtime import host_device
from edgebio.tflite import Graph, Operator, Tensor
from edgebio.tflite.metadata import ENTRY, ModelMetadata

CHANNELS = 4
CLASSES = 5
SPEC = FrontendSpec(
    segment_length=56,
    hop_length=8,
    n_fft=32,
    step_frames=2,
    bins=(1, 9),
    highpass=20.0,
    rate=1000.0,
    channels=CHANNELS,
)  # fmt: skip
DECISION = DecisionSettings(votes=3, confidence=0.4)
SHA = "5a" * 32

_MODEL_H = """\
#ifndef MODEL_H
#define MODEL_H
#include <stdint.h>
#define EB_MODEL_INPUT_BYTES {input}u
#define EB_MODEL_OUTPUT_BYTES {output}u
#define EB_MODEL_STATE_BYTES 0u
#define EB_MODEL_LAYERS 1u
void eb_model_invoke(void *state, const void *input, void *output);
extern const uint8_t eb_model_sha256[32];
#endif
"""

_MODEL_C = """\
#include "model.h"
const uint8_t eb_model_sha256[32] = {{{sha}}};
void eb_model_invoke(void *state, const void *input, void *output)
{{
    const int8_t *pixels = input;
    int8_t *outputs = output;
    (void)state;
    for (int c = 0; c < (int)EB_MODEL_OUTPUT_BYTES; c++) {{
        int sum = 0;
        for (int i = 0; i < (int)EB_MODEL_INPUT_BYTES; i++) {{
            sum += ((i * 7 + c * 13) % 11 - 5) * pixels[i];
        }}
        sum /= 32;
        outputs[c] = (int8_t)(sum < -128 ? -128 : sum > 127 ? 127 : sum);
    }}
}}
"""


def network(images: np.ndarray, classes: int) -> np.ndarray:
    """What the C above computes: int8, shape (n, classes)."""
    flat = images.reshape(len(images), -1).astype(np.int64)
    i, c = np.arange(flat.shape[1])[:, None], np.arange(classes)
    sums = flat @ ((i * 7 + c * 13) % 11 - 5)
    return np.clip(np.trunc(sums / 32), -128, 127).astype(np.int8)


def _tensor(index: int, shape: tuple[int, ...]) -> Tensor:
    return Tensor(
        index, "", shape, "int8", np.array([0.05], np.float32), np.array([0]), 0, None
    )  # fmt: skip


@dataclass(frozen=True)
class StandIn:
    """The model; without a front end where `frontend` is false."""

    frontend: bool = True
    input_bytes: int = int(np.prod(SPEC.image_shape))
    classes: int = CLASSES
    decision: DecisionSettings = DECISION
    rate: float = SPEC.rate

    @property
    def spec(self) -> FrontendSpec:
        """Of the front end; at another rate without its filter."""
        same = self.rate == SPEC.rate
        return SPEC if same else SPEC.model_copy(update={"rate": self.rate, "highpass": 0.0})

    @cached_property
    def standardization(self) -> Standardization:
        return Standardization.learn(
            self.spec, [Twin(self.spec).log_magnitudes(signal(2000, seed=99))]
        )

    @cached_property
    def graph(self) -> Graph:
        known = ModelMetadata(
            name="stand-in",
            classes=tuple(f"class {i}" for i in range(self.classes)),
            frontend=self.spec,
            standardization=self.standardization,
            decision=self.decision,
        )
        shape = SPEC.image_shape if self.frontend else (self.input_bytes,)
        return Graph(
            tensors=(_tensor(0, (1, *shape)), _tensor(1, (1, self.classes))),
            operators=(Operator(0, "FULLY_CONNECTED", (0,), (1,), {}),),
            inputs=(0,),
            outputs=(1,),
            metadata={ENTRY: known.model_dump_json().encode()} if self.frontend else {},
            sha256=SHA,
        )

    def build(
        self,
        folder: Path,
        flags: tuple[str, ...] = ("-O2",),
        port: Sequence[Path] = (),
        live: host_device.HostLive | None = None,
    ) -> Path:
        """Compile the device; returns its executable."""
        folder.mkdir(parents=True, exist_ok=True)
        sha = ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(SHA))
        (folder / "model.h").write_text(
            _MODEL_H.format(input=self.input_bytes, output=self.classes)
        )
        (folder / "model.c").write_text(_MODEL_C.format(sha=sha))
        return host_device.compile_application(
            self.graph, [folder / "model.c"], [folder], folder, flags, port, live=live
        )

    def images(self, samples: np.ndarray) -> np.ndarray:
        return Twin(self.spec, self.standardization).images(samples)

    def logits(self, samples: np.ndarray) -> np.ndarray:
        return network(self.images(samples), self.classes)

    def decided(self, samples: np.ndarray) -> Decisions:
        return Decider(self.decision, Outputs.from_graph(self.graph)).decide(self.logits(samples))


def signal(n: int, seed: int = 1) -> np.ndarray:
    """Bursts of noise: int16, shape (n, CHANNELS)."""
    random = np.random.default_rng(seed)
    envelope = 50 + 2000 * (np.sin(np.arange(n)[:, None] / 97 + np.arange(CHANNELS)) > 0.3)
    return (random.normal(size=(n, CHANNELS)) * envelope).clip(-32768, 32767).astype(np.int16)
