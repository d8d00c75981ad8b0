"""What the device decides when something is wrong: rest, never a class, and why."""

import dataclasses
import time
from collections.abc import Iterator
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
from edgebio.link.results import Rest, Settings
from edgebio.runtime import host_device
from tests.link.raw import Raw, told
from tests.link.standin import CLASSES, SPEC, StandIn, signal
from tests.link.test_device import RESTART, WAIT, samples_frame

REASON = CODES["reason"]
TIMEOUT_MS = 80


@pytest.fixture
def raw(executable: Path) -> Iterator[Raw]:
    with host_device.running(executable) as device, Raw(device.url) as session:
        yield session


@pytest.fixture
def device_settings(model: StandIn) -> dict[str, Any]:
    wanted = dataclasses.replace(
        Settings.of(constants(model.decision, Outputs.of(model.graph))), timeout=TIMEOUT_MS
    )
    return dataclasses.asdict(wanted)


def now(raw: Raw) -> tuple[int, int]:
    """What is decided, and why."""
    [values] = [v for n, v in raw.ask("stream_now") if n == "stream_now"]
    return values["decision"], values["reason"]


def events(found: list[tuple[str, Record]], name: str) -> list[Record]:
    return [values for each, values in found if each == name]


def hear(raw: Raw, seconds: float) -> list[tuple[str, Record]]:
    """All that the device says by itself for so long."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        found += [told(frame) for frame in raw.parser.feed(raw.line.read(0.01))]
    return found


def test_rest_before_the_first_window_and_after_the_stream(raw: Raw) -> None:
    assert now(raw) == (REST, REASON["start"])
    found = raw.ask("stream_start", on_gap=WAIT, timed=0)
    assert [(v["decision"], v["reason"]) for v in events(found, "rest")] == [
        (REST, REASON["start"])
    ]
    raw.send(samples_frame(raw, signal(400), 0, 70))
    decision, reason = now(raw)
    assert decision != REST
    assert reason in (REASON["vote"], REASON["uncertain"])
    raw.ask("stream_stop")
    assert now(raw) == (REST, REASON["stopped"])


def test_rest_when_the_session_ends(raw: Raw) -> None:
    raw.ask("stream_start", on_gap=WAIT, timed=0)
    raw.send(samples_frame(raw, signal(400), 0, 70))
    raw.ask("ping", session=78, open=1)
    assert now(raw) == (REST, REASON["stopped"])


@pytest.mark.parametrize("on_gap", [WAIT, RESTART])
def test_rest_at_a_gap(raw: Raw, on_gap: int) -> None:
    samples = signal(400)
    raw.ask("stream_start", on_gap=on_gap, timed=0)
    raw.send(samples_frame(raw, samples, 0, 100))
    assert now(raw)[0] != REST
    found = raw.send(samples_frame(raw, samples, 117, 140, decided=3))
    assert [(v["decision"], v["reason"]) for v in events(found, "rest")] == [(REST, REASON["gap"])]
    assert now(raw) == (REST, REASON["gap"])
    if on_gap == WAIT:  # what was missing comes, and all is as if nothing had happened
        found = raw.send(samples_frame(raw, samples, 100, 140, decided=3))
    else:
        found = raw.send(samples_frame(raw, samples, 140, 190, decided=3))
    assert {v["anew"] for v in events(found, "decision")} == {int(on_gap == RESTART)}
    assert now(raw)[0] != REST


def test_rest_when_no_samples_come(
    raw: Raw, model: StandIn, device_settings: dict[str, Any]
) -> None:
    samples = signal(600)
    raw.ask("configure", **device_settings)
    raw.ask("stream_start", on_gap=WAIT, timed=1)
    before = events(raw.send(samples_frame(raw, samples, 0, 120)), "decision")
    found = hear(raw, 5 * TIMEOUT_MS / 1000)
    late = events(found, "rest")
    assert 2 <= len(late) <= 5, "it is said again while it lasts"
    assert {(v["decision"], v["reason"], v["sample"]) for v in late} == {
        (REST, REASON["timeout"], 120)
    }
    waited = late[0]["time"] - before[-1]["time"]
    assert TIMEOUT_MS * 1000 <= waited < (TIMEOUT_MS + 60) * 1000
    assert now(raw) == (REST, REASON["timeout"])
    # No sample is missing, so the images are as ever; but votes from before do not count.
    after = events(raw.send(samples_frame(raw, samples, 120, 200, decided=len(before))), "decision")
    logits, moved = model.logits(samples[:200]), activity(samples[:200], SPEC.segment_length, SPEC.step)
    twin = Decider(model.decision, Outputs.of(model.graph))
    twin.take(logits[: len(before)], moved[: len(before)])
    twin.begin_anew()
    expected = twin.take(logits[len(before) :], moved[len(before) :])
    assert [v["decision"] for v in after] == expected.decisions.tolist()
    assert [v["reason"] for v in after] == expected.reasons.tolist()
    assert [v["activity"] for v in after] == moved[len(before) :].tolist()
    assert {v["anew"] for v in after} == {1}


def test_no_time_out_where_time_means_nothing(raw: Raw, device_settings: dict[str, Any]) -> None:
    raw.ask("configure", **device_settings)
    raw.ask("stream_start", on_gap=WAIT, timed=0)
    raw.send(samples_frame(raw, signal(600), 0, 120))
    assert hear(raw, 3 * TIMEOUT_MS / 1000) == []
    raw.ask("stream_stop")
    raw.ask("configure", **device_settings | {"timeout": 0})
    raw.ask("stream_start", on_gap=WAIT, timed=1)
    assert hear(raw, 3 * TIMEOUT_MS / 1000) == []


def test_the_class_that_is_rest(raw: Raw, device_settings: dict[str, Any]) -> None:
    raw.ask("configure", **device_settings | {"rest": 2})
    assert now(raw) == (2, REASON["start"])
    raw.ask("stream_start", on_gap=WAIT, timed=1)
    late = events(hear(raw, 2 * TIMEOUT_MS / 1000), "rest")
    assert {(v["decision"], v["reason"]) for v in late} == {(2, REASON["timeout"])}


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
    outputs = Outputs.of(model.graph)
    settings = model.decision.model_copy(update=changed)
    client.configure(Settings.of(constants(settings, outputs)))
    made = list(client.stream(samples))
    twin = Decider(settings, outputs)
    logits, moved = model.logits(samples), activity(samples, SPEC.segment_length, SPEC.step)
    expected = twin.take(logits, moved)
    names = {number: name for name, number, _ in REASON.values}
    assert [d.decision for d in made] == expected.decisions.tolist()
    assert [d.winner for d in made] == expected.winners.tolist()
    assert [d.reason for d in made] == [names[r] for r in expected.reasons]
    assert [d.activity for d in made] == moved.tolist()
    before = Decider(model.decision, outputs).take(logits, moved)
    assert (before.decisions != expected.decisions).any(), "the change matters"
    assert {"quiet"} <= {d.reason for d in made} or "onset" not in changed
    assert {"held"} <= {d.reason for d in made} or "hold" not in changed


def test_settings_last_for_a_session(device: host_device.HostDevice, model: StandIn) -> None:
    own = Settings.of(constants(model.decision, Outputs.of(model.graph)))
    with Client(device.url) as client:
        assert client.settings() == own
        other = dataclasses.replace(own, votes=31, hold=255, rest=CLASSES - 1, least=256)
        client.configure(other)
        assert client.settings() == other
        for wrong in ({"votes": 0}, {"votes": 32}, {"rest": CLASSES}, {"least": 257}):
            with pytest.raises(RefusedError, match="A setting is not possible"):
                client.configure(dataclasses.replace(own, **wrong))
        assert client.settings() == other
        stream = client.stream(signal(500))
        next(stream)
        with pytest.raises(RefusedError, match="A stream is open"):
            client._request("configure", **dataclasses.asdict(own))
        stream.close()
        client.reset()
        assert client.settings() == own
        client.configure(other)
    if device.url.startswith("/"):
        with Client(device.url) as client:
            assert client.settings() == own


def test_client_hands_over_what_is_decided_without_a_window(client: Client, model: StandIn) -> None:
    own = Settings.of(constants(model.decision, Outputs.of(model.graph)))
    client.configure(dataclasses.replace(own, timeout=60))
    samples = signal(400)
    rests: list[Rest] = []

    def pieces() -> Iterator[np.ndarray]:
        yield samples[:200]
        time.sleep(0.3)
        yield samples[200:]

    made = list(client.stream(pieces(), on_gap="restart", on_rest=rests.append))
    assert rests[0].reason == "start"
    assert {r.reason for r in rests[1:]} == {"timeout"}
    assert {r.decision for r in rests} == {REST}
    assert {d.origin for d in made} == {0}
    assert [d.anew for d in made if d.end > 200][-1] >= 1
    assert client.now().reason == "stopped"
    assert isinstance(DecisionSettings().timeout, int)
