"""One stream: samples to the device, decisions back, none of them lost."""

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from edgebio.errors import DeviceError
from edgebio.link import packing
from edgebio.link.connection import Connection, ignore
from edgebio.link.errors import DeviceRestartedError, ProtocolError, RefusedError
from edgebio.link.frames import Frame
from edgebio.link.messages import ANSWER, CODES, MESSAGES
from edgebio.link.results import DecisionEvent, Description, RestEvent
from edgebio.link.sample_queue import SampleQueue

OnGap = Literal["wait", "restart"]


class Stream:
    """A stream, open during a ``with`` statement; for the parameters see `Client.stream`."""

    def __init__(
        self,
        connection: Connection,
        description: Description,
        queue: SampleQueue,
        on_gap: OnGap,
        real_time: bool,
        on_rest: Callable[[RestEvent], None] | None,
    ) -> None:
        self._connection = connection
        self._description = description
        self._queue = queue
        self._on_gap = on_gap
        self._real_time = real_time
        self._on_rest = on_rest
        self._pipeline = connection.pipeline(resend=on_gap == "wait")
        self._decisions = 0  # of the device so far
        self._next = 0  # index of the decision to yield next
        self._arrived: dict[int, DecisionEvent] = {}

    def __enter__(self) -> Self:
        connection, on_gap = self._connection, CODES["on_gap"][self._on_gap]
        connection.on_frame = self._handle
        connection.streaming = True
        try:
            connection.request("stream_start", on_gap=on_gap, real_time=int(self._real_time))
        except BaseException:
            connection.on_frame = ignore
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        connection = self._connection
        connection.on_frame = ignore
        if kind is not None:
            if not issubclass(kind, DeviceError):
                with contextlib.suppress(DeviceError):  # the port may be closed already
                    connection.stop_stream()
            return
        end = connection.stop_stream()
        if end and self._on_gap == "wait" and end["decisions"] != self._next:
            raise ProtocolError(
                f"{connection.url}: {self._next} of {end['decisions']} decisions arrived"
            )

    def run(self) -> Generator[DecisionEvent, None, None]:
        """Open the stream, send the samples of the queue and yield the decisions."""
        with self:
            yield from self.decisions()

    def feed(self, samples: npt.NDArray[np.int16]) -> list[DecisionEvent]:
        """Send samples, shape (n, channels); return the decisions that they complete."""
        self._queue.append(samples)
        return list(self.decisions())

    def decisions(self) -> Iterator[DecisionEvent]:
        """Send the samples of the queue and yield the decisions, in order, none missing."""
        connection = self._connection
        quiet_since = time.monotonic()
        while not self._complete():
            self._send()
            if connection.receive(self._wait_seconds(), self._handle):
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= connection.retry_after:
                quiet_since = time.monotonic()
                connection.drain(self._pipeline, self._handle)
            while self._next < self._decisions or self._arrived:
                if self._next not in self._arrived:
                    recalled = connection.request("stream_recall", index=self._next)
                    self._arrived[self._next] = DecisionEvent.of(recalled)
                self._next += 1
                yield self._arrived.pop(self._next - 1)
            connection.check_progress(self._pipeline, "stream")

    def _complete(self) -> bool:
        if self._on_gap == "wait":
            arrived = self._pipeline.accepted >= self._queue.end
        else:
            arrived = self._pipeline.position >= self._queue.end and self._pipeline.idle
        return self._queue.exhausted and arrived and self._next >= self._decisions

    def _wait_seconds(self) -> float:
        """Seconds to wait for frames: until samples are due, if nothing else is."""
        due = self._queue.due_in(self._pipeline.position)
        retry = self._connection.retry_after
        return retry if due is None else min(retry, max(due, 0.001))

    def _send(self) -> None:
        pipeline, description = self._pipeline, self._description
        channels, step, slots = description.channels, description.step, description.decision_slots
        room = self._connection.piece_bytes("stream_samples", 2 * channels)
        while True:
            first = pipeline.position
            # So many samples cannot cause more decisions than the device has free slots.
            free = slots - 1 - (self._decisions - self._next)
            allowed = free * step - (first - pipeline.accepted) - 1
            piece = self._queue.piece(first, min(room // channels, allowed))  # at 8 bits a value
            bits = packing.bit_width(piece)
            piece = piece[: room * 8 // (bits * channels)]
            if not len(piece) or not self._connection.send_piece(
                "stream_samples", pipeline, first + len(piece), first=first, received=self._next,
                count=len(piece), bits=bits, packed=packing.pack(piece, bits),
            ):  # fmt: skip
                return

    def _handle(self, frame: Frame) -> None:
        connection = self._connection
        if frame.kind == MESSAGES["stream_samples"].kind | ANSWER:
            answer = connection.unpack("stream_samples", frame)
            self._pipeline.acknowledge(frame.sequence, answer["next_sample"])
            self._queue.release(self._pipeline.accepted)
            self._decisions = max(self._decisions, answer["decisions"])
        elif frame.kind == MESSAGES["decision"].kind:
            event = DecisionEvent.of(connection.unpack("decision", frame))
            if event.index >= self._next:
                self._arrived[event.index] = event
        elif frame.kind == MESSAGES["rest"].kind:
            if self._on_rest:
                self._on_rest(RestEvent.of(connection.unpack("rest", frame)))
        elif frame.kind == MESSAGES["error"].kind and self._pipeline.contains(frame.sequence):
            self._raise_refusal(frame)

    def _raise_refusal(self, frame: Frame) -> None:
        try:
            self._connection.raise_refusal(frame)
        except RefusedError as error:
            if error.code != "idle":
                raise
            # A device that is about to restart has closed its stream, but not yet its session.
            raise DeviceRestartedError(
                f"{self._connection.url}: the device closed the stream: it restarted in the middle "
                "of work"
            ) from None
