"""``replay://FILE``: recordings of a file or a data set, played at their own pace."""

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.datasets.selection import select
from edgebio.decision.spec import REST_NAMES
from edgebio.errors import EdgebioError
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELED
from edgebio.sources.source import Chunk, EndOfSourceError, Marker, Source, SourceDescription
from edgebio.sources.url import SourceUrl

QUIET_NAMES = (*REST_NAMES, "no movement", "no gesture")
"""Names that a data set may give to a quiet hand; a cue for one is a cue for any."""

_CHUNK = 0.01  # seconds


class ReplaySource(Source):
    """Recordings end to end, each sample when it is due.

    A cue for one of the classes continues with the next recording of that class, ``delay`` seconds
    later, as a subject who follows the prompts; without cues they are played in their order.

    Options: ``rate`` of a file that does not state it, ``speed`` (0: all at once), ``loop`` (0: end
    after the last recording), ``delay`` in seconds after a cue.
    """

    def __init__(self, url: SourceUrl, data: Path | None = None) -> None:
        url.check_options("rate", "speed", "loop", "delay")
        if not url.place:
            raise EdgebioError(f"source {url.text!r}: name a file, or a data set and a subject")
        self._url = url
        self._speed = url.number("speed", 1.0, above=False) or 0.0
        self.paced = self._speed == 1
        self._loop = url.integer("loop", 1, least=0, most=1)
        self._delay = url.number("delay", 0.0, above=False) or 0.0
        self._recordings = select(url.place, data, url.number("rate"))
        self._classes = _classes(self._recordings)

    def open(self) -> None:  # noqa: D102
        first = self._recordings[0]
        self.description = SourceDescription(
            self._url.text, f"replay of {self._url.place}", first.rate,
            tuple(f"channel {number + 1}" for number in range(first.channels)), first.units,
            notes=(f"{len(self._recordings)} recordings, "
                   f"{sum(each.seconds for each in self._recordings):.0f} s",),
        )  # fmt: skip
        self._start = time.monotonic()
        self._sent = 0
        self._cues: list[tuple[float, str]] = []
        self._class = ""
        self._cursors: dict[str, int] = {}
        self._recording, self._position = self._recordings[0], 0
        self._marker = True

    def close(self) -> None:  # noqa: D102
        pass

    def cue(self, name: str, time: float) -> None:  # noqa: D102
        wanted = QUIET_NAMES if name in QUIET_NAMES else (name,)
        for known in self._classes:
            if known in wanted:
                self._cues.append((time + self._delay, known))

    def read(self, seconds: float) -> list[Chunk]:  # noqa: D102
        rate = self.description.rate
        if not self._speed:
            return [self._chunk(self._sent + int(_CHUNK * rate) + 1)]
        pace = rate * self._speed
        least = self._start + (self._sent + _CHUNK * rate) / pace
        time.sleep(max(0.0, min(seconds, least - time.monotonic())))
        due = int((time.monotonic() - self._start) * pace)
        chunks = []
        while self._sent < due:
            chunks.append(self._chunk(due))
        return chunks

    def _chunk(self, due: int) -> Chunk:
        """Return samples up to number `due`, at most to the end of a recording or the next cue."""
        pace = self.description.rate * (self._speed or 1.0)
        while self._cues and self._start + self._sent / pace >= self._cues[0][0]:
            self._class = self._cues.pop(0)[1]
            self._next()
        if self._position == len(self._recording.samples):
            self._next()
        count = min(due - self._sent, len(self._recording.samples) - self._position)
        if self._cues:
            until = int((self._cues[0][0] - self._start) * pace) + 1 - self._sent
            count = min(count, max(1, until))
        times = self._start + np.arange(self._sent, self._sent + count) / pace
        samples = self._recording.samples[self._position : self._position + count]
        markers: tuple[Marker, ...] = ()
        if self._marker and (name := only_class(self._recording)):
            markers = (Marker(name, float(times[0])),)
        self._marker = False
        chunk = Chunk(self._sent, samples, times, markers=markers)
        self._position += count
        self._sent += count
        return chunk

    def _next(self) -> None:
        """Go to the next recording: of the class of the last cue, if there was one."""
        numbers: list[int] = self._classes[self._class]
        cursor = self._cursors.get(self._class, -1 if self._class else 0) + 1
        if cursor >= len(numbers) and not self._loop:
            raise EndOfSourceError(f"{self._url.text}: played to its end")
        self._cursors[self._class] = cursor % len(numbers)
        self._recording = self._recordings[numbers[cursor % len(numbers)]]
        labeled = np.flatnonzero(self._recording.labels != UNLABELED)
        self._position = int(labeled[0]) if self._class else 0  # what comes before is not the class
        self._marker = True


def only_class(recording: Recording) -> str:
    """Class of the labeled samples of a recording; empty where they have several or none."""
    present: npt.NDArray[np.int16] = np.unique(recording.labels[recording.labels != UNLABELED])
    return recording.classes[int(present[0])] if len(present) == 1 else ""


def _classes(recordings: list[Recording]) -> dict[str, list[int]]:
    """Numbers of the recordings of each class; all of them under the empty name."""
    numbers: dict[str, list[int]] = {"": list(range(len(recordings)))}
    for number, recording in enumerate(recordings):
        if name := only_class(recording):
            numbers.setdefault(name, []).append(number)
    return numbers
