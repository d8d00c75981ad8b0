"""Every message travels in a frame, the same in both directions:

    00  COBS( version u8 | kind u8 | sequence u16 | payload | CRC-32 u32 )  00

Numbers are little-endian. COBS (Cheshire and Baker, 1999) leaves no zero inside a frame, so a zero
byte always ends one: whatever bytes were received, both ends are in step again at the next zero. A
frame also begins with a zero, which ends any noise before it; nothing between two zeros is no
frame. The CRC-32 is zlib's (reflected, polynomial EDB88320) over everything before it. A frame with
a wrong CRC, COBS code or length is counted and dropped, never used.

The host sends requests and the device answers. An answer carries the sequence number of its
request, which rises by one with every request (modulo 65536). The host repeats a request unchanged
if no answer arrives: for a repeated sequence number the device sends its stored answer without
executing the request again, and it ignores sequence numbers older than the newest one. Requests
marked "one piece of many" do not wait for each other's answers: as many may be in flight as fit
into `receive_bytes`; each answer gives the device's position, and the host continues from there.
Events have sequence numbers of their own and are not answered.
"""  # noqa: D400 - the generated page begins with this text

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from cobs import cobs

from edgebio.link.messages import VERSION

HEADER_BYTES = 4
CRC_BYTES = 4
DELIMITER = b"\0"


@dataclass(frozen=True)
class Frame:
    """One frame: kind of message, sequence number and payload."""

    kind: int
    sequence: int
    payload: bytes = b""
    version: int = VERSION


def encode(frame: Frame) -> bytes:
    """Bytes of a frame on the wire, delimiters included."""
    body = bytes((frame.version, frame.kind)) + frame.sequence.to_bytes(2, "little") + frame.payload
    encoded: bytes = cobs.encode(body + zlib.crc32(body).to_bytes(CRC_BYTES, "little"))
    return DELIMITER + encoded + DELIMITER


def encoded_bytes(payload_bytes: int) -> int:
    """Most bytes that a frame with a payload of this length takes on the wire."""
    raw = HEADER_BYTES + payload_bytes + CRC_BYTES
    return raw + (raw + 253) // 254 + 2


class Parser:
    """Extract frames from bytes that arrive in any pieces and with any damage.

    `damaged_frames` counts the frames that were dropped: wrong COBS, CRC or length.
    """

    def __init__(self, max_payload_bytes: int = 65535) -> None:
        self.damaged_frames = 0
        self.received_bytes = 0
        self._max = HEADER_BYTES + max_payload_bytes + CRC_BYTES
        self._max_encoded = self._max + (self._max + 253) // 254
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Add bytes; yield the frames that they complete."""
        self.received_bytes += len(data)
        first, *parts = data.split(DELIMITER)
        self._append(first)
        for part in parts:
            encoded = bytes(self._pending)
            self._pending.clear()
            self._append(part)
            if encoded:
                frame = self._decode(encoded)
                if frame:
                    yield frame
                else:
                    self.damaged_frames += 1

    def _append(self, part: bytes) -> None:
        # A stream without delimiters must not fill the memory; one byte too many marks the frame.
        self._pending += part[: self._max_encoded + 1 - len(self._pending)]

    def _decode(self, encoded: bytes) -> Frame | None:
        if len(encoded) > self._max_encoded:
            return None
        try:
            raw = cobs.decode(encoded)
        except cobs.DecodeError:
            return None
        if not HEADER_BYTES + CRC_BYTES <= len(raw) <= self._max:
            return None
        body, crc = raw[:-CRC_BYTES], int.from_bytes(raw[-CRC_BYTES:], "little")
        if zlib.crc32(body) != crc:
            return None
        return Frame(body[1], int.from_bytes(body[2:4], "little"), body[HEADER_BYTES:], body[0])
