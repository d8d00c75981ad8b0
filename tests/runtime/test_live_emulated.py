"""A device that stands alone on an emulated board, its samples over the line."""

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgebio import boards
from edgebio.boards import emulator
from edgebio.compiler.host_model import HostModel
from edgebio.decision.outputs import Outputs
from edgebio.decision.spec import DecisionSettings
from edgebio.decision.twin import Decider, activity
from edgebio.errors import MissingToolError
from edgebio.firmware import Standalone, image
from edgebio.firmware.image import SPEED
from edgebio.firmware.standalone import configure
from edgebio.firmware.timed_build import build_in_time
from edgebio.frontend.twin import Twin
from edgebio.link import frames, packing
from edgebio.link.results import DecisionEvent
from edgebio.runtime.device import Device
from edgebio.tflite import read
from edgebio.tflite.metadata import require_metadata
from tests.link.models import SLOW_SPEC as SPEC
from tests.link.models import bursts, with_frontend
from tests.link.raw import RawSession
from tests.runtime.live_device import C

SINK = C / "sink_hang.c"

END = SPEC.segment_length + 30 * SPEC.step


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mps2-an386", "netduinoplus2", "pico"])
def test_decisions_of_an_emulated_board_are_the_twins(
    name: str, models_folder: Path, tmp_path: Path
) -> None:
    board = boards.load(name)
    try:
        emulator.check_installed(board)
    except MissingToolError as error:
        pytest.skip(str(error))
    settings = DecisionSettings(votes=3, confidence=0.4)
    source, model = models_folder / "emg_cnn.tflite", tmp_path / "model.tflite"
    samples = bursts(END)
    with_frontend(source, model, SPEC, bursts(4000), settings)
    request = Standalone("link", "text", None)
    build_in_time(model, board, tmp_path / "image", SPEED, request=request, allow_late=True)
    decisions: list[DecisionEvent] = []
    with Device.emulate_image(tmp_path / "image") as device:
        description = device.description
        assert (description.standalone, description.source, description.sink) == (1, "link", "text")
        with device.watch("decisions", "counters") as observer:
            feed = device.link_source()
            at = 0
            while not decisions or decisions[-1].end < END:
                at = feed.feed(samples[at : min(END, at + SPEC.step)])
                records = observer.poll(0.0 if at < END else 1.0)
                decisions += [r for r in records if isinstance(r, DecisionEvent)]
        statistics = device.statistics()
    assert statistics.source_lost == 0
    known = require_metadata(read(model), "the test")
    images = Twin(SPEC, known.standardization).images(samples)
    logits = HostModel(model).run(images)
    assert np.array_equal([d.logits for d in decisions], logits)
    if {d.vote_resets for d in decisions} == {1}:  # an emulator may be slower than the time-out
        activities = activity(samples, SPEC.segment_length, SPEC.step)
        twin = Decider(settings, Outputs.from_graph(read(model))).decide(logits, activities)
        assert [d.decision for d in decisions] == twin.decisions.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("masked", [False, True], ids=["interrupts", "no-interrupts"])
def test_a_hang_on_an_emulated_board_rests_in_time(
    masked: bool, models_folder: Path, tmp_path: Path
) -> None:
    """By SysTick's interrupt, or by the watchdog's NMI; then the board starts again."""
    board = boards.load("mps2-an386")
    try:
        emulator.check_installed(board)
    except MissingToolError as error:
        pytest.skip(str(error))
    source, model = models_folder / "emg_cnn.tflite", tmp_path / "model.tflite"
    with_frontend(source, model, SPEC, bursts(4000), DecisionSettings())
    known = require_metadata(read(model), "the test")
    config = configure(Standalone("link", "none", None), board, known)
    header = config.sink.header.replace(
        "#define EB_SINK_CLASSES", f"#define EB_HANG_MASKED {int(masked)}\n#define EB_SINK_CLASSES"
    )
    sink = replace(config.sink, header=header, sources=(SINK,))
    config = replace(config, sink=sink)
    image.build(model, board, tmp_path / "image", live=config, slowest_us=100_000)
    samples = bursts(SPEC.segment_length + 10 * SPEC.step)
    received = b""
    with (
        emulator.start(board, tmp_path / "image" / "firmware.elf") as running,
        RawSession(running.url) as session,
    ):
        session.ask("stream_start", on_gap=0, real_time=0)
        for first in range(0, len(samples), 30):
            piece = samples[first : first + 30]
            bits = packing.bit_width(piece)
            request = session.frame(
                "stream_samples", first=first, received=0, count=len(piece), bits=bits,
                packed=packing.pack(piece, bits),
            )  # fmt: skip
            session.port.write(frames.encode(request))
            received += session.port.read(0.1)
        deadline = time.monotonic() + 20
        while b"hangs" not in received and time.monotonic() < deadline:
            received += session.port.read(0.01)
        start = time.monotonic()
        while not re.search(rb"rested \d+ \d+ \n", received) and time.monotonic() < deadline:
            received += session.port.read(0.01)
        seconds = time.monotonic() - start
    match = re.search(rb"rested (\d+) (\d+) ", received)
    assert match, received
    micros, cause = map(int, match.groups())
    assert cause == 2, "the watchdog"
    assert seconds < 2, "not the four seconds of an image with a host"
    if not masked:  # without interrupts the clock stands still
        assert 230_000 <= micros <= 260_000
