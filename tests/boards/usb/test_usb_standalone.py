"""An emulated Pico that stands alone, with a host on its USB that comes and reads too little."""

import contextlib
import json
import os
import signal
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from edgebio import api, boards, firmware, tflite
from edgebio.boards import emulator, rp2040js
from edgebio.compiler.host_model import HostModel
from edgebio.decision.outputs import Outputs
from edgebio.decision.twin import Decider, activity
from edgebio.errors import MissingToolError
from edgebio.firmware import playback
from edgebio.frontend.twin import Twin
from edgebio.link.client import Client
from edgebio.link.errors import NoAnswerError
from edgebio.link.results import DecisionEvent
from edgebio.recordings import Recording
from edgebio.tflite.metadata import require_metadata
from tests.firmware import wearable

PICO = boards.with_link(boards.load("pico"), "usb")
SAMPLES = 6000
Decided = list[tuple[int, int]]
"""Decision and activity of each segment."""


def recording() -> Recording:
    """Tones of other heights and loudness every half second."""
    rng = np.random.default_rng(5)
    times = np.arange(500)[:, None] / 1000
    tones = [
        np.sin(2 * np.pi * rng.uniform(5, 480, 3) * times) * rng.uniform(1, 900, 3)
        for _ in range(SAMPLES // len(times))
    ]
    return Recording(
        samples=np.rint(np.concatenate(tones)).astype(np.int16), rate=1000.0,
        labels=np.zeros(SAMPLES, np.int16), classes=wearable.CLASSES, units="counts", subject="1",
        session="1", repetition=1, source="tones",
    )  # fmt: skip


class HostTwin:
    """What this machine computes of the samples that the converter makes."""

    def __init__(self, model: Path, samples: np.ndarray) -> None:
        graph = tflite.read(model)
        metadata = require_metadata(graph, "test")
        spec = metadata.frontend
        images = Twin(spec, metadata.standardization).images(samples)
        self.crcs = [zlib.crc32(image.tobytes()) for image in images]
        self.logits = HostModel(graph).run(images)
        activities = activity(samples, spec.segment_length, spec.step)
        decider = Decider(metadata.decision, Outputs.from_graph(graph))
        decisions = decider.decide(self.logits, activities).decisions
        self.decided: Decided = list(zip(decisions.tolist(), activities.tolist(), strict=True))


def journal(folder: Path) -> Decided:
    lines = (folder / "emulation.jsonl").read_text().splitlines()
    return [tuple(line["arguments"]) for line in map(json.loads, lines) if "call" in line]


def test_host_on_usb_changes_no_decision(tmp_path: Path) -> None:
    try:
        emulator.check_installed(PICO)
    except MissingToolError as error:
        pytest.skip(str(error))
    model = wearable.write(tmp_path / "model.tflite")
    folder = tmp_path / "image"
    api.build(
        model, "pico", folder, standalone=firmware.Standalone("adc:gain=1000", "text"), link="usb"
    )
    played = playback.convert(folder, [recording()])
    twin = HostTwin(model, played.recording.samples)
    parts = playback.connect(folder, played)
    log = tmp_path / "emulator.log"
    running = rp2040js.launch(PICO, folder / "firmware.elf", log, detached=False, parts=parts)
    try:
        with Client(running.url, timeout=30) as device:
            with device.watch("decisions") as watch:
                events = [event for event, _ in zip(watch, range(10), strict=False)]
            statistics = device.statistics()
        # Another one lets it send everything, and reads nothing of that.
        with (
            contextlib.suppress(NoAnswerError),
            Client(running.url, timeout=1) as device,
            device.watch(),
        ):
            os.kill(running.pid, signal.SIGHUP)
            end = time.monotonic() + 30
            while len(journal(tmp_path)) < len(twin.decided) and time.monotonic() < end:
                time.sleep(0.1)
    finally:
        running.stop()
    assert journal(tmp_path)[: len(twin.decided)] == twin.decided
    seen = [event for event in events if isinstance(event, DecisionEvent)]
    assert len(seen) >= 9
    for event in seen:
        index = event.index
        assert (event.decision, event.activity) == twin.decided[index]
        assert event.image_crc == twin.crcs[index]
        assert event.logits.tolist() == twin.logits[index].tolist()
    assert len(set(twin.crcs)) > 100
    assert len({tuple(row) for row in twin.logits.tolist()}) > 2
    assert statistics.source_lost == 0
