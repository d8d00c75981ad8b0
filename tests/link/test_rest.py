"""What the device decides when something is wrong: rest, never a class, and the reason."""

import dataclasses
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebio.decision.outputs import Outputs, constants
from edgebio.decision.spec import REST, DecisionSettings
from edgebio.decision.twin import Decider, activity
from edgebio.link.client import Client
from edgebio.link.errors import RefusedError
from edgebio.link.messages import CODES, Record
from edgebio.link.results import RestEvent, Settings
from edgebio.runtime import host_device
from tests.link.raw import RawSession
from tests.link.standin import CLASSES, SPEC, StandIn, signal
from tests.link.test_device import RESTART, WAIT, samples_frame

REASON = CODES["reason"]
TIMEOUT_MS = 80


@pytest.fixture
def raw(executable: Path) -> Iterator[RawSession]:
    with host_device.running(executable) as device, RawSession(device.url) as session:
        yield session


@pytest.fixture
def device_settings(model: StandIn) -> dict[str, Any]:
    wanted = dataclasses.replace(
        Settings.of(constants(model.decision, Outputs.from_graph(model.graph))),
        timeout_ms=TIMEOUT_MS,
    )
    return dataclasses.asdict(wanted)


def current(raw: RawSession) -> tuple[int, int]:
    """Current decision and its reason."""
    [values] = [v for n, v in raw.ask("current_decision") if n == "current_decision"]
    return values["decision"], values["reason"]


def events(messages: list[tuple[str, Record]], name: str) -> list[Record]:
    return [values for each, values in messages if each == name]


def test_rest_before_the_first_segment_and_after_the_stream(raw: RawSession) -> None:
    assert current(raw) == (REST, REASON["start"])
    messages = raw.ask("stream_start", on_gap=WAIT, real_time=0)
    assert [(v["decision"], v["reason"]) for v in events(messages, "rest")] == [
        (REST, REASON["start"])
    ]
    raw.send(samples_frame(raw, signal(400), 0, 70))
    decision, reason = current(raw)
    assert decision != REST
    assert reason in (REASON["vote"], REASON["uncertain"])
    raw.ask("stream_stop")
    assert current(raw) == (REST, REASON["stopped"])


def test_rest_when_the_session_ends(raw: RawSession) -> None:
    raw.ask("stream_start", on_gap=WAIT, real_time=0)
    raw.send(samples_frame(raw, signal(400), 0, 70))
    raw.ask("ping", session=78, open=1)
    assert current(raw) == (REST, REASON["stopped"])


@pytest.mark.parametrize("on_gap", [WAIT, RESTART])
def test_rest_at_a_gap(raw: RawSession, on_gap: int) -> None:
    samples = signal(400)
    raw.ask("stream_start", on_gap=on_gap, real_time=0)
    raw.send(samples_frame(raw, samples, 0, 100))
    assert current(raw)[0] != REST
    messages = raw.send(samples_frame(raw, samples, 117, 140, received=3))
    assert [(v["decision"], v["reason"]) for v in events(messages, "rest")] == [
        (REST, REASON["gap"])
    ]
    assert current(raw) == (REST, REASON["gap"])
    if on_gap == WAIT:  # the missing samples arrive, and all is as if nothing had happened
        messages = raw.send(samples_frame(raw, samples, 100, 140, received=3))
    else:
        messages = raw.send(samples_frame(raw, samples, 140, 190, received=3))
    assert {v["vote_resets"] for v in events(messages, "decision")} == {int(on_gap == RESTART)}
    assert current(raw)[0] != REST


def test_rest_when_no_samples_arrive(
    raw: RawSession, model: StandIn, device_settings: dict[str, Any]
) -> None:
    samples = signal(600)
    raw.ask("configure", **device_settings)
    raw.ask("stream_start", on_gap=WAIT, real_time=1)
    before = events(raw.send(samples_frame(raw, samples, 0, 120)), "decision")
    messages = raw.listen(5 * TIMEOUT_MS / 1000)
    timeouts = events(messages, "rest")
    assert len(timeouts) >= 2, "the event is repeated"
    assert {(v["decision"], v["reason"], v["next_sample"]) for v in timeouts} == {
        (REST, REASON["timeout"], 120)
    }
    times = [event["time_us"] for event in (before[-1], *timeouts)]
    waits = [(b - a) / 1000 for a, b in pairwise(times)]
    assert waits[0] >= TIMEOUT_MS
    assert TIMEOUT_MS - 1 <= min(waits) < TIMEOUT_MS + 60  # a busy machine may delay some
    assert current(raw) == (REST, REASON["timeout"])
    # No sample is missing, so the images are unaffected; but earlier votes do not count.
    after = events(
        raw.send(samples_frame(raw, samples, 120, 200, received=len(before))), "decision"
    )
    logits, activities = (
        model.logits(samples[:200]),
        activity(samples[:200], SPEC.segment_length, SPEC.step),
    )
    twin = Decider(model.decision, Outputs.from_graph(model.graph))
    twin.decide(logits[: len(before)], activities[: len(before)])
    twin.reset()
    expected = twin.decide(logits[len(before) :], activities[len(before) :])
    assert [v["decision"] for v in after] == expected.decisions.tolist()
    assert [v["reason"] for v in after] == expected.reasons.tolist()
    assert [v["activity"] for v in after] == activities[len(before) :].tolist()
    assert {v["vote_resets"] for v in after} == {1}


