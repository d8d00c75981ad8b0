"""Samples on their way to a device: an array, or pieces as they come, at their own pace."""

import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.int16]

_KEPT = 4096  # samples that the device has already, let go of together


class Samples:
    """Samples by their number, kept until the device has them.

    Parameters
    ----------
    samples
        int16, shape (n, channels), or an iterable of such pieces.
    check
        Raises where an array is not what the device takes.
    pace
        Samples a second that become due; None: all at once.
    quantum
        Samples that are sent together where there is a pace: few make the line's overhead large,
        many wait for one another.

    Attributes
    ----------
    end : int
        One past the last sample that has come.
    exhausted : bool
        No more will come.
    """

    def __init__(
        self,
        samples: Array | Iterable[Array],
        check: Callable[[Array], None],
        pace: float | None,
        quantum: int,
    ) -> None:
        pieces: Iterable[Array] = [samples] if isinstance(samples, np.ndarray) else samples
        self._pieces: Iterator[Array] = iter(pieces)
        self._check = check
        self._pace = pace
        self._quantum = quantum
        self._started = time.monotonic()
        self._first = 0  # number of the first sample in `_held`
        self._held: Array | None = None
        self.end = 0
        self.exhausted = False
        self._pull()

    def _pull(self) -> None:
        for piece in self._pieces:
            self._check(piece)
            self._held = piece if self._held is None else np.concatenate((self._held, piece))
            self.end += len(piece)
            if len(piece):
                return
        self.exhausted = True

    def piece(self, first: int, most: int) -> Array:
        """At most `most` samples from number `first` on that have come and are due."""
        while first >= self.end and not self.exhausted:
            self._pull()
        if self._held is None:
            return np.empty((0, 0), np.int16)
        end = min(first + most, self.end)
        if self._pace is not None:
            due = int((time.monotonic() - self._started) * self._pace)
            if due < min(first + self._quantum, end):
                end = first
            end = min(end, due)
        return self._held[first - self._first : max(first, end) - self._first]

    def due_in(self, first: int) -> float | None:
        """Seconds until samples from `first` on are sent; None where none are waited for."""
        if self._pace is None or first >= self.end:
            return None
        last = min(first + self._quantum, self.end)
        return last / self._pace - (time.monotonic() - self._started)

    def forget(self, before: int) -> None:
        """Let go of samples that the device has."""
        if self._held is not None and before - self._first >= _KEPT:
            self._held = self._held[before - self._first :]
            self._first = before
