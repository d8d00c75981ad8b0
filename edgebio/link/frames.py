"""Every message travels in a frame, the same in both directions:

    00  COBS( version u8 | kind u8 | sequence u16 | payload | CRC-32 u32 )  00

Numbers are little-endian. COBS (Cheshire and Baker, 1999) leaves no zero inside a frame, so that a
zero byte always ends one: after any bytes whatever, both sides are in step again at the next zero.
A frame is also begun by a zero, which ends whatever noise came before it; nothing between two
zeros is no frame. The CRC-32 is zlib's (reflected, polynomial EDB88320) over all that stands
before it. A frame whose CRC, COBS or length is wrong is counted and dropped, never used.

The host asks and the device answers. An answer carries its request's sequence number, which rises
by one with every request (modulo 65536). A request whose answer does not come is sent again as it
was: the device keeps its last answer and sends that for a repeated sequence number without carrying
the request out again, and ignores sequence numbers older than the newest. Requests marked as one
piece of many do not wait for each other's answers: as many may be under way as fit into the
device's `receive_bytes`, answers say how far the device has got, and the host goes on from there.
Events carry a sequence number of their own and are not answered.
"""  # noqa: D400 - the page begins with this text

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
    """One frame: what it is (`kind`), its sequence number and its payload."""

    kind: int
    sequence: int
    payload: bytes = b""
    version: int = VERSION


def encode(frame: Frame) -> bytes:
    """Bytes of a frame on the line, delimiters included."""
    body = bytes((frame.version, frame.kind)) + frame.sequence.to_bytes(2, "little") + frame.payload
    encoded: bytes = cobs.encode(body + zlib.crc32(body).to_bytes(CRC_BYTES, "little"))
    return DELIMITER + encoded + DELIMITER


def encoded_bytes(payload_bytes: int) -> int:
    """Most bytes that a frame with such a payload takes on the line."""
    raw = HEADER_BYTES + payload_bytes + CRC_BYTES
    return raw + (raw + 253) // 254 + 2


class Parser:
    """Frames out of bytes that arrive in any pieces and with any damage.

    Attributes
    ----------
    received : int
        Bytes taken so far.
    damaged : int
        Frames dropped so far: wrong COBS, CRC or length.
    """

    def __init__(self, most_payload_bytes: int = 65535) -> None:
        self.damaged = 0
        self.received = 0
        self._most = HEADER_BYTES + most_payload_bytes + CRC_BYTES
        self._most_encoded = self._most + (self._most + 253) // 254
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take bytes; yield the frames that they complete."""
        self.received += len(data)
        first, *others = data.split(DELIMITER)
        self._append(first)
        for part in others:
            encoded = bytes(self._pending)
            self._pending.clear()
            self._append(part)
            if encoded:
                frame = self._decode(encoded)
                if frame:
                    yield frame
                else:
                    self.damaged += 1

    def _append(self, part: bytes) -> None:
        # A line that never delimits must not fill the memory; one byte too many marks the frame.
        self._pending += part[: self._most_encoded + 1 - len(self._pending)]

    def _decode(self, encoded: bytes) -> Frame | None:
        if len(encoded) > self._most_encoded:
            return None
        try:
            raw = cobs.decode(encoded)
        except cobs.DecodeError:
            return None
        if not HEADER_BYTES + CRC_BYTES <= len(raw) <= self._most:
            return None
        body, crc = raw[:-CRC_BYTES], int.from_bytes(raw[-CRC_BYTES:], "little")
        if zlib.crc32(body) != crc:
            return None
        return Frame(body[1], int.from_bytes(body[2:4], "little"), body[HEADER_BYTES:], body[0])
