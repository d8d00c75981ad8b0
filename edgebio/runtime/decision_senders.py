"""Decisions to other programs: LSL markers, OSC messages, UDP datagrams, keys of the keyboard."""

import json
import socket
from collections.abc import Mapping
from typing import Any, Protocol

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.runtime.session import Decision
from edgebio.sources.lsl import import_pylsl
from edgebio.suggest import nearest

KINDS = ("lsl", "osc", "udp", "keyboard")
"""Ways to send decisions."""

_OSC_PORT, _UDP_PORT = 9000, 9001
_STREAM = "edgebio decisions"


class Sender(Protocol):
    """Sends decisions until it is closed."""

    def send(self, decision: Decision) -> None:
        """Send a decision."""

    def close(self) -> None:
        """Release what it uses."""


def sender_of(text: str, keys: Mapping[str, str]) -> Sender:
    """Sender by its kind, or by ``osc://HOST:PORT`` or ``udp://HOST:PORT``.

    Parameters
    ----------
    text
        One of `KINDS`, or a URL. The default ports are 9000 (OSC) and 9001 (UDP), on this machine.
    keys
        For ``keyboard``: the key of each class, such as ``{"fist": "space"}``.

    Raises
    ------
    EdgebioError
        If there is no such kind, or what it needs is missing.
    """
    kind, _, place = text.partition("://")
    if kind not in KINDS:
        raise EdgebioError(
            f"no way to send decisions by {kind!r}{nearest(kind, KINDS)}; there are "
            f"{', '.join(KINDS)}"
        )
    match kind:
        case "lsl":
            return _LslSender()
        case "keyboard":
            return _KeySender(keys)
        case "osc":
            return _OscSender(*_address(place, _OSC_PORT, text))
        case _:
            return _UdpSender(*_address(place, _UDP_PORT, text))


def _address(place: str, port: int, text: str) -> tuple[str, int]:
    host, _, number = place.partition(":")
    if number and not (number.isdecimal() and 0 < int(number) < 1 << 16):
        raise EdgebioError(f"{text}: port {number!r}; expected a number from 1 to 65535")
    return host or "127.0.0.1", int(number or port)


def _document(decision: Decision) -> dict[str, Any]:
    return {
        "time": round(decision.time_s, 4),
        "class": decision.name,
        "probability": decision.probability,
        "reason": decision.event.reason,
    }


class _LslSender:
    """A stream of markers: the name of each decision."""

    def __init__(self) -> None:
        pylsl = import_pylsl()
        info = pylsl.StreamInfo(_STREAM, "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string,
                                _STREAM)  # fmt: skip
        self._outlet: Any = pylsl.StreamOutlet(info)

    def send(self, decision: Decision) -> None:
        self._outlet.push_sample([decision.name])

    def close(self) -> None:
        self._outlet = None


class _UdpSender:
    """A JSON object for each decision, in a datagram."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._address = (host, port)

    def send(self, decision: Decision) -> None:
        self._socket.sendto(json.dumps(_document(decision)).encode(), self._address)

    def close(self) -> None:
        self._socket.close()


class _OscSender:
    """``/edgebio/decision`` with name, probability and time, as Open Sound Control 1.0."""

    def __init__(self, host: str, port: int) -> None:
        try:
            from pythonosc.udp_client import SimpleUDPClient
        except ImportError:
            raise MissingToolError('osc needs python-osc: pip install "edgebio[live]"') from None
        self._client = SimpleUDPClient(host, port)

    def send(self, decision: Decision) -> None:
        probability = decision.probability if decision.probability is not None else -1.0
        self._client.send_message(
            "/edgebio/decision", [decision.name, float(probability), float(decision.time_s)]
        )

    def close(self) -> None:
        pass


class _KeySender:
    """Holds the key of the class that is decided; rest and other classes hold none."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        if not keys:
            raise EdgebioError("keyboard needs the key of each class, such as --key fist=space")
        try:
            from pynput.keyboard import Controller, Key
        except ImportError as error:
            missing = "a screen" if "pynput" not in str(error) else "pynput: pip install pynput"
            raise MissingToolError(f"keyboard needs {missing}") from None
        self._controller = Controller()
        self._keys: dict[str, Any] = {}
        for name, key in keys.items():
            if len(key) > 1 and not hasattr(Key, key):
                names = [each.name for each in Key]
                raise EdgebioError(f"no key {key!r}{nearest(key, names)}; give a letter, or a name")
            self._keys[name] = key if len(key) == 1 else getattr(Key, key)
        self._pressed: Any = None

    def send(self, decision: Decision) -> None:
        key = self._keys.get(decision.name)
        if key != self._pressed:
            self.close()
            if key is not None:
                self._controller.press(key)
            self._pressed = key

    def close(self) -> None:
        if self._pressed is not None:
            self._controller.release(self._pressed)
            self._pressed = None
