"""Decisions of a device about recordings, compared with those that this machine computes."""

import contextlib
import itertools
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.frontend.numerics import uses_helium
from edgebio.frontend.stages import count_clipped
from edgebio.link.results import DecisionEvent
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELED
from edgebio.runtime.host_decisions import HostDecisions, differences
from edgebio.runtime.session import Decision, Session
from edgebio.tflite import Graph


class HostStream:
    """Decisions of one stream, computed by this machine: front end, generated C and decision.

    The votes are reset when the device reports that its were, after a time-out: only the device
    knows when that happens. Everything else is computed here.
    """

    def __init__(
        self, graph: Graph, samples: npt.NDArray[np.int16], settings: DecisionSettings | None = None
    ) -> None:
        self._host = HostDecisions(graph, settings)
        self._segments = self._host.feed(samples)
        self._vote_resets = 0

    def compare(self, event: DecisionEvent) -> Iterator[tuple[str, Any, Any]]:
        """Yield what is compared, the device's value and this machine's; events come in order."""
        if event.vote_resets != self._vote_resets:
            self._vote_resets = event.vote_resets
            self._host.reset_votes()
        own = self._host.decide(self._segments[event.index])
        yield from differences(event, own)


class ComparedSession:
    """Stream recordings to a device and compare every decision, if the session has the model.

    `settings` are those of the session, if they are not the model's.

    `segments` counts decisions, `labeled` those that end on a labeled sample, `correct` the correct
    ones among these, `clipped` samples at full scale, and `differing` segments with another image,
    any other logit, or another vote or decision; `first` locates the first difference.
    """

    def __init__(self, session: Session, settings: DecisionSettings | None = None) -> None:
        self.session = session
        self.segments = self.labeled = self.correct = self.clipped = 0
        self.differing = {"images": 0, "logits": 0, "decisions": 0}
        self.first = ""
        self._settings = settings
        self._identity = session.device.identify()

    def compare(self, source: str, event: DecisionEvent, host: HostStream) -> None:
        """Compare a decision with the host's."""
        for name, device_value, host_value in host.compare(event):
            if device_value != host_value:
                self.differing[name] += 1
                self.first = self.first or (
                    f"{source}: segment {event.index}: {name.rstrip('s')} {device_value} on the "
                    f"board, {host_value} on this machine"
                )

    def run(
        self, recordings: Iterable[Recording], limit: int | None = None, *, real_time: bool = False
    ) -> Iterator[Decision]:
        """Stream recordings, each from reset, and yield the decisions: all, or at most `limit`."""
        for recording in recordings:
            left = None if limit is None else limit - self.segments
            if left == 0:
                return
            with contextlib.closing(self._classify(recording, real_time)) as decisions:
                yield from itertools.islice(decisions, left)
        if not self.segments:
            length = self.session.description.segment_length
            raise EdgebioError(f"no recording is as long as one segment of {length} samples")

    def _classify(self, recording: Recording, real_time: bool) -> Generator[Decision, None, None]:
        decisions = self.session.classify(recording, real_time=real_time)
        graph = self.session.device.graph
        host = HostStream(graph, recording.samples, self._settings) if graph else None
        self.clipped += count_clipped(recording.samples)
        with contextlib.closing(decisions):
            for decision in decisions:
                self.segments += 1
                if host:
                    self.compare(recording.source, decision.event, host)
                label = int(recording.labels[decision.event.end - 1])
                if label != UNLABELED:
                    self.labeled += 1
                    self.correct += recording.classes[label] == decision.name
                yield decision

    @property
    def approximate(self) -> bool:
        """Whether the device computes the FFT with Helium, which this machine approximates.

        Differences are then counted but are no error; the board file bounds them.
        """
        metadata = self.session.metadata
        if metadata is None:
            return False
        return uses_helium(metadata.frontend.fft_numerics, self._identity.cpu == "cortex-m55")

    def document(self) -> dict[str, Any]:
        """JSON form; `differing` is None if there was nothing to compare with."""
        session, delay = self.session, self.session.delay
        return {
            "board": self._identity.board,
            "port": session.device.url,
            "model": session.description.model_sha256.hex(),
            "windows": self.segments,
            "differing": self.differing if session.device.graph else None,
            "approximate": self.approximate,
            "first": self.first or None,
            "rests": session.rests,
            "railed": self.clipped,
            "delay": delay.document() if delay else None,
            "latency": session.latency(),
            "interval": session.intervals(),
            "labelled": self.labeled,
            "correct": self.correct,
            "link": session.link_errors(),
        }
