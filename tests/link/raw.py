"""The link by hand: the test makes every frame and gets all that comes back."""

import time
from typing import Any, Self

from edgebio.link import frames
from edgebio.link.frames import Frame
from edgebio.link.messages import ANSWER, CODES, MESSAGES, Record
from edgebio.link.serial_port import SerialPort


class RawSession:
    """An open session in which the test makes every frame."""

    def __init__(self, url: str) -> None:
        self.port = SerialPort(url, 921_600)
        self.parser = frames.Parser()
        self.sequence = 100
        deadline = time.monotonic() + 10
        ping = self.frame("ping", session=77, open=1)
        while not self.attempt(ping, 0.2):
            assert time.monotonic() < deadline, "the device does not start"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.port.close()

    def frame(self, name: str, sequence: int | None = None, **values: Any) -> Frame:
        """Request with the next sequence number, or with a chosen one."""
        if sequence is None:
            self.sequence = (self.sequence + 1) % 65536
            sequence = self.sequence
        return Frame(MESSAGES[name].kind, sequence, MESSAGES[name].pack_request(**values))

    def exchange(self, data: bytes, quiet: float = 0.1) -> list[Frame]:
        """Send bytes; return the frames that arrive until the port is quiet."""
        self.port.write(data)
        received: list[Frame] = []
        while data := self.port.read(quiet):
            received += self.parser.feed(data)
        return received

    def send(self, frame: Frame) -> list[tuple[str, Record]]:
        """Send a request; return all messages up to its answer, as (name, fields)."""
        received = self.attempt(frame, 10)
        assert received, "no answer"
        return [decode(each) for each in received]

    def ask(self, name: str, **values: Any) -> list[tuple[str, Record]]:
        """Send a request with the next sequence number, see `send`."""
        return self.send(self.frame(name, **values))

    def listen(self, seconds: float) -> list[tuple[str, Record]]:
        """Events that the device sends by itself in this time."""
        received, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            received += [decode(frame) for frame in self.parser.feed(self.port.read(0.01))]
        return received

    def attempt(self, frame: Frame, seconds: float) -> list[Frame]:
        """Send a request once; return all frames up to its answer, or none after a time-out."""
        self.port.write(frames.encode(frame))
        received: list[Frame] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            received += self.parser.feed(self.port.read(0.05))
            if any(each.sequence == frame.sequence and each.kind & ANSWER for each in received):
                return received
        return []


def decode(frame: Frame) -> tuple[str, Record]:
    """Name and fields of a frame from the device; of an error, the name of its code."""
    for message in MESSAGES.values():
        if message.event and frame.kind == message.kind:
            values = message.event.unpack(frame.payload)
            if message.name == "error":
                entry = CODES["error"].find(values["code"])
                assert entry is not None
                return entry[0], values
            return message.name, values
        if message.answer and frame.kind == message.kind | ANSWER:
            return message.name, message.answer.unpack(frame.payload)
    raise AssertionError(f"unknown kind {frame.kind}")
