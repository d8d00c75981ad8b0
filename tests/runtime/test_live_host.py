"""A device that stands alone and its host: whatever the host does, the decisions are the twin's."""

import os
import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.link import frames
from edgebio.link.client import Client
from edgebio.link.errors import RefusedError
from edgebio.link.frames import Frame
from edgebio.link.messages import ANSWER, MESSAGES
from edgebio.link.observer import CounterRecord, ImageRecord, MarkRecord, SampleRecord
from edgebio.link.results import DecisionEvent, RestEvent
from edgebio.link.serial_port import SerialPort
from edgebio.runtime.host_device import HostLive
from edgebio.runtime.session import Session
from tests.link.standin import SPEC, StandIn, signal
from tests.runtime.live_device import LiveDevice, build, decided

FRAMES = 3000


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> LiveDevice:
    model, folder = StandIn(), tmp_path_factory.mktemp("live")
    return LiveDevice(build(model, folder / "build", HostLive()), model, signal(FRAMES), folder)


@pytest.fixture
def client(device: LiveDevice) -> Iterator[Client]:
    with device.watched() as running, Client(running.url) as client:
        yield client


def has_ended(device: LiveDevice) -> bool:
    """Whether the last segment has been decided."""
    segments = (FRAMES - SPEC.segment_length) // SPEC.step + 1
    return len(decided(device.actions())) >= segments


def wait_for_end(device: LiveDevice) -> None:
    """Wait until the last segment has been decided."""
    deadline = time.monotonic() + 60
    while not has_ended(device):
        assert time.monotonic() < deadline, len(decided(device.actions()))
        time.sleep(0.05)


def test_everything_can_be_watched(device: LiveDevice, client: Client) -> None:
    samples: list[SampleRecord] = []
    images: dict[int, np.ndarray] = {}
    decisions: list[DecisionEvent] = []
    counters: list[CounterRecord] = []
    with client.watch() as watch:
        for record in watch:
            if isinstance(record, SampleRecord):
                samples.append(record)
            elif isinstance(record, ImageRecord):
                images[record.index] = record.image
            elif isinstance(record, CounterRecord):
                counters.append(record)
            elif isinstance(record, DecisionEvent):
                decisions.append(record)
                if record.end >= FRAMES - SPEC.step:
                    break
        assert watch.lost_records == 0
        start = watch.start_frame
    taken = np.concatenate([record.samples for record in samples])
    assert np.array_equal(taken, device.samples[start : start + len(taken)])
    for record in samples:
        assert record.time_us == record.first * 1000
        assert record.leads_off == 0
    expected = device.model.images(device.samples)
    assert len(images) > 100
    for index, image in images.items():
        assert np.array_equal(image, expected[index].ravel())
    logits = device.model.logits(device.samples)
    for decision in decisions:
        assert np.array_equal(decision.logits, logits[decision.index])
        assert decision.end == SPEC.segment_length + decision.index * SPEC.step
        assert (decision.decision, decision.activity) == device.expected()[decision.index]
    assert counters[-1].dropped == 0
    assert counters[-1].lost == 0
    assert counters[-1].oldest_us < 50_000


def test_a_recording_has_the_samples_and_the_cues(device: LiveDevice, client: Client) -> None:
    records = []
    with client.record() as recording:
        for label in (3, 1):
            deadline = time.monotonic() + 0.2
            while time.monotonic() < deadline:
                records += recording.poll(0.02)
            cue = client.cue(label)
        recording.stop()
        records += recording.poll(0.2)
        assert recording.lost_records == 0
        start = recording.start_frame
    samples = np.concatenate([r.samples for r in records if isinstance(r, SampleRecord)])
    marks = [r for r in records if isinstance(r, MarkRecord)]
    assert np.array_equal(samples, device.samples[start : start + len(samples)])
    assert [mark.label for mark in marks] == [3, 1]
    assert (marks[1].time_us, marks[1].next_frame) == (cue.time_us, cue.next_frame)
    assert abs(cue.time_us / 1000 - cue.next_frame) <= 20
    assert not any(isinstance(r, DecisionEvent | RestEvent) for r in records)


def test_a_host_that_does_not_read_stops_nothing(device: LiveDevice) -> None:
    with device.watched() as running:
        port = SerialPort(running.url, 921_600)
        requests = [
            Frame(MESSAGES["ping"].kind, 1, MESSAGES["ping"].pack_request(session=5, open=1)),
            Frame(MESSAGES["watch"].kind, 2, MESSAGES["watch"].pack_request(records=15)),
        ]
        port.write(b"".join(map(frames.encode, requests)))
        wait_for_end(device)
        for number in range(150):  # more answers than there is room for
            port.write(frames.encode(Frame(MESSAGES["statistics"].kind, 3 + number, b"")))
        time.sleep(0.5)
        assert decided(device.actions()) == device.expected()
        parser = frames.Parser()
        received: list[Frame] = []
        while data := port.read(0.3):  # what it did not read before
            received += parser.feed(data)
        assert parser.damaged_frames == 0, "records are dropped, never cut"
        answers = [f for f in received if f.kind == MESSAGES["statistics"].kind | ANSWER]
        assert len(answers) == 150
        port.close()
        with Client(running.url) as client:
            statistics = client.statistics()
            assert statistics.dropped_records > 10
            assert statistics.source_lost == 0


