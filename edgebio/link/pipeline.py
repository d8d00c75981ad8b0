"""Pieces under way: how many fit, how far the device has got, and where to go on."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class _Piece:
    sequence: int
    end: int
    encoded_bytes: int


class Pipeline:
    """State of a transfer in pieces, go-back-N; it sends nothing by itself.

    Positions count what is transferred: bytes, or samples. The device answers every piece with the
    position that it wants next, in the order in which the pieces came; an answer also says that
    all pieces sent before have left the device's receive ring, or were lost.

    Parameters
    ----------
    capacity
        Most encoded bytes under way.
    resend
        Whether pieces that were lost are sent again; else they stay lost.

    Attributes
    ----------
    position : int
        What to send next.
    taken : int
        Where the device has got to.
    """

    def __init__(self, capacity: int, *, resend: bool = True) -> None:
        self.position = 0
        self.taken = 0
        self._capacity = capacity
        self._resend = resend
        self._under_way: deque[_Piece] = deque()
        self._bytes = 0
        self._went_back: int | None = None  # first sequence number since

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way

    def fits(self, encoded_bytes: int) -> bool:
        """Whether a piece may be sent now."""
        return self.idle or self._bytes + encoded_bytes <= self._capacity

    def holds(self, sequence: int) -> bool:
        """Whether the piece `sequence` is under way."""
        return any(piece.sequence == sequence for piece in self._under_way)

    def sent(self, sequence: int, end: int, encoded_bytes: int) -> None:
        """Note a piece from `position` to `end` as sent."""
        if self._went_back is None:
            self._went_back = sequence
        self._under_way.append(_Piece(sequence, end, encoded_bytes))
        self._bytes += encoded_bytes
        self.position = end

    def answered(self, sequence: int, wanted: int) -> None:
        """Note an answer: the device wants position `wanted` after the piece `sequence`."""
        piece = None
        while self._under_way and _since(sequence, self._under_way[0].sequence) >= 0:
            piece = self._under_way.popleft()
            self._bytes -= piece.encoded_bytes
        if piece is None or piece.sequence != sequence:
            return  # settled already
        self.taken = max(self.taken, wanted)
        # Pieces that were under way when the transfer went back are all refused; only a piece
        # that was sent since tells of another loss.
        fresh = self._went_back is not None and _since(sequence, self._went_back) >= 0
        if self._resend and wanted < piece.end and fresh:
            self._go_back()

    def drained(self) -> None:
        """Note that nothing is under way any more: the device has answered something newer."""
        self._under_way.clear()
        self._bytes = 0
        if not self._resend:
            self.taken = self.position
        elif self.taken < self.position:
            self._go_back()

    def _go_back(self) -> None:
        self.position = self.taken
        self._went_back = None


def _since(sequence: int, other: int) -> int:
    """How far `sequence` is after `other`, in serial number arithmetic (RFC 1982)."""
    return (sequence - other + 0x8000) % 0x10000 - 0x8000
