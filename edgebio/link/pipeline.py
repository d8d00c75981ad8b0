"""Pieces in flight: how many fit, how far the device has got, and where to continue."""

import time
from collections import deque
from typing import NamedTuple


class _Piece(NamedTuple):
    sequence: int
    end: int
    encoded_bytes: int


class Pipeline:
    """State of a transfer in pieces, go-back-N; it sends nothing itself.

    Positions count what is transferred: bytes or samples. The device answers every piece, in the
    order of arrival, with the position that it expects next. An answer also means that all pieces
    sent earlier have left the device's receive buffer, or were lost.

    At most `capacity` encoded bytes are in flight. Without `resend`, lost pieces stay lost.
    """

    def __init__(self, capacity: int, *, resend: bool = True) -> None:
        self.position = 0  # what to send next
        self.accepted = 0  # up to here the device has accepted everything
        self._capacity = capacity
        self._resend = resend
        self._in_flight: deque[_Piece] = deque()
        self._bytes = 0
        self._first_resent: int | None = None  # sequence number of the first piece since going back
        self._progress_time = 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing is in flight."""
        return not self._in_flight

    @property
    def stalled_seconds(self) -> float:
        """Seconds for which pieces have been in flight without the device accepting any."""
        return 0.0 if self.idle else time.monotonic() - self._progress_time

    def fits(self, encoded_bytes: int) -> bool:
        """Whether a piece may be sent now."""
        return self.idle or self._bytes + encoded_bytes <= self._capacity

    def contains(self, sequence: int) -> bool:
        """Whether the piece `sequence` is in flight."""
        return any(piece.sequence == sequence for piece in self._in_flight)

    def add(self, sequence: int, end: int, encoded_bytes: int) -> None:
        """Record that the piece from `position` to `end` was sent."""
        if self._first_resent is None:
            self._first_resent = sequence
        if self.idle:
            self._progress_time = time.monotonic()
        self._in_flight.append(_Piece(sequence, end, encoded_bytes))
        self._bytes += encoded_bytes
        self.position = end

    def acknowledge(self, sequence: int, expected: int) -> None:
        """Record an answer: after the piece `sequence` the device expects position `expected`."""
        piece = None
        while self._in_flight and _distance(sequence, self._in_flight[0].sequence) >= 0:
            piece = self._in_flight.popleft()
            self._bytes -= piece.encoded_bytes
        if piece is None or piece.sequence != sequence:
            return  # acknowledged before
        if expected > self.accepted:
            self.accepted = expected
            self._progress_time = time.monotonic()
        # After going back, the device refuses all pieces that were in flight at that time; only
        # the refusal of a piece sent later means another loss.
        fresh = self._first_resent is not None and _distance(sequence, self._first_resent) >= 0
        if self._resend and expected < piece.end and fresh:
            self._go_back()

    def drain(self) -> None:
        """Record that nothing is in flight: the device has answered a later request."""
        self._in_flight.clear()
        self._bytes = 0
        if not self._resend:
            self.accepted = self.position
        elif self.accepted < self.position:
            self._go_back()

    def _go_back(self) -> None:
        self.position = self.accepted
        self._first_resent = None


def _distance(sequence: int, other: int) -> int:
    """How far `sequence` is after `other`, in serial number arithmetic (RFC 1982)."""
    return (sequence - other + 0x8000) % 0x10000 - 0x8000
