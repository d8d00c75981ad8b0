"""Samples on their way to a device: an array, or pieces as they arrive, at their own pace."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.int16]

_RELEASE = 4096  # accepted samples that are released together


class SampleQueue:
    """Samples by their index, stored until the device has accepted them.

    Parameters
    ----------
    samples
        int16, shape (n, channels), or an iterable of such pieces.
    check
        Raises if an array is not what the device accepts.
    pace
        Samples per second that become due; None: all at once.
    quantum
        Samples to send together at a pace: few have more overhead, many wait longer.
    """

    def __init__(
        self,
        samples: Array | Iterable[Array],
        check: Callable[[Array], None],
        pace: float | None,
        quantum: int,
    ) -> None:
        whole = isinstance(samples, np.ndarray) or not isinstance(samples, Iterable)
        pieces: Iterable[Any] = [samples] if whole else samples
        self._pieces: Iterator[Any] = iter(pieces)
        self._check = check
        self._pace = pace
        self._quantum = quantum
        self._start = time.monotonic()
        self._first = 0  # index of the first stored sample
        self._stored: Array | None = None
        self.end = 0  # one past the last sample that has arrived
        self.exhausted = False  # no more samples will arrive
        self._pull()

    def append(self, samples: Array) -> None:
        """Add samples at the end."""
        self._check(samples)
        stored = self._stored
        self._stored = samples if stored is None else np.concatenate((stored, samples))
        self.end += len(samples)

    def _pull(self) -> None:
        for piece in self._pieces:
            self.append(piece)
            if len(piece):
                return
        self.exhausted = True

    def piece(self, first: int, most: int) -> Array:
        """At most `most` samples from index `first` on that have arrived and are due."""
        while first >= self.end and not self.exhausted:
            self._pull()
        if self._stored is None:
            return np.empty((0, 0), np.int16)
        end = min(first + most, self.end)
        if self._pace is not None:
            due = int((time.monotonic() - self._start) * self._pace)
            if due < min(first + self._quantum, end):
                end = first
            end = min(end, due)
        return self._stored[first - self._first : max(first, end) - self._first]

    def due_in(self, first: int) -> float | None:
        """Seconds until samples from `first` on are due; None if none are awaited."""
        if self._pace is None or first >= self.end:
            return None
        last = min(first + self._quantum, self.end)
        return last / self._pace - (time.monotonic() - self._start)

    def release(self, before: int) -> None:
        """Drop samples that the device has accepted."""
        if self._stored is not None and before - self._first >= _RELEASE:
            self._stored = self._stored[before - self._first :]
            self._first = before
