"""Decisions of this machine about a signal that goes on: the twin of a device at work."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.compiler.host_model import HostModel
from edgebio.decision.outputs import Outputs
from edgebio.decision.spec import DecisionSettings
from edgebio.decision.twin import ActivityStream, Decider
from edgebio.frontend.twin import Twin
from edgebio.link.results import DecisionEvent, reason_name
from edgebio.tflite import Graph
from edgebio.tflite.metadata import require_metadata


@dataclass(frozen=True, eq=False)
class HostSegment:
    """What this machine computes of one segment, before the vote.

    Attributes
    ----------
    index, end
        Number of the segment, and one past its last sample, since the last reset.
    image
        int8, shape (frames, bins, channels).
    logits
        int8, shape (classes,).
    activity
        Of the muscle, in sixteenths of a count.
    """

    index: int
    end: int
    image: npt.NDArray[np.int8]
    logits: npt.NDArray[np.int8]
    activity: int


class HostDecisions:
    """Front end, network and decision of a model, computed by the device's own C on this machine.

    Parameters
    ----------
    graph
        The model, with its metadata.
    settings
        Settings of the decision instead of the model's.

    Attributes
    ----------
    metadata, outputs, settings
        Of the model, and of the decision.

    Raises
    ------
    EdgebioError
        If the model has no front end.
    """

    def __init__(self, graph: Graph, settings: DecisionSettings | None = None) -> None:
        self.metadata = require_metadata(graph, "a decision")
        self.settings = settings or self.metadata.decision
        self.outputs = Outputs.from_graph(graph)
        self._spec = self.metadata.frontend
        self._images = Twin(self._spec, self.metadata.standardization).stream()
        self._model = HostModel(graph)
        self._activity = ActivityStream(
            self._spec.channels, self._spec.segment_length, self._spec.step
        )
        self._decider = Decider(self.settings, self.outputs)
        self._segments = 0

    def reset(self) -> None:
        """Begin again, as a device does after a gap: the next sample is the first."""
        self._images.reset()
        self._activity.reset()
        self._decider.reset()
        self._segments = 0

    def reset_votes(self) -> None:
        """Forget the votes, as a device does after a time-out."""
        self._decider.reset()

    def feed(self, samples: npt.NDArray[np.int16]) -> list[HostSegment]:
        """Segments that the next samples, int16 of shape (n, channels), complete."""
        images = self._images.push(samples)
        activity = self._activity.push(samples)
        logits = self._model.run(images)
        first = self._segments
        self._segments += len(images)
        return [
            HostSegment(
                first + number, self._spec.segment_length + (first + number) * self._spec.step,
                images[number], logits[number], int(activity[number]),
            )
            for number in range(len(images))
        ]  # fmt: skip

    def decide(self, segment: HostSegment, *, origin: int = 0) -> DecisionEvent:
        """Vote on the next segment; call it once for each, in order.

        The event has no times: they are the device's.
        """
        result = self._decider.decide(segment.logits[None], np.array([segment.activity], np.uint32))
        return DecisionEvent(
            index=segment.index, origin=origin, end=segment.end, time_us=0, frontend_us=0,
            compute_us=0, image_crc=zlib.crc32(segment.image.tobytes()), activity=segment.activity,
            vote_resets=0, winner=int(result.winners[0]), decision=int(result.decisions[0]),
            reason=reason_name(int(result.reasons[0])), logits=segment.logits,
        )  # fmt: skip


def differences(event: DecisionEvent, own: DecisionEvent) -> Iterator[tuple[str, Any, Any]]:
    """Yield what is compared: its name, the device's value and this machine's."""
    yield "images", event.image_crc, own.image_crc
    yield "logits", event.logits.tolist(), own.logits.tolist()
    yield (
        "decisions",
        (event.winner, event.decision, event.reason, event.activity),
        (own.winner, own.decision, own.reason, own.activity),
    )
