"""The link by hand: frames of one's own choosing, and all that comes back."""

import time
from typing import Any, Self

from edgebio.link import frames
from edgebio.link.frames import Frame
from edgebio.link.serial_port import SerialPort
from edgebio.link.messages import ANSWER, CODES, MESSAGES, Record


class Raw:
    """An open session of which every frame is made by the test."""

    def __init__(self, url: str) -> None:
        self.line = SerialPort(url, 921_600)
        self.parser = frames.Parser()
        self.sequence = 100
        deadline = time.monotonic() + 10
        ping = self.frame("ping", session=77, open=1)
        while not self._until_answered(ping, 0.2):
            assert time.monotonic() < deadline, "the device does not start"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()

    def frame(self, name: str, sequence: int | None = None, **values: Any) -> Frame:
        """Request with the next sequence number, or with one of the test's."""
        if sequence is None:
            self.sequence = (self.sequence + 1) % 65536
            sequence = self.sequence
        layout = MESSAGES[name].request
        assert layout is not None
        return Frame(MESSAGES[name].kind, sequence, layout.pack(**values))

    def exchange(self, data: bytes, quiet: float = 0.1) -> list[Frame]:
        """Send bytes; return the frames that come until the line is quiet."""
        self.line.write(data)
        found: list[Frame] = []
        while heard := self.line.read(quiet):
            found += self.parser.feed(heard)
        return found

    def send(self, frame: Frame) -> list[tuple[str, Record]]:
        """Send a request; return all that comes up to its answer, as (name, fields)."""
        found = self._until_answered(frame, 10)
        assert found, "no answer"
        return [told(each) for each in found]

    def ask(self, name: str, **values: Any) -> list[tuple[str, Record]]:
        """Send a request with the next sequence number, as `send` does."""
        return self.send(self.frame(name, **values))

    def _until_answered(self, frame: Frame, seconds: float) -> list[Frame]:
        self.line.write(frames.encode(frame))
        found: list[Frame] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found += self.parser.feed(self.line.read(0.05))
            if any(each.sequence == frame.sequence and each.kind & ANSWER for each in found):
                return found
        return []


def told(frame: Frame) -> tuple[str, Record]:
    """Name and fields of a frame from the device; of an error the name is that of its code."""
    for message in MESSAGES.values():
        if message.event and frame.kind == message.kind:
            values = message.event.unpack(frame.payload)
            if message.name == "error":
                found = CODES["error"].find(values["code"])
                assert found is not None
                return found[0], values
            return message.name, values
        if message.answer and frame.kind == message.kind | ANSWER:
            return message.name, message.answer.unpack(frame.payload)
    raise AssertionError(f"unknown kind {frame.kind}")
