"""A live source that is read in time, buffered, and opened again when it has disappeared."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from edgebio.errors import EdgebioError
from edgebio.sources.source import (
    Chunk,
    EndOfSourceError,
    Source,
    SourceDescription,
    SourceError,
)

_POLL = 0.02  # seconds
_STALL = 1.0  # seconds without samples that are told
_RETRY = 0.5  # seconds between two attempts to open a source again
_RATE_WINDOW = 5.0  # seconds in which the rate is measured
_RATE_TOLERANCE = 0.15


@dataclass(frozen=True)
class Gap:
    """Missing samples.

    Attributes
    ----------
    first
        Number of the sample after the gap.
    lost
        Samples that are missing, as far as it is known.
    reason
        Why.
    """

    first: int
    lost: int
    reason: str


class LiveStream:
    """Samples of a live source, numbered without a break, in a ``with`` statement.

    A thread reads the source all the time, so that a busy program loses nothing; what it does not
    take within `buffer_seconds` is dropped, oldest first, and counted as a gap. A source that
    disappears is opened again for `reconnect_seconds`.

    Parameters
    ----------
    source
        The source; this opens and closes it.
    reconnect_seconds, buffer_seconds
        See above.
    on_status
        Called in the reading thread with one line when a source stalls, disappears or returns.

    Attributes
    ----------
    gaps : list of Gap
        All gaps so far.
    status : str
        What is wrong at the moment; empty if nothing is.
    """

    def __init__(
        self,
        source: Source,
        *,
        reconnect_seconds: float = 60.0,
        buffer_seconds: float = 30.0,
        on_status: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.gaps: list[Gap] = []
        self.status = ""
        self._source = source
        self._reconnect_seconds = reconnect_seconds
        self._buffer_seconds = buffer_seconds
        self._on_status = on_status
        self._chunks: deque[Chunk] = deque()
        self._buffered = 0
        self._cues: deque[tuple[str, float]] = deque()
        self._ready = threading.Condition()
        self._closing = threading.Event()
        self._error: EdgebioError | None = None
        self._offset = 0  # of this stream's numbers from those of the source
        self._end = 0
        self._delivered = 0
        self._dropped = ""

    def __enter__(self) -> Self:
        self._source.open()
        self.description: SourceDescription = self._source.description
        self._thread = threading.Thread(target=self._run, name="live source", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._closing.set()
        self._thread.join()
        self._source.close()

    @property
    def lost(self) -> int:
        """Samples that are missing so far."""
        return sum(gap.lost for gap in self.gaps)

    def cue(self, name: str) -> float:
        """Tell the source what the subject is asked to do from now on; returns the time."""
        now = time.monotonic()
        self._cues.append((name, now))
        return now

    def read(self, seconds: float) -> list[Chunk]:
        """All chunks that have arrived, waiting up to `seconds` for the first.

        Raises
        ------
        SourceError
            If the source did not come back, or has ended (`EndOfSourceError`); everything that
            arrived before was returned.
        """
        with self._ready:
            self._ready.wait_for(lambda: self._chunks or self._error, seconds)
            chunks = list(self._chunks)
            self._chunks.clear()
            self._buffered = 0
            if not chunks and self._error is not None:
                raise self._error
        return [self._number(chunk) for chunk in chunks]

    def _number(self, chunk: Chunk) -> Chunk:
        """Count the gap before a chunk that is given out."""
        lost = chunk.first - self._delivered
        if lost or chunk.gap:
            reason = chunk.gap or "the program fell behind"
            self.gaps.append(Gap(chunk.first, max(0, lost), reason))
            chunk = replace(chunk, gap=reason)
        self._delivered = chunk.end
        return chunk

    def _run(self) -> None:
        try:
            self._read_all()
        except EdgebioError as error:
            self._fail(error)
        except Exception as error:  # a driver's own: raised by `read`
            text = str(error) or type(error).__name__
            self._fail(SourceError(f"{self.description.url}: {text}"))

    def _read_all(self) -> None:
        last = time.monotonic()
        window = deque([(last, 0)])
        received = 0
        while not self._closing.is_set():
            while self._cues:
                self._source.cue(*self._cues.popleft())
            try:
                chunks = self._source.read(_POLL)
            except EndOfSourceError:
                raise
            except SourceError as error:
                self._reopen(error, last)
                last = time.monotonic()
                window.clear()
                window.append((last, received))
                continue
            now = time.monotonic()
            if not chunks:
                if now - last > _STALL:
                    self._tell(f"{self.description.name}: no samples for {now - last:.0f} s")
                    window.clear()
                    window.append((now, received))
                continue
            if self.status:
                self._tell("")
                window.clear()
                window.append((now, received))
            last = now
            for chunk in chunks:
                received += len(chunk.samples)
                if chunk.gap:
                    window.clear()
                    window.append((now, received))
                self._add(replace(chunk, first=chunk.first + self._offset))
            self._check_rate(window, now, received)

    def _check_rate(self, window: deque[tuple[float, int]], now: float, received: int) -> None:
        """Refuse to go on where samples arrive at another rate than the source stated."""
        start, before = window[0]
        if now - start < _RATE_WINDOW or not self._source.paced:
            return
        rate = (received - before) / (now - start)
        window.clear()
        window.append((now, received))
        if abs(rate / self.description.rate - 1) > _RATE_TOLERANCE:
            raise SourceError(
                f"{self.description.url}: {rate:.4g} samples arrive in a second, not "
                f"{self.description.rate:g}: the source changed its rate, or loses samples"
            )

    def _reopen(self, error: SourceError, last: float) -> None:
        """Open a source again that has disappeared."""
        self._tell(f"{error}; waiting for it")
        gone = time.monotonic()
        while True:
            with contextlib.suppress(Exception):
                self._source.close()
            if self._closing.wait(_RETRY):
                return
            try:
                self._source.open()
                break
            except EdgebioError:
                if time.monotonic() - gone > self._reconnect_seconds:
                    raise SourceError(
                        f"{error}; it did not come back within {self._reconnect_seconds:g} s"
                    ) from None
        known, new = self.description, self._source.description
        if (known.rate, known.channels, known.units) != (new.rate, new.channels, new.units):
            raise SourceError(
                f"{known.url}: came back with {new.channels} channels at {new.rate:g} Hz in "
                f"{new.units}, not {known.channels} at {known.rate:g} Hz in {known.units}"
            )
        away = time.monotonic() - last
        lost = round(away * known.rate)
        self._offset = self._end + lost
        self._dropped = f"the source was gone for {away:.1f} s"
        self._tell("")

    def _tell(self, text: str) -> None:
        if bool(text) != bool(self.status) or (text and text != self.status):
            self.status = text
            self._on_status(text or f"{self.description.name}: samples arrive again")

    def _add(self, chunk: Chunk) -> None:
        if self._dropped:
            chunk = replace(chunk, gap=self._dropped)
            self._dropped = ""
        self._end = chunk.end
        most = self._buffer_seconds * self.description.rate
        with self._ready:
            self._chunks.append(chunk)
            self._buffered += len(chunk.samples)
            while self._buffered > most and len(self._chunks) > 1:
                self._buffered -= len(self._chunks.popleft().samples)
            self._ready.notify()

    def _fail(self, error: EdgebioError) -> None:
        with self._ready:
            self._error = error
            self._ready.notify()
