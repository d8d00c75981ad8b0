"""A host that stands alone in virtual time, what it has done, and what its twin would have done."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from edgebio.decision.outputs import Outputs
from edgebio.decision.twin import Decider, activity
from edgebio.runtime.host_device import HostDevice, HostLive, running
from tests.link.standin import SPEC, StandIn

SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
C = Path(__file__).with_name("live")
SPEED = 4
"""Of the device's time, where a host watches."""


@dataclass(frozen=True)
class Action:
    """What the sink did: at a time in us, a decision with its activity, or rest (None)."""

    time_us: int
    decision: int | None
    activity: int = 0


@dataclass(frozen=True)
class LiveDevice:
    """An executable, and the signal that its converter plays."""

    executable: Path
    model: StandIn
    samples: np.ndarray
    folder: Path

    @cached_property
    def codes(self) -> Path:
        path = self.folder / "codes.bin"
        self.samples.astype("<i2").tofile(path)
        return path

    def environment(self, **more: object) -> dict[str, str]:
        (self.folder / "sink.log").unlink(missing_ok=True)
        own = {"EDGEBIO_ADC": self.codes, "EDGEBIO_SINK_LOG": self.folder / "sink.log"}
        return {name: str(value) for name, value in (own | more).items()}

    def run(self, **environment: object) -> list[Action]:
        """Play the whole signal without a host; return what the sink did."""
        process = subprocess.Popen(
            [self.executable], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            env={**os.environ, **self.environment(**environment)},
        )  # fmt: skip
        assert process.wait(60) == 0
        assert process.stdin
        process.stdin.close()
        return self.actions()

    @contextlib.contextmanager
    def watched(self, **environment: object) -> Iterator[HostDevice]:
        """Play the signal for a host that watches."""
        chosen = self.environment(EDGEBIO_SPEED=SPEED, **environment)
        with running(self.executable, environment=chosen) as device:
            yield device

    def actions(self) -> list[Action]:
        log = self.folder / "sink.log"
        rows = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [
            Action(int(time), int(what[0]), int(what[1]))
            if len(what) == 2
            else Action(int(time), None)
            for time, *what in rows
        ]

    def expected(self, origin: int = 0, end: int | None = None) -> list[tuple[int, int]]:
        """Decision and activity of each segment, by the twin, from a reset at frame `origin` on."""
        samples = self.samples[origin:end]
        decider = Decider(self.model.decision, Outputs.from_graph(self.model.graph))
        activities = activity(samples, SPEC.segment_length, SPEC.step)
        decisions = decider.decide(self.model.logits(samples), activities).decisions
        return list(zip(decisions.tolist(), activities.tolist(), strict=True))

    def origins(self, decided: list[tuple[int, int]], candidates: range) -> list[int]:
        """Frames at which a reset explains decisions with their activities."""
        assert len(decided) > 10
        length = SPEC.segment_length + len(decided) * SPEC.step
        first = SPEC.segment_length
        return [
            origin
            for origin in candidates
            if activity(self.samples[origin : origin + first], first, SPEC.step)[0] == decided[0][1]
            and self.expected(origin, origin + length)[: len(decided)] == decided
        ]


def decided(actions: list[Action]) -> list[tuple[int, int]]:
    """Decisions with their activities."""
    return [(a.decision, a.activity) for a in actions if a.decision is not None]


def build(model: StandIn, folder: Path, live: HostLive, *, faults: bool = False) -> Path:
    """Compile the device; with `faults` its network can have some."""
    if faults:
        wrap = ("-Wl,--wrap=eb_model_invoke",)
        live = replace(live, more=(C / "faults.c",), link_flags=wrap)
    return model.build(folder, SANITIZE, live=live)
