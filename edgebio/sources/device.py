"""``device:///dev/ttyACM0``: a board with an image of edgebio that samples by itself."""

import time

from edgebio.errors import DeviceError, EdgebioError
from edgebio.link.client import Client
from edgebio.link.observer import MarkRecord, Observer, SampleRecord
from edgebio.sources.source import Chunk, Marker, Source, SourceDescription, SourceError
from edgebio.sources.timeline import Timeline
from edgebio.sources.url import SourceUrl

_LABELS = 1 << 8
_SILENCE = 0.5  # seconds without a record after which the board is asked whether it is there


class DeviceSource(Source):
    """The samples of a board as its front end takes them; the board counts what is lost.

    A cue is marked by the board itself, between two samples.

    Options: ``baud`` (921600), ``units`` of one count.
    """

    def __init__(self, url: SourceUrl) -> None:
        url.check_options("baud", "units")
        self._url = url
        self._baud = url.integer("baud", 921_600)
        self._client: Client | None = None
        self._observer: Observer | None = None

    def open(self) -> None:  # noqa: D102
        try:
            self._client = Client(self._url.place or "usb", baud=self._baud)
            known, identity = self._client.description, self._client.identify()
            if not known.standalone:
                raise SourceError(
                    f"{self._url.text}: the image on {identity.board} does not sample by itself; "
                    "build it with edgebio build --standalone, and flash it"
                )
            self._observer = self._client.record()
            self._observer.__enter__()
        except DeviceError as error:
            self.close()
            raise SourceError(f"{self._url.text}: {error}") from None
        except BaseException:
            self.close()
            raise
        self.description = SourceDescription(
            self._url.text, f"{identity.board} on {self._client.url}", known.rate,
            tuple(f"channel {number + 1}" for number in range(known.channels)),
            self._url.options.get("units", "counts"),
        )  # fmt: skip
        self._timeline = Timeline(known.rate)
        self._names: list[str] = []
        self._origin: int | None = None
        self._end, self._arrival = 0, time.monotonic()
        self._marks: list[MarkRecord] = []
        self._leads_off = 0

    def close(self) -> None:  # noqa: D102
        if self._client is not None:
            self._client.close()
            self._client = self._observer = None

    def cue(self, name: str, moment: float) -> None:  # noqa: D102
        assert self._client is not None
        if name not in self._names:
            self._names.append(name)
        if len(self._names) > _LABELS:
            raise EdgebioError(f"{self._url.text}: a board marks at most {_LABELS} names")
        try:
            self._client.cue(self._names.index(name))
        except DeviceError as error:
            raise SourceError(f"{self._url.text}: {error}") from None

    def read(self, seconds: float) -> list[Chunk]:  # noqa: D102
        assert self._observer is not None
        assert self._client is not None
        try:
            records = self._observer.poll(seconds)
            now = time.monotonic()
            if records:
                self._arrival = now
            elif now - self._arrival > _SILENCE:
                self._client.ping()
                self._arrival = now
        except DeviceError as error:
            raise SourceError(f"{self._url.text}: {error}") from None
        chunks: list[Chunk] = []
        for record in records:
            if isinstance(record, SampleRecord):
                chunks.append(self._chunk(record, now))
            elif isinstance(record, MarkRecord):
                self._marks.append(record)
        return chunks

    def _chunk(self, record: SampleRecord, arrival: float) -> Chunk:
        if self._origin is None:
            self._origin = record.first
            self._end = 0
        first, gap = record.first - self._origin, ""
        if first < self._end:
            raise SourceError(f"{self._url.text}: the board restarted")
        if first > self._end:
            gap = "the board lost samples"
        fallen = record.leads_off & ~self._leads_off
        self._leads_off = record.leads_off
        if fallen:
            numbers = [str(bit + 1) for bit in range(32) if fallen >> bit & 1]
            gap = gap or f"electrode off: channel {', '.join(numbers)}"
        times = self._timeline.times(first, len(record.samples), arrival)
        self._end = first + len(record.samples)
        markers = tuple(
            Marker(
                self._names[mark.label],
                float(times[0]) + (mark.next_frame - record.first) / self.description.rate,
            )
            for mark in self._marks
        )
        self._marks.clear()
        return Chunk(first, record.samples, times, gap, markers)
