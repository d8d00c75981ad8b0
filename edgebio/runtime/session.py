"""Samples streamed to a device, and its decisions in the terms of the model."""

import time
from collections.abc import Callable, Generator
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
        Probability of that class in this segment (if rejected, of the likeliest class); None
        without the model.
    event : DecisionEvent
        The decision as the device sent it.
    latency_s : float or None
        Time from when the last sample of the segment was due until the decision arrived; None if
        the samples were not sent in real time.
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
    """Delay of a decision in milliseconds: segment + step x votes + compute.

    Attributes
    ----------
    segment, step : float
        Length of a segment, and time between two decisions.
    votes : int
        Segments in the majority vote.
    compute : float
        Median run time of front end, network and decision.
    """

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
        return {
            "window": self.segment, "step": self.step, "votes": self.votes,
            "compute": self.compute, "total": self.total,
        }  # fmt: skip


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

    Raises
    ------
    EdgebioError
        If the device has no front end.

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
        self.rests: dict[str, int] = {}
        self._on_rest = on_rest
        self._compute_us: list[int] = []
        self._latencies: list[float] = []
        self._stream: Stream | None = None
        if not self.description.frontend:
            raise EdgebioError(
                f"the model on {device.url} has no front end: run it on its inputs instead "
                "(edgebio infer, Device.run_inputs)"
            )
        self.metadata = read_metadata(device.graph) if device.graph else None
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

        Parameters
        ----------
        samples
            int16 counts, shape (n, channels), at the rate of the model. The session, used in a
            ``with`` statement, ends the stream.
        """
        check_samples(samples, self.description.channels)
        if self._stream is None:
            self._stream = self.device.open_stream(on_rest=self._count_rest).__enter__()
        return [self._decision(event, "", self.rate) for event in self._stream.feed(samples)]

    def classify(
        self, samples: Recording | npt.NDArray[np.int16], *, real_time: bool = False
    ) -> Generator[Decision, None, None]:
        """Stream a recording from reset and yield the decisions as they arrive.

        Parameters
        ----------
        samples
            A recording, or int16 counts of shape (n, channels) at the rate of the model.
        real_time
            Send samples at the rate of the recording, not as fast as the device accepts them.
        """
        if isinstance(samples, Recording):
            check_recording(samples, self.rate, self.description.channels)
            return self._run(samples.samples, samples.source, samples.rate, real_time)
        check_samples(samples, self.description.channels)
        return self._run(samples, "", self.rate, real_time)

    def _run(
        self, samples: npt.NDArray[np.int16], source: str, rate: float, real_time: bool
    ) -> Generator[Decision, None, None]:
        pace = rate if real_time else None
        start = time.monotonic()
        for event in self.device.stream(samples, pace=pace, on_rest=self._count_rest):
            latency = time.monotonic() - start - event.end / rate if real_time else None
            yield self._decision(event, source, rate, latency)

    def _count_rest(self, event: RestEvent) -> None:
        self.rests[event.reason] = self.rests.get(event.reason, 0) + 1
        if self._on_rest:
            self._on_rest(event)

    def _decision(
        self, event: DecisionEvent, source: str, rate: float, latency: float | None = None
    ) -> Decision:
        self._compute_us.append(event.frontend_us + event.compute_us)
        if latency is not None:
            self._latencies.append(latency)
        if event.decision in (REJECTED, REST):
            name = "rejected" if event.decision == REJECTED else "rest"
        else:
            number = event.decision
            name = self.metadata.classes[number] if self.metadata else f"class {number}"
        probability = None
        if self._outputs is not None:
            row = self._outputs.probabilities(event.logits[None])[0]
            probability = float(row[event.decision] if event.decision < len(row) else row.max())
        return Decision(event.end / rate, name, probability, event, latency, source)

    @property
    def delay(self) -> Delay | None:
        """Delay of a decision as measured so far; None before the first one."""
        if not self._compute_us:
            return None
        return Delay(
            segment=self.description.segment_length / self.rate * 1000,
            step=self.description.step / self.rate * 1000,
            votes=self.device.settings().votes,
            compute=float(np.median(self._compute_us)) / 1000,
        )

    def latency(self) -> dict[str, float] | None:
        """Percentiles of the latencies in milliseconds; None if none were measured."""
        if not self._latencies:
            return None
        shares = {"median": 50, "p95": 95, "p99": 99, "max": 100}
        values = np.percentile(np.array(self._latencies) * 1000, list(shares.values()))
        return {name: round(float(value), 2) for name, value in zip(shares, values, strict=True)}

    def link_errors(self) -> dict[str, int]:
        """Errors of the link so far, counted at both ends."""
        statistics = self.device.statistics()
        return {
            "damaged": statistics.damaged_frames + self.device.damaged_frames,
            "repeated": statistics.repeated_requests,
            "overruns": statistics.overrun_bytes,
            "gaps": statistics.gaps,
        }


def check_samples(samples: npt.NDArray[np.int16], channels: int) -> None:
    """Raise `EdgebioError` unless `samples` are int16 of shape (n, channels)."""
    if not isinstance(samples, np.ndarray):
        raise EdgebioError(
            f"samples are a {type(samples).__name__}; expected a Recording or an int16 array of "
            f"shape (n, {channels})"
        )
    if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != channels:
        raise EdgebioError(
            f"samples are {samples.dtype} of shape {samples.shape}; expected int16 of shape "
            f"(n, {channels})"
        )


def check_recording(recording: Recording, rate: float, channels: int) -> None:
    """Raise `EdgebioError` unless a recording has the rate and channels of a model."""
    if recording.channels != channels or abs(recording.rate - rate) > 1e-3:
        raise EdgebioError(
            f"{recording.source}: {recording.channels} channels at {recording.rate:g} Hz; the "
            f"model takes {channels} channels at {rate:g} Hz"
        )
