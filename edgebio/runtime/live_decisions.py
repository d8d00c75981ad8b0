"""Decisions about a live source: by this machine, or by a board that this machine checks."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.link.results import DecisionEvent
from edgebio.recordings.units import volts_per_count
from edgebio.runtime.host_decisions import HostDecisions, HostSegment, differences
from edgebio.runtime.session import Decision, Session, decision_of, percentiles
from edgebio.sources import Chunk, LiveStream, SourceDescription
from edgebio.tflite.metadata import ModelMetadata

_MARKER_SECONDS = 3.0  # after which a marker is no longer awaited


@dataclass(frozen=True, eq=False)
class LiveDecision:
    """One decision and its delay.

    Attributes
    ----------
    decision
        The decision; its time is in seconds since the stream began, in samples.
    image
        int8, shape (frames, bins, channels): what the network saw.
    arrival_ms, decision_ms
        From the last sample of the segment until it was here, and from there until the decision.
    differing
        Whether the board's image, logits, vote or decision differs from this machine's.
    """

    decision: Decision
    image: npt.NDArray[np.int8]
    arrival_ms: float
    decision_ms: float
    differing: bool

    @property
    def delay_ms(self) -> float:
        """From the last sample until the decision."""
        return self.arrival_ms + self.decision_ms


@dataclass
class Delays:
    """Delays of all decisions so far, in milliseconds.

    Attributes
    ----------
    arrival, decision
        Stages, see `LiveDecision`.
    marker
        From a marker of the source until the first decision for its class.
    """

    arrival: list[float] = field(default_factory=list)
    decision: list[float] = field(default_factory=list)
    marker: list[float] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """JSON form: median, 95th and 99th percentile, and maximum, in all and by stage."""
        total = [a + b for a, b in zip(self.arrival, self.decision, strict=True)]

        def of(values: list[float]) -> dict[str, float] | None:
            if not values:
                return None
            return {name: round(value, 2) for name, value in percentiles(values).items()}

        stages = {"arrival": of(self.arrival), "decision": of(self.decision)}
        return {**(of(total) or {"median": None, "p99": None}), "stages": stages,
                "marker": of(self.marker)}  # fmt: skip


class LiveDecisions:
    """Feed a live source to a model, and count what happens.

    After a gap of the source everything starts over, as on a device.

    Parameters
    ----------
    stream
        An open stream.
    host
        The model on this machine. It computes every decision; a board's are compared with it.
    session
        A session of a board that runs the model, with the same settings; without one, this machine
        decides.

    Attributes
    ----------
    decisions, differing, restarts : int
        Decisions so far; those that differ from this machine's; and gaps.
    first_difference : str
        Where the board differed first.
    delays : Delays
        How long decisions took.

    Raises
    ------
    EdgebioError
        If the source does not fit the model.
    """

    def __init__(
        self, stream: LiveStream, host: HostDecisions, session: Session | None = None
    ) -> None:
        self.metadata, self.outputs = host.metadata, host.outputs
        check_source(stream.description, self.metadata)
        self.decisions = self.differing = self.restarts = 0
        self.first_difference = ""
        self.delays = Delays()
        self._stream, self._session = stream, session
        self._host = host
        self._begin = 0  # number of the sample at which the device started over
        self._times: deque[Chunk] = deque()
        self._markers: list[tuple[str, float]] = []
        self._vote_resets = 0

    def step(self, seconds: float = 0.05) -> list[LiveDecision]:
        """Take what arrives within `seconds`, and return the decisions about it."""
        return [each for chunk in self._stream.read(seconds) for each in self.decide(chunk)]

    def decide(self, chunk: Chunk) -> Iterator[LiveDecision]:
        """Decisions that a chunk completes."""
        if chunk.gap or not self._times:
            self._restart(chunk)
        self._times.append(chunk)
        self._markers += [
            (marker.name, marker.time)
            for marker in chunk.markers
            if marker.name in self.metadata.classes
        ]
        arrived = time.monotonic()
        segments = self._host.feed(chunk.samples)
        events = self._events(chunk.samples, segments)
        for segment, event in zip(segments, events, strict=True):
            if event is not None and event.vote_resets != self._vote_resets:
                self._vote_resets = event.vote_resets
                self._host.reset_votes()
            own = self._host.decide(segment)
            yield self._decision(segment, own, event, arrived)
        oldest = self._begin + (segments[-1].end if segments else 0) - 1
        while len(self._times) > 1 and self._times[0].end <= oldest:
            self._times.popleft()

    def document(self) -> dict[str, Any]:
        """JSON form of what happened so far."""
        frontend = self.metadata.frontend
        period = 1000 / frontend.rate
        return {
            "decisions": self.decisions,
            "lost": self._stream.lost,
            "gaps": [vars(gap) for gap in self._stream.gaps],
            "differing": self.differing,
            "first": self.first_difference or None,
            "delay_ms": self.delays.document(),
            "segment_ms": frontend.segment_length * period,
            "step_ms": frontend.step * period,
            "votes": self._host.settings.votes,
        }

    def _restart(self, chunk: Chunk) -> None:
        self.restarts += bool(self._times)
        self._begin = chunk.first
        self._times.clear()
        self._host.reset()
        self._vote_resets = 0
        if self._session is not None:
            self._session.__exit__(None, None, None)

    def _events(
        self, samples: npt.NDArray[np.int16], segments: list[HostSegment]
    ) -> list[DecisionEvent | None]:
        if self._session is None:
            return [None] * len(segments)
        decisions = self._session.feed(samples)
        if len(decisions) != len(segments):
            raise EdgebioError(
                f"{self._session.device.url}: {len(decisions)} decisions of the board for "
                f"{len(segments)} segments"
            )
        return [decision.event for decision in decisions]

    def _decision(
        self, segment: HostSegment, own: DecisionEvent, event: DecisionEvent | None, arrived: float
    ) -> LiveDecision:
        now = time.monotonic()
        taken = self._time_of(self._begin + segment.end - 1)
        different = [
            name
            for name, device_value, host_value in (differences(event, own) if event else ())
            if device_value != host_value
        ]
        if different:
            self.differing += 1
            text = f"{different[0]} of decision {segment.index} differ"
            self.first_difference = self.first_difference or text
        self.decisions += 1
        decision = decision_of(
            event or own, self.metadata.frontend.rate, self.metadata.classes, self.outputs
        )
        live = LiveDecision(
            decision,
            segment.image,
            1000 * (arrived - taken),
            1000 * (now - arrived),
            bool(different),
        )
        self.delays.arrival.append(live.arrival_ms)
        self.delays.decision.append(live.decision_ms)
        self._match_markers(decision.name, taken, now)
        return live

    def _match_markers(self, name: str, taken: float, now: float) -> None:
        for marker in list(self._markers):
            if marker[0] == name and taken >= marker[1]:
                self.delays.marker.append(1000 * (now - marker[1]))
                self._markers.remove(marker)
            elif taken > marker[1] + _MARKER_SECONDS:
                self._markers.remove(marker)

    def _time_of(self, number: int) -> float:
        for chunk in self._times:
            if number < chunk.end:
                return float(chunk.times[max(0, number - chunk.first)])
        return float(self._times[-1].times[-1])


def check_source(source: SourceDescription, metadata: ModelMetadata) -> None:
    """Raise `EdgebioError` unless a source has the channels, rate and units of a model."""
    spec = metadata.frontend
    if source.channels != spec.channels:
        kind = "fewer" if source.channels < spec.channels else "more"
        raise EdgebioError(
            f"{source.url}: {source.channels} channels, {kind} than the model's {spec.channels}"
        )
    if abs(source.rate - spec.rate) > 1e-3 * spec.rate:
        raise EdgebioError(f"{source.url}: {source.rate:g} Hz; the model takes {spec.rate:g} Hz")
    volts, trained = volts_per_count(source.units), metadata.signal.volts_per_count
    if volts and trained and abs(volts / trained - 1) > Decimal("0.01"):
        raise EdgebioError(
            f"{source.url}: one count is {source.units}; the model was trained on "
            f"{float(trained) * 1e6:g} uV a count: give the source that lsb"
        )
