"""What a device that stands alone lets a host see: records of its work, as typed values."""

import time
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from edgebio.link.connection import Connection, ignore
from edgebio.link.frames import Frame
from edgebio.link.messages import CODES, MESSAGES
from edgebio.link.results import DecisionEvent, Description, RestEvent

Watched = Literal["signals", "images", "decisions", "counters"]


@dataclass(frozen=True, eq=False)
class SampleRecord:
    """Consecutive sample frames.

    Attributes
    ----------
    first : int
        Number of the first frame; those of lost frames are skipped.
    time_us : int
        Device time at its trigger, modulo 2^32.
    leads_off : int
        Bit c: the electrode of channel c is off.
    samples
        int16, shape (frames, channels): counts as the front end takes them.
    """

    first: int
    time_us: int
    leads_off: int
    samples: npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class ImageRecord:
    """The image of decision number `index`: int8, shape (input bytes,)."""

    index: int
    image: npt.NDArray[np.int8]


@dataclass(frozen=True)
class CounterRecord:
    """Counters of the device since its start."""

    number: int
    time_us: int
    frames: int
    lost: int
    decisions: int
    dropped: int
    slowest_us: int
    oldest_us: int


@dataclass(frozen=True)
class MarkRecord:
    """A cue of the host: its label, device time, and the number of the next sample frame."""

    label: int
    time_us: int
    next_frame: int


ObservedRecord = SampleRecord | ImageRecord | CounterRecord | MarkRecord | DecisionEvent | RestEvent


class Observer:
    """An iterator over records, open during a ``with`` statement; see `Client.watch`.

    Attributes
    ----------
    start_us, start_frame : int
        Device time and number of the next sample frame when it was opened.
    lost_records : int
        Records that did not arrive: the device dropped them, or the line lost them. Decisions and
        rests are not counted; the former have their own numbers.
    """

    def __init__(
        self,
        connection: Connection,
        description: Description,
        watched: Collection[Watched],
        *,
        recording: bool,
    ) -> None:
        self.start_us = self.start_frame = self.lost_records = 0
        self._connection = connection
        self._description = description
        self._mask = sum(CODES["watch"][name] for name in {*watched})
        self._recording = recording
        self._arrived: deque[ObservedRecord] = deque()
        self._next_record = 0
        self._pieces: dict[int, bytes] = {}  # of the image of a decision
        self._piece_index = -1

    def __enter__(self) -> Self:
        connection = self._connection
        connection.on_frame = self._handle
        try:
            if self._recording:
                opened = connection.request("record", on=1)
            if self._mask or not self._recording:
                opened = connection.request("watch", records=self._mask)
        except BaseException:
            connection.on_frame = ignore
            raise
        self.start_us, self.start_frame = opened["time_us"], opened["next_frame"]
        self._next_record = max(self._next_record, opened["next_record"])
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.stop()
        self._connection.on_frame = ignore

    def stop(self) -> None:
        """End the records; what has arrived can still be taken."""
        if self._recording:
            self._connection.request("record", on=0)
        self._connection.request("watch", records=0)

    def __iter__(self) -> Iterator[ObservedRecord]:
        """Yield records for ever; a device that has gone or has restarted is a `DeviceError`."""
        while True:
            yield from self.poll(self._connection.retry_after)
            if not self._arrived:
                self._connection.ping()

    def poll(self, seconds: float = 0.0) -> list[ObservedRecord]:
        """Records that have arrived, waiting up to `seconds` for the first one."""
        deadline = time.monotonic() + seconds
        while True:
            left = max(0.0, deadline - time.monotonic())
            self._connection.receive(left, self._handle)
            if self._arrived or not left:
                records = list(self._arrived)
                self._arrived.clear()
                return records

    def _handle(self, frame: Frame) -> None:
        unpack, kinds = self._connection.unpack, MESSAGES
        if frame.kind == kinds["decision"].kind:
            self._arrived.append(DecisionEvent.of(unpack("decision", frame)))
        elif frame.kind == kinds["rest"].kind:
            self._arrived.append(RestEvent.of(unpack("rest", frame)))
        elif frame.kind == kinds["samples"].kind:
            values = unpack("samples", frame)
            self._count(values["number"])
            channels = self._description.channels
            samples = np.frombuffer(values["values"], "<i2").astype(np.int16)
            self._arrived.append(
                SampleRecord(
                    values["first"], values["time_us"], values["leads_off"],
                    samples.reshape(-1, channels),
                )
            )  # fmt: skip
        elif frame.kind == kinds["image_piece"].kind:
            self._add_piece(**unpack("image_piece", frame))
        elif frame.kind == kinds["counters"].kind:
            values = unpack("counters", frame)
            self._count(values["number"])
            self._arrived.append(CounterRecord(**values))
        elif frame.kind == kinds["mark"].kind:
            values = unpack("mark", frame)
            self._count(values.pop("number"))
            self._arrived.append(MarkRecord(**values))

    def _count(self, number: int) -> None:
        self.lost_records += number - self._next_record if self._next_record < number else 0
        self._next_record = max(self._next_record, number + 1)

    def _add_piece(self, number: int, index: int, offset: int, data: bytes) -> None:
        self._count(number)
        if index != self._piece_index:
            self._piece_index, self._pieces = index, {}
        self._pieces[offset] = data
        image = b"".join(self._pieces[at] for at in sorted(self._pieces))
        if len(image) == self._description.input_bytes:
            self._arrived.append(ImageRecord(index, np.frombuffer(image, np.int8)))