def test_no_timeout_without_real_time(raw: RawSession, device_settings: dict[str, Any]) -> None:
    raw.ask("configure", **device_settings)
    raw.ask("stream_start", on_gap=WAIT, real_time=0)
    raw.send(samples_frame(raw, signal(600), 0, 120))
    assert raw.listen(3 * TIMEOUT_MS / 1000) == []
    raw.ask("stream_stop")
    raw.ask("configure", **device_settings | {"timeout_ms": 0})
    raw.ask("stream_start", on_gap=WAIT, real_time=1)
    assert raw.listen(3 * TIMEOUT_MS / 1000) == []


def test_a_host_cannot_make_rest_a_class(client: Client, model: StandIn) -> None:
    own = client.settings()
    for number in (*range(CLASSES), CLASSES):
        if number != own.rest:
            with pytest.raises(RefusedError, match="A setting is out of range"):
                client.configure(dataclasses.replace(own, rest=number))
    assert client.settings() == own


# --- settings over the link ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"votes": 9}, {"confidence": 0.0}, {"confidence": 0.5, "hold": 3}, {"onset": 400.0},
        {"onset": 400.0, "hold": 2, "votes": 2, "confidence": 0.6},
    ],
)  # fmt: skip
def test_changed_settings_decide_as_the_twin(
    client: Client, model: StandIn, changed: dict[str, Any]
) -> None:
    samples = signal(4000)
    outputs = Outputs.from_graph(model.graph)
    settings = model.decision.model_copy(update=changed)
    client.configure(Settings.of(constants(settings, outputs)))
    decisions = list(client.stream(samples))
    twin = Decider(settings, outputs)
    logits, activities = model.logits(samples), activity(samples, SPEC.segment_length, SPEC.step)
    expected = twin.decide(logits, activities)
    names = {number: name for name, number, _ in REASON.values}
    assert [d.decision for d in decisions] == expected.decisions.tolist()
    assert [d.winner for d in decisions] == expected.winners.tolist()
    assert [d.reason for d in decisions] == [names[r] for r in expected.reasons]
    assert [d.activity for d in decisions] == activities.tolist()
    before = Decider(model.decision, outputs).decide(logits, activities)
    assert (before.decisions != expected.decisions).any(), "the change matters"
    assert {"quiet"} <= {d.reason for d in decisions} or "onset" not in changed
    assert {"held"} <= {d.reason for d in decisions} or "hold" not in changed


def test_settings_last_until_the_session_ends(
    device: host_device.HostDevice, model: StandIn
) -> None:
    own = Settings.of(constants(model.decision, Outputs.from_graph(model.graph)))
    with Client(device.url) as client:
        assert client.settings() == own
        other = dataclasses.replace(own, votes=31, hold=255, least=256)
        client.configure(other)
        assert client.settings() == other
        grip = next(number for number in range(CLASSES) if number != own.rest)
        for wrong in ({"votes": 0}, {"votes": 32}, {"rest": grip}, {"least": 257}):
            with pytest.raises(RefusedError, match="A setting is out of range"):
                client.configure(dataclasses.replace(own, **wrong))
        assert client.settings() == other
        stream = client.stream(signal(500))
        next(stream)
        with pytest.raises(RefusedError, match="A stream is open"):
            client._connection.request("configure", **dataclasses.asdict(own))
        stream.close()
        client.reset()
        assert client.settings() == own
        client.configure(other)
    if device.url.startswith("/"):
        with Client(device.url) as client:
            assert client.settings() == own


def test_client_reports_decisions_without_a_segment(client: Client, model: StandIn) -> None:
    own = Settings.of(constants(model.decision, Outputs.from_graph(model.graph)))
    client.configure(dataclasses.replace(own, timeout_ms=60))
    samples = signal(400)
    rests: list[RestEvent] = []

    def pieces() -> Iterator[np.ndarray]:
        yield samples[:200]
        time.sleep(0.3)
        yield samples[200:]

    decisions = list(client.stream(pieces(), on_gap="restart", on_rest=rests.append))
    assert rests[0].reason == "start"
    assert {r.reason for r in rests[1:]} == {"timeout"}
    assert {r.decision for r in rests} == {REST}
    assert {d.origin for d in decisions} == {0}
    assert [d.vote_resets for d in decisions if d.end > 200][-1] >= 1
    assert client.current_decision().reason == "stopped"
    assert isinstance(DecisionSettings().timeout, int)
