"""What layers and stages made, put together from events `trace`."""

import struct
from collections.abc import Iterator

from edgebio.link.frames import Frame
from edgebio.link.messages import MESSAGES

_HEAD = struct.Struct("<BHHH")  # what, index, part, length
_SUM = struct.Struct("<II")


class Trace:
    """Records of one trace.

    Attributes
    ----------
    complete : bool
        All events have come; known once the trace has ended.
    """

    def __init__(self) -> None:
        self.complete = False
        self._events: dict[int, bytes] = {}

    def handle(self, frame: Frame) -> None:
        """Take a frame; of another kind it is let go."""
        if frame.kind == MESSAGES["trace"].kind:
            layout = MESSAGES["trace"].event
            if layout is None:
                raise AssertionError("an event has a layout")
            values = layout.unpack(frame.payload)
            self._events[values["number"]] = values["records"]

    def finish(self, events: int, size: int) -> None:
        """Hold what has come against what the device has sent."""
        numbers = sorted(self._events) == list(range(events))
        self.complete = numbers and sum(map(len, self.data().values())) == size

    def data(self) -> dict[tuple[int, int], bytes]:
        """What was made, by index and part."""
        found: dict[tuple[int, int], bytearray] = {}
        for index, part, data in self._records():
            found.setdefault((index, part), bytearray()).extend(data)
        return {key: bytes(value) for key, value in found.items()}

    def sums(self) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """Of a trace without data: sizes and CRC-32s in the order made, by index and part."""
        return {key: list(_SUM.iter_unpack(value)) for key, value in self.data().items()}

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        for number in sorted(self._events):
            records, at = self._events[number], 0
            while at < len(records):
                _, index, part, length = _HEAD.unpack_from(records, at)
                at += _HEAD.size
                yield index, part, records[at : at + length]
                at += length