def test_a_host_that_floods_stops_nothing(device: LiveDevice) -> None:
    """Requests without a pause, as fast as the line takes them; answers are read."""
    frame = Frame(MESSAGES["ping"].kind, 1, MESSAGES["ping"].pack_request(session=5, open=1))
    with device.watched() as running:
        port = SerialPort(running.url, 921_600)
        port.write(frames.encode(frame))
        burst = b"".join(
            frames.encode(Frame(MESSAGES[name].kind, number, b""))
            for number, name in enumerate(["statistics", "describe", "image", "identify"] * 8, 2)
        )
        deadline = time.monotonic() + 60
        while not has_ended(device):
            assert time.monotonic() < deadline
            port.write(burst)
            port.read(0)
        port.close()
    assert decided(device.actions()) == device.expected()


@pytest.mark.parametrize("seed", range(3))
def test_no_bytes_on_the_line_change_a_decision(device: LiveDevice, seed: int) -> None:
    """Noise, and valid frames of every request that does not set a setting."""
    chance = random.Random(seed)
    kinds = [
        m.kind for m in MESSAGES.values() if m.name not in ("configure", "reset", "bootloader")
    ]
    with device.watched() as running:
        port = SerialPort(running.url, 921_600)
        number = 0
        deadline = time.monotonic() + 60
        while not has_ended(device):
            assert time.monotonic() < deadline
            number += 1
            if number % 7 == 1:
                payload = MESSAGES["ping"].pack_request(session=chance.randrange(1, 9), open=1)
                data = frames.encode(Frame(MESSAGES["ping"].kind, number % 65536, payload))
            elif chance.random() < 0.5:
                data = chance.randbytes(chance.randrange(40))
            else:
                kind, payload = chance.choice(kinds), chance.randbytes(chance.randrange(24))
                data = frames.encode(Frame(kind, number % 65536, payload))
            port.write(data)
            port.read(0)
        port.close()
    assert decided(device.actions()) == device.expected()


@pytest.mark.parametrize(
    "change",
    [
        {"rest": 0}, {"rest": 3}, {"timeout_ms": 0}, {"timeout_ms": 251}, {"timeout_ms": 60000},
        {"hold": 255}, {"hold": 70}, {"votes": 31, "hold": 60}, {"votes": 0}, {"least": 257},
    ],
)  # fmt: skip
def test_a_host_cannot_make_the_device_unsafe(client: Client, change: dict[str, int]) -> None:
    before = client.settings()
    with pytest.raises(RefusedError, match="A setting is out of range"):
        client.configure(replace(before, **change))
    assert client.settings() == before


def test_safe_settings_are_taken_and_end_with_the_session(device: LiveDevice) -> None:
    with device.watched() as running:
        with Client(running.url) as client:
            before = client.settings()
            assert before.timeout_ms == 250
            other = replace(before, votes=5, hold=10, onset=900, timeout_ms=100)
            client.configure(other)
            assert client.settings() == other
        with Client(running.url) as client:
            assert client.settings() == before


@pytest.mark.parametrize("built", [0, 1000])
def test_time_out_of_a_model_is_limited(tmp_path: Path, built: int) -> None:
    model = StandIn(decision=StandIn().decision.model_copy(update={"timeout": built}))
    device = LiveDevice(build(model, tmp_path / "build", HostLive()), model, signal(600), tmp_path)
    *_, last, rest = device.run()
    assert rest.decision is None
    assert rest.time_us - last.time_us <= 250_000
    with device.watched() as running, Client(running.url) as client:
        assert client.settings().timeout_ms == 250


def test_work_that_needs_a_stream_is_refused(client: Client, device: LiveDevice) -> None:
    with pytest.raises(EdgebioError, match="stands alone: it samples and decides by itself; watch"):
        Session(client)
    with pytest.raises(RefusedError, match="The device stands alone"):
        list(client.stream(device.samples))
    with pytest.raises(RefusedError, match="The device stands alone"):
        client.run_image(np.zeros(client.description.input_bytes, np.int8))
    description = client.description
    assert (description.standalone, description.source, description.sink) == (1, "adc", "log")
    assert client.image().size == 0


def test_text_sink_writes_lines_until_a_session_opens(tmp_path: Path) -> None:
    model = StandIn()
    executable = build(model, tmp_path / "build", HostLive(sink="text"))
    device = LiveDevice(executable, model, signal(FRAMES), tmp_path)
    process = subprocess.Popen(
        [executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, **device.environment()},
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    lines = process.stdout.read().decode().split("\r\n")
    process.stdin.close()
    assert process.wait(60) == 0
    names = {255: "rejected", 254: "rest"} | {i: f"class {i}" for i in range(5)}
    expected = [f"{names[decision]} {activity}" for decision, activity in device.expected()]
    assert lines == ["rest -", *expected, "rest -", ""]
    with device.watched() as running:
        port = SerialPort(running.url, 921_600)
        received, end = b"", time.monotonic() + 20
        while b"class" not in received and time.monotonic() < end:
            received += port.read(1.0)
        assert b"class" in received
        port.close()
        with Client(running.url) as client, client.watch("counters") as watch:
            watch.poll(0.3)
        assert client.damaged_frames <= 1, "what was written before"
