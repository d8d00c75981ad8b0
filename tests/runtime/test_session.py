"""`Session`: samples piece by piece and recordings, and what it measures."""

from pathlib import Path

import numpy as np
import pytest

from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.runtime import host_device
from edgebio.runtime.device import Device
from edgebio.runtime.session import Session
from tests.link.models import SEGMENTS
from tests.link.models import SLOW_SPEC as SPEC
from tests.link.standin import StandIn


def test_pieces_give_the_decisions_of_the_whole(device: Device, samples: np.ndarray) -> None:
    whole = device.classify(samples)
    with Session(device) as session:
        pieces = [session.feed(piece) for piece in np.array_split(samples, 7)]
    decisions = [decision for piece in pieces for decision in piece]
    assert [(d.time_s, d.name) for d in decisions] == [(d.time_s, d.name) for d in whole]
    assert device.current_decision().reason == "stopped"
    assert session.rests == {"start": 1}


def test_stream_ends_when_the_block_fails(device: Device, samples: np.ndarray) -> None:
    with Session(device) as session, pytest.raises(EdgebioError, match="samples are float64"):
        session.feed(samples.astype(float))
    with pytest.raises(ZeroDivisionError), Session(device) as session:
        assert len(session.feed(samples)) / 0
    assert device.current_decision().reason == "stopped"
    assert len(device.classify(samples)) == SEGMENTS


def test_delay_and_latency_are_measured(device: Device, samples: np.ndarray) -> None:
    session = Session(device, DecisionSettings(votes=2))
    assert (session.delay, session.latency()) == (None, None)
    end = SPEC.segment_length + SPEC.step
    decisions = list(session.classify(samples[:end], real_time=True))
    assert len(decisions) == 2
    assert all(0 <= (decision.latency_s or 9) < 1 for decision in decisions)
    delay, latency = session.delay, session.latency()
    assert delay is not None
    assert latency is not None
    assert (delay.segment, delay.step, delay.votes) == (910, 150, 2)
    assert delay.document()["total"] == pytest.approx(910 + 2 * 150 + delay.compute)
    assert 0 < latency["median"] <= latency["max"]
    assert session.link_errors() == {"damaged": 0, "repeated": 0, "overruns": 0, "gaps": 0}


def test_classes_are_numbered_without_the_model(url: str, samples: np.ndarray) -> None:
    with Device(url) as device:
        decisions = device.classify(samples)
        assert {d.probability for d in decisions} == {None}
        assert all(d.name.startswith("class ") or d.name == "rejected" for d in decisions)
        with pytest.raises(EdgebioError, match="settings of the decision need the model"):
            Session(device, DecisionSettings())


def test_device_without_a_front_end_is_refused(tmp_path: Path) -> None:
    plain = StandIn(frontend=False, input_bytes=100).build(tmp_path)
    with (
        host_device.running(plain) as running,
        Device(running.url) as device,
        pytest.raises(EdgebioError, match=r"has no front end: .*Device\.run_inputs"),
    ):
        Session(device)
