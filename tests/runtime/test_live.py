"""A device that stands alone: its decisions are the twin's, whatever happens to it."""

import contextlib
import time
from pathlib import Path

import pytest

from edgebio.errors import DeviceError
from edgebio.link.client import Client
from edgebio.link.messages import CODES
from edgebio.link.results import RestEvent
from edgebio.runtime.host_device import HostLive
from tests.link.standin import SPEC, StandIn, signal
from tests.runtime.live_device import Action, LiveDevice, build, decided

LIMIT_US = 250_000
LAP_US = 10_000
ORDINARY = CODES["start_cause"]["ordinary"]
FRAMES = 4000  # 4 s
AT_MS = 1500  # of the faults


@pytest.fixture(scope="module")
def model() -> StandIn:
    return StandIn()


@pytest.fixture(scope="module")
def device(model: StandIn, tmp_path_factory: pytest.TempPathFactory) -> LiveDevice:
    folder = tmp_path_factory.mktemp("live")
    executable = build(model, folder / "build", HostLive(), faults=True)
    return LiveDevice(executable, model, signal(FRAMES), folder)


def restarts(device: LiveDevice, actions: list[Action]) -> int:
    """Number of frames shortly before the first decision that explain all of them by a reset."""
    first = actions[0].time_us // 1000 - SPEC.segment_length
    return len(device.origins(decided(actions), range(first - 120, first + 1)))


def test_every_decision_is_the_twins(device: LiveDevice) -> None:
    actions = device.run()
    assert decided(actions) == device.expected()
    assert actions[0].decision is None, "rest before the first segment"
    for index, action in enumerate(actions[1:-1]):
        end = SPEC.segment_length + index * SPEC.step
        assert end * 1000 <= action.time_us <= end * 1000 + 2 * LAP_US
    assert actions[-1].decision is None
    assert actions[-1].time_us - actions[-2].time_us <= LIMIT_US


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"EDGEBIO_FAULT": f"slow {AT_MS} {AT_MS + 1000} 400000"}, "late"),
        ({"EDGEBIO_FAULT": f"slow {AT_MS} {AT_MS + 1000} 60000"}, "late"),
        ({"EDGEBIO_FAULT": f"slow {AT_MS} {AT_MS + 100} 1200000"}, "late"),
        ({"EDGEBIO_EVENTS": f"supply@{AT_MS}"}, "brownout"),
        (
            {"EDGEBIO_FAULT": f"slow {AT_MS} {AT_MS + 15} 40000",
             "EDGEBIO_EVENTS": f"supply@{AT_MS + 20}"},
            "brownout",
        ),
        ({"EDGEBIO_EVENTS": f"clock@{AT_MS}"}, "clock"),
        ({"EDGEBIO_EVENTS": f"adc@{AT_MS}"}, "overrun"),
    ],
    ids=["network-beyond-limit", "network-slower-than-signal", "ring-overrun", "supply",
         "supply-in-network", "clock", "lost-conversion"],
)  # fmt: skip
def test_fault_rests_with_its_reason_and_the_stream_goes_on(
    device: LiveDevice, environment: dict[str, str], reason: str
) -> None:
    with device.watched(**environment) as running, Client(running.url) as client:
        rests: list[RestEvent] = []
        ends: list[int] = []
        with client.watch("decisions") as watch:
            for record in watch:
                if isinstance(record, RestEvent):
                    rests.append(record)
                else:
                    ends.append(record.end)  # type: ignore[union-attr]
                if ends and ends[-1] > FRAMES - 200:
                    break
        assert client.statistics().source_lost == 0 or reason in ("late", "overrun")
    assert {rest.reason for rest in rests} == {reason}
    actions = device.actions()
    first_rest = next(a for a in actions if a.decision is None and a.time_us > LIMIT_US)
    fault_us = AT_MS * 1000
    if reason == "late" and "60000" in str(environment):
        assert first_rest.time_us > fault_us + LIMIT_US, "as long as the age is bearable"
    else:
        assert fault_us <= first_rest.time_us <= fault_us + LIMIT_US + 2 * LAP_US
    # No decision on a sample that is older than the limit, and none that the twin would not make.
    last_rest = max(i for i, a in enumerate(actions[:-1]) if a.decision is None)
    before = decided([a for a in actions if a.time_us < first_rest.time_us])
    assert before == device.expected()[: len(before)]
    assert restarts(device, actions[last_rest + 1 :]) == 1


@pytest.mark.parametrize(
    ("environment", "cause"),
    [
        ({"EDGEBIO_FAULT": f"hang {AT_MS} {AT_MS + 100} 0"}, "watchdog"),
        ({"EDGEBIO_FAULT": f"mask {AT_MS} {AT_MS + 100} 0"}, "watchdog"),
        ({"EDGEBIO_FAULT": f"fault {AT_MS} {AT_MS + 10} 0"}, "fault"),
        ({"EDGEBIO_EVENTS": f"brownout@{AT_MS}"}, "brownout"),
    ],
    ids=["hang", "hang-without-interrupts", "fault", "brownout"],
)
def test_restart_rests_and_the_stream_goes_on(
    device: LiveDevice, environment: dict[str, str], cause: str
) -> None:
    actions = device.run(**environment)
    rests = [a.time_us for a in actions if a.decision is None and a.time_us > LIMIT_US]
    # The interrupt makes it rest, or the restart, whose time-out counts from the last turn.
    assert AT_MS * 1000 <= rests[0] <= AT_MS * 1000 + LIMIT_US + 2 * LAP_US
    before = decided([a for a in actions if a.time_us < rests[0]])
    assert before == device.expected()[: len(before)]
    last_rest = max(i for i, a in enumerate(actions[:-1]) if a.decision is None)
    assert restarts(device, actions[last_rest + 1 :]) == 1


def test_reason_of_a_restart_stays_until_a_segment_is_decided(
    device: LiveDevice, tmp_path: Path
) -> None:
    short = LiveDevice(device.executable, device.model, device.samples[:1600], tmp_path)
    fault = f"hang {AT_MS} {AT_MS + 100} 0"
    with short.watched(EDGEBIO_FAULT=fault) as running:
        deadline = time.monotonic() + 20
        cause = ORDINARY
        while cause == ORDINARY and time.monotonic() < deadline:
            time.sleep(0.05)
            with contextlib.suppress(DeviceError), Client(running.url) as client:
                event, cause = client.current_decision(), client.statistics().start_cause
    assert cause == CODES["start_cause"]["watchdog"]
    assert event.reason == "watchdog"


def test_nobody_needs_to_listen(device: LiveDevice) -> None:
    """As the sink does without a host: the decisions while a host comes and goes."""
    with device.watched() as running:
        for _ in range(3):
            with Client(running.url) as client, client.watch() as watch:
                for _ in range(30):
                    watch.poll(0.05)
        with Client(running.url) as client:
            while client.statistics().source_frames < FRAMES:
                pass
    assert decided(device.actions()) == device.expected()


def test_a_decision_stands_until_the_next_one_is_due(tmp_path: Path) -> None:
    """400 ms between decisions: samples that arrive are progress, and the sink does not rest."""
    model = StandIn(rate=40.0)
    device = LiveDevice(build(model, tmp_path / "build", HostLive()), model, signal(400), tmp_path)
    actions = device.run(EDGEBIO_END_MS=20_000)
    assert decided(actions) == device.expected()
    assert [a.decision is None for a in actions].count(True) == 2, "at the start and at the end"
