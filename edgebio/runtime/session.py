"""Samples streamed to a device, and its decisions in the terms of the model."""

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edgebio.decision.outputs import Outputs, constants
from edgebio.decision.spec import REJECTED, REST, DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.link.client import Client
from edgebio.link.results import DecisionEvent, RestEvent, Settings
from edgebio.link.stream import Stream
from edgebio.recordings import Recording
from edgebio.tflite.metadata import read_metadata


@dataclass(frozen=True, eq=False)
class Decision:
    """One decision of a device.

    Attributes
    ----------
    time_s : float
        End of the segment, in seconds from the start of the recording or stream.
    name : str
        Class, ``"rest"`` or ``"rejected"``.
    probability : float or None
        Probability of that class (if rejected, of the likeliest one); None without the model.
    event : DecisionEvent
        The decision as the device sent it.
    latency_s : float or None
        In real time, time from when the last sample was due until the decision arrived.
    source : str
        Source of the recording; empty for an array.
    """

    time_s: float
    name: str
    probability: float | None
    event: DecisionEvent
    latency_s: float | None = None
    source: str = ""

    @property
    def outputs(self) -> npt.NDArray[np.int8]:
        """Outputs of the network: int8, shape (classes,)."""
        return self.event.logits


@dataclass(frozen=True)
class Delay:
    """Delay of a decision in ms: segment + step x votes + compute (median run time of it all)."""

    segment: float
    step: float
    votes: int
    compute: float

    @property
    def total(self) -> float:
        """Sum of the delay."""
        return self.segment + self.step * self.votes + self.compute

    def __str__(self) -> str:
        return (
            f"delay: segment {self.segment:g} + {self.votes} x {self.step:g} + compute "
            f"{self.compute:.1f} = {self.total:.0f} ms"
        )

    def document(self) -> dict[str, float]:
        """JSON form."""
        parts = {"window": self.segment, "step": self.step, "votes": self.votes}
        return {**parts, "compute": self.compute, "total": self.total}


