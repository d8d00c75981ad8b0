"""A device that stands alone, as a host sees it: its decisions, each with its signal."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.decision.outputs import Outputs
from edgebio.errors import EdgebioError
from edgebio.link.client import Client
from edgebio.link.observer import CounterRecord, SampleRecord
from edgebio.link.results import DecisionEvent, RestEvent
from edgebio.recordings import Recording
from edgebio.recordings.preprocessing import label_by_decisions
from edgebio.runtime.device_recording import recordings_of
from edgebio.runtime.session import Decision, decision_of
from edgebio.tflite.metadata import ModelMetadata

_SECONDS = 4.0  # of signal that a decision comes with


class LiveView:
    """Decisions of a device that stands alone.

    Parameters
    ----------
    device
        The device.
    metadata, outputs
        Of its model.
    keeps
        Whether all samples are stored, for `recordings`.
    write
        Called with the samples that each decision labels, its class, and whether samples were lost
        before them.

    Attributes
    ----------
    decisions, lost_records : int
        Decisions that arrived, and records that did not.
    rests : dict of str to int
        Rests without a segment, by reason.
    """

    def __init__(
        self,
        device: Client,
        metadata: ModelMetadata,
        outputs: Outputs,
        *,
        keeps: bool = False,
        write: Callable[[npt.NDArray[np.int16], int, bool], None] | None = None,
    ) -> None:
        if not device.description.standalone:
            raise EdgebioError(
                f"the device on {device.url} does not stand alone: give a RECORDING to stream, or "
                "build its image with --standalone"
            )
        self.decisions = self.lost_records = 0
        self.rests: dict[str, int] = {}
        self._device = device
        self._metadata = metadata
        self._outputs = outputs
        self._keeps = keeps
        self._write = write
        self._unwritten: deque[SampleRecord] = deque()
        self._written = 0  # one past the last frame that was written
        self._counters: CounterRecord | None = None
        self._pieces: list[SampleRecord] = []
        self._events: list[DecisionEvent] = []
        self._first = 0  # number of the first frame of `_window`
        self._window: npt.NDArray[np.int16] = np.empty((0, metadata.frontend.channels), np.int16)

    def run(self, most: int | None = None) -> Iterator[tuple[Recording | None, Decision]]:
        """Yield decisions as they arrive, at most so many.

        The recording ends with the segment of the decision, whose event counts within it; None
        where samples are missing.
        """
        with self._device.watch("signals", "decisions", "counters") as observer:
            for record in observer:
                self.lost_records = observer.lost_records
                if isinstance(record, SampleRecord):
                    self._add(record)
                elif isinstance(record, CounterRecord):
                    self._counters = record
                elif isinstance(record, RestEvent):
                    self.rests[record.reason] = self.rests.get(record.reason, 0) + 1
                elif isinstance(record, DecisionEvent):
                    self.decisions += 1
                    if self._keeps:
                        self._events.append(record)
                    self._write_until(record)
                    yield self._signal(record)
                    if self.decisions == most:
                        return

    @property
    def behind_s(self) -> float:
        """Seconds since the oldest sample that waits in the device."""
        return 0.0 if self._counters is None else self._counters.oldest_us / 1e6

    def counters(self) -> dict[str, int]:
        """Counters of the device and of the line, by name."""
        counters = self._counters
        own = {"records lost": self.lost_records}
        if counters is None:
            return own
        return {
            "frames": counters.frames,
            "frames lost": counters.lost,
            "oldest sample, us": counters.oldest_us,
            **own,
        }

    def recordings(self) -> list[Recording]:
        """Everything that was sampled, labeled with the decisions; see `label_by_decisions`."""
        classes = self._metadata.classes
        result, first = [], 0
        recordings = recordings_of(
            self._pieces, self._metadata.frontend.rate, classes=classes, source=self._device.url
        )
        starts = [p.first for i, p in enumerate(self._pieces) if i == 0 or self._is_gap(i)]
        for recording, first in zip(recordings, starts, strict=True):
            last = first + len(recording.samples)
            ends = [(e.end - first, e.decision) for e in self._events if first < e.end <= last]
            labeled = label_by_decisions(recording, ends, classes)
            if len(labeled.samples):
                result.append(labeled)
        return result

    def document(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "windows": self.decisions,
            "rests": self.rests,
            "counters": self.counters(),
        }

    def _write_until(self, event: DecisionEvent) -> None:
        """Write the samples up to the end of a decision's segment."""
        while self._write and self._unwritten and self._unwritten[0].first < event.end:
            piece = self._unwritten.popleft()
            count = min(event.end - piece.first, len(piece.samples))
            self._write(piece.samples[:count], event.decision, piece.first != self._written)
            self._written = piece.first + count
            if count < len(piece.samples):
                rest = replace(piece, first=self._written, samples=piece.samples[count:])
                self._unwritten.appendleft(rest)

    def _is_gap(self, index: int) -> bool:
        before = self._pieces[index - 1]
        return self._pieces[index].first != before.first + len(before.samples)

    def _add(self, record: SampleRecord) -> None:
        if self._keeps:
            self._pieces.append(record)
        if self._write is not None:
            self._unwritten.append(record)
        if record.first != self._first + len(self._window):
            self._first, self._window = record.first, record.samples
            return
        spec = self._metadata.frontend
        most = int(_SECONDS * spec.rate) + spec.segment_length
        joined = np.concatenate([self._window, record.samples])
        self._first += max(0, len(joined) - most)
        self._window = joined[-most:]

    def _signal(self, event: DecisionEvent) -> tuple[Recording | None, Decision]:
        spec, classes = self._metadata.frontend, self._metadata.classes
        decision = decision_of(event, spec.rate, classes, self._outputs)
        end = event.end - self._first
        if not spec.segment_length <= end <= len(self._window):
            return None, decision
        signal = Recording.from_array(self._window[:end], spec.rate)
        local = DecisionEvent(**vars(event) | {"end": end})
        return signal, Decision(decision.time_s, decision.name, decision.probability, local)
