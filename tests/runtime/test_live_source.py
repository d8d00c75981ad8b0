"""A device that stands alone, and what its sample source reports."""

import struct
from pathlib import Path

import numpy as np
import pytest

from edgebio.link.client import Client
from edgebio.link.observer import Observer
from edgebio.link.results import DecisionEvent, RestEvent
from edgebio.runtime.host_device import HostLive
from tests.link.standin import SPEC, StandIn, signal
from tests.runtime.live_device import C, LiveDevice, build, decided

OVERRUN, LEAD_OFF, DISCONNECTED = 1, 2, 4
BLOCK = 10
SAMPLES = signal(3000)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> LiveDevice:
    model, folder = StandIn(), tmp_path_factory.mktemp("live")
    live = HostLive(C / "source_script.c")
    return LiveDevice(build(model, folder / "build", live), model, SAMPLES, folder)


def block(first: int, frames: int = BLOCK, flags: int = 0, leads_off: int = 0) -> bytes:
    """A block whose last frame is sampled at the time of its number in ms."""
    time_us = (first + frames) * 1000
    head = struct.pack("<IIIHH", time_us, first, leads_off, frames, flags)
    return head + SAMPLES[first : first + frames].astype("<i2").tobytes()


def blocks(first: int, last: int, flags: int = 0, leads_off: int = 0) -> list[bytes]:
    return [block(at, BLOCK, flags, leads_off) for at in range(first, last, BLOCK)]


def watch(device: LiveDevice, script: list[bytes], last: int) -> tuple[list[RestEvent], list[int]]:
    """Play a script; return the rests and the origins of the decisions."""
    (device.folder / "script").write_bytes(b"".join(script))
    rests, origins = [], []
    environment = {"EDGEBIO_SCRIPT": device.folder / "script"}
    with (
        device.watched(**environment) as running,
        Client(running.url) as client,
        client.watch("decisions") as records,
    ):
        for record in records:
            if isinstance(record, RestEvent):
                rests.append(record)
            elif isinstance(record, DecisionEvent):
                origins.append(record.origin)
                if record.end >= last - SPEC.step:
                    break
    return rests, origins


@pytest.mark.parametrize(
    ("middle", "start", "reason"),
    [
        ([], 1540, "overrun"),
        ([block(1500, 0, DISCONNECTED)] * 3, 1800, "disconnected"),
        (blocks(1500, 1700, LEAD_OFF, 0b100), 1700, "lead_off"),
    ],
    ids=["gap", "disconnected", "lead-off"],
)
def test_fault_of_the_source_rests_and_starts_over(
    device: LiveDevice, middle: list[bytes], start: int, reason: str
) -> None:
    flags = OVERRUN if start != 1700 else 0
    script = [*blocks(0, 1500), *middle, block(start, BLOCK, flags), *blocks(start + BLOCK, 3000)]
    rests, origins = watch(device, script, 3000)
    assert [rest.reason for rest in rests] == [reason]
    assert set(origins) == {0, start}
    actions = device.actions()
    [_, index] = [i for i, a in enumerate(actions[:-1]) if a.decision is None][:2]
    assert actions[index].time_us <= 1_760_000
    assert decided(actions[:index]) == device.expected(0, 1500)
    assert decided(actions[index:]) == device.expected(start, 3000)


def test_silence_is_a_time_out_without_a_new_start(device: LiveDevice) -> None:
    """No sample is missing, so the images go on; votes from before do not count."""
    late = [struct.pack("<I", 1_000_000 + i) + b[4:] for i, b in enumerate(blocks(500, 600))]
    script = [*blocks(0, 500), *late]
    (device.folder / "script").write_bytes(b"".join(script))
    actions = device.run(EDGEBIO_SCRIPT=device.folder / "script")
    rests = [a.time_us for a in actions if a.decision is None]
    assert 700_000 < rests[1] <= 500_000 + 250_000
    before = device.expected(0, 500)
    assert decided(actions)[: len(before)] == before
    activities = [activity for _, activity in device.expected(0, 600)]
    assert [activity for _, activity in decided(actions)] == activities


def test_codes_become_counts_by_the_scale(tmp_path: Path) -> None:
    """Codes of 12 bits with another zero: decisions on the counts that the scale's twin makes."""
    from edgebio.sampling.scale import Scale

    scale = Scale(2000, 1_234_567_890, 28, 6)
    codes = np.clip(SAMPLES.astype(np.int64) // 3 + 2000, 0, 4095).astype(np.uint16)
    model = StandIn()
    counts = scale.stream(SAMPLES.shape[1]).counts(codes.astype(np.int32))
    device = LiveDevice(
        build(model, tmp_path / "build", HostLive(scale=scale)), model, counts, tmp_path
    )
    (tmp_path / "own").write_bytes(codes.astype("<u2").tobytes())
    assert decided(device.run(EDGEBIO_ADC=tmp_path / "own")) == device.expected()


@pytest.fixture(scope="module")
def link_device(tmp_path_factory: pytest.TempPathFactory) -> LiveDevice:
    """A device whose samples come over the line."""
    model, folder = StandIn(), tmp_path_factory.mktemp("link")
    return LiveDevice(
        build(model, folder / "build", HostLive("link", ring_frames=512)), model, SAMPLES, folder
    )


def test_samples_of_the_host_are_decided_on(link_device: LiveDevice) -> None:
    with link_device.watched() as running, Client(running.url) as client:
        for _ in range(2):  # a second source starts over
            with client.watch("decisions") as observer:
                source = client.link_source()
                for at in range(0, 2000, 70):
                    source.feed(link_device.samples[at : min(at + 70, 2000)])
                decisions = collect(observer, 2000)
            assert [(d.decision, d.activity) for d in decisions] == link_device.expected(0, 2000)
            assert [d.index for d in decisions] == list(range(len(decisions)))
        assert client.statistics().source_lost == 0


def collect(observer: Observer, end: int) -> list[DecisionEvent]:
    """Decisions up to the last one before frame `end`."""
    decisions: list[DecisionEvent] = []
    for record in observer:
        if isinstance(record, DecisionEvent):
            decisions.append(record)
            if record.end > end - SPEC.step:
                break
    return decisions


def test_a_producer_that_is_too_fast_means_rest_and_a_clean_start(link_device: LiveDevice) -> None:
    """More samples at once than the ring holds, then few enough."""
    with link_device.watched() as running, Client(running.url) as client:
        with client.watch("decisions") as observer:
            source = client.link_source(real_time=True)
            source.feed(link_device.samples[:300])
            source.skip(400)  # lost on the way
            source.feed(link_device.samples[700:1000])
            records = [*observer.poll(1.0)]
            while not any(isinstance(r, DecisionEvent) and r.end > 984 for r in records):
                records += observer.poll(1.0)
        reasons = [r.reason for r in records if isinstance(r, RestEvent)]
        assert "overrun" in reasons
        last = [r for r in records if isinstance(r, DecisionEvent) and r.end > 700]
        assert {r.origin for r in last} == {700}
        assert [(r.decision, r.activity) for r in last] == link_device.expected(700, 1000)[
            : len(last)
        ]
        assert client.statistics().source_lost == 400