class Session:
    """Decisions of a device about recordings, or about samples that are fed piece by piece.

    Parameters
    ----------
    device
        The device, preferably a `Device` with its model.
    settings
        Settings of the decision instead of the model's; they need the model.
    on_rest
        Called with decisions that have no segment: rest at the start, after a gap or a time-out.

    Attributes
    ----------
    rests : dict of str to int
        Number of decisions without a segment, by reason.

    Examples
    --------
    >>> with Session(device) as session:  # doctest: +SKIP
    ...     for samples in source:
    ...         for decision in session.feed(samples):
    ...             print(decision.name)
    """

    def __init__(
        self,
        device: Client,
        settings: DecisionSettings | None = None,
        on_rest: Callable[[RestEvent], None] | None = None,
    ) -> None:
        self.device = device
        self.description = device.description
        self.metadata = read_metadata(device.graph) if device.graph else None
        self.rests: dict[str, int] = {}
        self._on_rest = on_rest
        self._compute_us: list[int] = []
        self._latencies: list[float] = []
        self._intervals_us: list[int] = []
        self._stream: Stream | None = None
        if self.description.standalone:
            raise EdgebioError(
                f"the device on {device.url} stands alone: it samples and decides by itself; watch "
                "it (edgebio monitor, Client.watch), or build its image without --standalone"
            )
        if not self.description.frontend:
            raise EdgebioError(
                f"the model on {device.url} has no front end: run it on its inputs instead "
                "(edgebio infer, Device.run_inputs)"
            )
        self._outputs = Outputs.from_graph(device.graph) if device.graph else None
        if settings:
            if self._outputs is None:
                raise EdgebioError("settings of the decision need the model of the device")
            device.configure(Settings.of(constants(settings, self._outputs)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.__exit__(*error)

    @property
    def rate(self) -> float:
        """Sampling rate that the device expects, in Hz."""
        return self.metadata.frontend.rate if self.metadata else self.description.rate

    def feed(self, samples: npt.NDArray[np.int16]) -> list[Decision]:
        """Send the next samples of a stream; return the decisions that they complete.

        `samples` are int16 counts, shape (n, channels), at the rate of the model. The end of the
        ``with`` statement ends the stream.
        """
        if self._stream is None:
            self._stream = self.device.open_stream(on_rest=self._count_rest).__enter__()
        return [self._decision(event, "", self.rate) for event in self._stream.feed(samples)]

    def classify(
        self, samples: Recording | npt.NDArray[np.int16], *, real_time: bool = False
    ) -> Generator[Decision, None, None]:
        """Stream a recording from reset and yield the decisions as they arrive.

        `samples` may also be int16 counts, shape (n, channels), at the rate of the model. They are
        sent as fast as the device accepts them, or at the rate of the recording (`real_time`).
        """
        source, rate = "", self.rate
        if isinstance(samples, Recording):
            check_recording(samples, rate, self.description.channels)
            source, rate, samples = samples.source, samples.rate, samples.samples
        pace = rate if real_time else None
        events = self.device.stream(samples, pace=pace, on_rest=self._count_rest)
        return self._decisions(events, source, rate, time.monotonic() if real_time else None)

    def _decisions(
        self, events: Iterable[DecisionEvent], source: str, rate: float, start: float | None
    ) -> Generator[Decision, None, None]:
        before: int | None = None
        for event in events:
            if before is not None:
                self._intervals_us.append((event.time_us - before) % (1 << 32))
            before = event.time_us
            latency = None if start is None else time.monotonic() - start - event.end / rate
            if latency is not None:
                self._latencies.append(latency)
            yield self._decision(event, source, rate, latency)

    def _decision(
        self, event: DecisionEvent, source: str, rate: float, latency: float | None = None
    ) -> Decision:
        self._compute_us.append(event.frontend_us + event.compute_us)
        classes = self.metadata.classes if self.metadata else ()
        return decision_of(event, rate, classes, self._outputs, latency, source)

    def _count_rest(self, event: RestEvent) -> None:
        self.rests[event.reason] = self.rests.get(event.reason, 0) + 1
        if self._on_rest:
            self._on_rest(event)

    @property
    def delay(self) -> Delay | None:
        """Delay of a decision as measured so far; None before the first one."""
        if not self._compute_us:
            return None
        period = 1000 / self.rate
        return Delay(
            segment=self.description.segment_length * period,
            step=self.description.step * period,
            votes=self.device.settings().votes,
            compute=float(np.median(self._compute_us)) / 1000,
        )

    def latency(self) -> dict[str, float] | None:
        """Percentiles of the latencies in milliseconds; None if none were measured."""
        if not self._latencies:
            return None
        return {name: round(1000 * x, 2) for name, x in percentiles(self._latencies).items()}

    def intervals(self) -> dict[str, float] | None:
        """Percentiles of the device's time from one decision to the next, in milliseconds.

        Of successive decisions of a recording; None where there were none.
        """
        if not self._intervals_us:
            return None
        return {name: round(x / 1000, 2) for name, x in percentiles(self._intervals_us).items()}

    def link_errors(self) -> dict[str, int]:
        """Errors of the link so far, counted at both ends."""
        statistics = self.device.statistics()
        return {
            "damaged": statistics.damaged_frames + self.device.damaged_frames,
            "repeated": statistics.repeated_requests,
            "overruns": statistics.overrun_bytes,
            "gaps": statistics.gaps,
        }


def decision_of(
    event: DecisionEvent,
    rate: float,
    classes: Sequence[str] = (),
    outputs: Outputs | None = None,
    latency: float | None = None,
    source: str = "",
) -> Decision:
    """Decision in the terms of the model, whose `classes` and `outputs` may be unknown."""
    number, probability = event.decision, None
    if number in (REJECTED, REST):
        name = "rejected" if number == REJECTED else "rest"
    else:
        name = classes[number] if number < len(classes) else f"class {number}"
    if outputs is not None:
        row = outputs.probabilities(event.logits[None])[0]
        probability = float(row[number] if number < len(row) else row.max())
    return Decision(event.end / rate, name, probability, event, latency, source)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile, and maximum."""
    shares = {"median": 50, "p95": 95, "p99": 99, "max": 100}
    return {name: float(np.percentile(values, share)) for name, share in shares.items()}


def check_recording(recording: Recording, rate: float, channels: int) -> None:
    """Raise `EdgebioError` unless a recording has the rate and channels of a model."""
    if recording.channels != channels or abs(recording.rate - rate) > 1e-3:
        raise EdgebioError(
            f"{recording.source}: {recording.channels} channels at {recording.rate:g} Hz; the "
            f"model takes {channels} channels at {rate:g} Hz"
        )
