"""Outputs of layers and front-end stages, collected from the events `trace`."""

from collections.abc import Iterator

from edgebio.link.frames import Frame
from edgebio.link.messages import MESSAGES, RECORDS

_HEADER = RECORDS["trace_record"]
_CHECKSUM = RECORDS["trace_checksum"]


class Trace:
    """Records of one trace.

    Attributes
    ----------
    complete : bool
        Whether all events have arrived; known when the trace has ended.
    """

    def __init__(self) -> None:
        self.complete = False
        self._events: dict[int, bytes] = {}

    def handle(self, frame: Frame) -> None:
        """Add the records of a frame, if it is an event `trace`."""
        if frame.kind == MESSAGES["trace"].kind:
            values = MESSAGES["trace"].unpack(frame.kind, frame.payload)
            self._events[values["number"]] = values["records"]

    def finish(self, events: int, size: int) -> None:
        """Check that everything that the device has sent has arrived."""
        numbers = sorted(self._events) == list(range(events))
        self.complete = numbers and sum(map(len, self.data().values())) == size

    def data(self) -> dict[tuple[int, int], bytes]:
        """Complete outputs, by index and part."""
        outputs: dict[tuple[int, int], bytearray] = {}
        for index, part, data in self._records():
            outputs.setdefault((index, part), bytearray()).extend(data)
        return {key: bytes(value) for key, value in outputs.items()}

    def checksums(self) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """Sizes and CRC-32s of a trace without data, in their order, by index and part."""
        size = _CHECKSUM.fixed_bytes
        return {
            key: [
                (values["size"], values["crc"])
                for start in range(0, len(data), size)
                for values in [_CHECKSUM.unpack(data[start : start + size])]
            ]
            for key, data in self.data().items()
        }

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        for number in sorted(self._events):
            records, start = self._events[number], 0
            while start < len(records):
                end = start + _HEADER.fixed_bytes
                header = _HEADER.unpack(records[start:end])
                start = end + header["length"]
                yield header["index"], header["part"], records[end:start]
