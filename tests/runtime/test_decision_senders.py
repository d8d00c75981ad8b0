"""Decisions to other programs, received by real peers."""

import json
import socket
import threading
import time

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.link.results import DecisionEvent
from edgebio.runtime.decision_senders import sender_of
from edgebio.runtime.session import Decision


def decision(name: str, time_s: float = 1.5) -> Decision:
    event = DecisionEvent(
        index=0, origin=0, end=0, time_us=0, frontend_us=0, compute_us=0, image_crc=0, activity=0,
        vote_resets=0, winner=0, decision=0, reason="vote", logits=np.zeros(2, np.int8),
    )  # fmt: skip
    return Decision(time_s, name, 0.75, event)


def test_udp_sends_a_json_object() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender = sender_of(f"udp://127.0.0.1:{receiver.getsockname()[1]}", {})
        sender.send(decision("fist"))
        content = json.loads(receiver.recv(1000))
        sender.close()
    assert content == {"time": 1.5, "class": "fist", "probability": 0.75, "reason": "vote"}


def test_osc_sends_name_probability_and_time() -> None:
    dispatching = pytest.importorskip("pythonosc.dispatcher")
    serving = pytest.importorskip("pythonosc.osc_server")
    received: list[tuple] = []
    dispatcher = dispatching.Dispatcher()
    dispatcher.map("/edgebio/decision", lambda *content: received.append(content))
    with serving.ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sender = sender_of(f"osc://127.0.0.1:{server.server_address[1]}", {})
        sender.send(decision("open hand"))
        deadline = time.monotonic() + 5
        while not received and time.monotonic() < deadline:
            time.sleep(0.02)
        server.shutdown()
    assert received == [("/edgebio/decision", "open hand", 0.75, 1.5)]


def test_lsl_sends_markers() -> None:
    pytest.importorskip("pylsl")
    from edgebio.sources.lsl import import_pylsl

    pylsl = import_pylsl()
    sender = sender_of("lsl", {})
    (info,) = pylsl.resolve_byprop("name", "edgebio decisions", 1, 5)[:1]
    inlet = pylsl.StreamInlet(info)
    inlet.open_stream(timeout=5)
    sender.send(decision("pinch"))
    sample, _ = inlet.pull_sample(timeout=5)
    inlet.close_stream()
    sender.close()
    assert sample == ["pinch"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("upd", "no way to send decisions by 'upd' .did you mean 'udp'"),
        ("osc://host:port", "port 'port'; expected a number"),
        ("udp://host:0", "port '0'"),
        ("keyboard", "needs the key of each class"),
    ],
)
def test_wrong_ways_are_refused(text: str, message: str) -> None:
    with pytest.raises(EdgebioError, match=message):
        sender_of(text, {})
