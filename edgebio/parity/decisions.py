"""Decisions that a board made of a recording, held against this machine's."""

import contextlib
import itertools
import zlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.compiler.host import HostModel
from edgebio.decision.outputs import Outputs
from edgebio.decision.spec import REJECTED
from edgebio.decision.twin import decide
from edgebio.errors import DeviceError, EdgebioError
from edgebio.frontend.twin import Twin
from edgebio.link.client import Client
from edgebio.link.results import Decision
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELLED
from edgebio.tflite import Graph
from edgebio.tflite.metadata import ModelMetadata, require


@dataclass(frozen=True, eq=False)
class Expected:
    """What the host makes of a recording, window by window.

    Attributes
    ----------
    image_crcs
        uint32, shape (n,): CRC-32 of each image.
    logits
        int8, shape (n, classes).
    winners, decisions
        uint8, shape (n,): see `edgebio.decision.twin.Decided`.
    """

    image_crcs: npt.NDArray[np.uint32]
    logits: npt.NDArray[np.int8]
    winners: npt.NDArray[np.uint8]
    decisions: npt.NDArray[np.uint8]


class Host:
    """The model as this machine computes it: front end, generated C and decision."""

    def __init__(self, graph: Graph, content: bytes) -> None:
        self._metadata = require(graph, "classify")
        self._outputs = Outputs.of(graph)
        self._twin = Twin(self._metadata.frontend, self._metadata.standardisation)
        self._model = HostModel(content)

    def run(self, samples: npt.NDArray[np.int16]) -> Expected:
        """What a device makes of `samples`, int16 (n, channels), streamed from reset."""
        images = self._twin.images(samples)
        logits = self._model.run(images)
        decided = decide(self._metadata.decision, self._outputs, logits)
        crcs = np.array([zlib.crc32(image.tobytes()) for image in images], np.uint32)
        return Expected(crcs, logits, decided.winners, decided.decisions)


@dataclass
class Tally:
    """What has been compared, and what differed.

    Attributes
    ----------
    windows : int
        Windows that the board decided on.
    images, logits, decisions : int
        Windows of which the image, any logit, or the vote or decision differ from the host's.
    first : str
        The first difference, in words.
    """

    windows: int = 0
    images: int = 0
    logits: int = 0
    decisions: int = 0
    first: str = ""

    @property
    def differing(self) -> int:
        """Differences of any kind."""
        return self.images + self.logits + self.decisions

    def take(self, source: str, made: Decision, expected: Expected | None) -> None:
        """Count one decision, and hold it against the host's where there is one."""
        self.windows += 1
        if expected is None:
            return
        k = made.index
        votes = (made.winner, made.decision)
        twin = (int(expected.winners[k]), int(expected.decisions[k]))
        for name, here, there in (
            ("images", made.image_crc, int(expected.image_crcs[k])),
            ("logits", made.logits.tolist(), expected.logits[k].tolist()),
            ("decisions", votes, twin),
        ):
            if here != there:
                setattr(self, name, getattr(self, name) + 1)
                self.first = self.first or (
                    f"{source}: window {k}: {name.rstrip('s')} {here} on the board, {there} here"
                )


@dataclass(frozen=True)
class Classified:
    """One decision, in the user's terms.

    Attributes
    ----------
    source : str
        Recording that the window is of.
    time : float
        End of the window, in seconds from the start of the recording.
    name : str
        Class, or ``"rejected"``.
    probability : float or None
        Of that class in this window (of the likeliest where rejected); None where the model file
        is not at hand.
    made : Decision
        As the device sent it.
    """

    source: str
    time: float
    name: str
    probability: float | None
    made: Decision


@dataclass
class Session:
    """Recordings classified by one device.

    Parameters
    ----------
    device
        The board.
    graph, content
        The model and its file where at hand: gives class names and probabilities, and the host to
        compare with.

    Attributes
    ----------
    tally : Tally
        The comparison so far.
    labelled, correct : int
        Windows that end on a labelled sample, and decisions of them that are right.

    Raises
    ------
    DeviceError
        Where the device carries another model.
    """

    device: Client
    graph: Graph | None = None
    content: bytes = b""
    tally: Tally = field(default_factory=Tally)
    labelled: int = 0
    correct: int = 0
    _host: Host | None = field(init=False, default=None)
    _metadata: ModelMetadata | None = field(init=False, default=None)
    _outputs: Outputs | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.description = self.device.describe()
        if not self.description.frontend:
            raise EdgebioError(
                f"the model on {self.device.url} carries no front end: it takes images, by "
                "edgebio infer"
            )
        if self.graph is None:
            return
        carried = self.description.model.hex()
        if carried != self.graph.sha256:
            raise DeviceError(
                f"{self.device.url}: the board carries model {carried[:12]}, not "
                f"{self.graph.sha256[:12]}; flash it: edgebio build, edgebio flash"
            )
        self._host = Host(self.graph, self.content)
        self._metadata = require(self.graph, "classify")
        self._outputs = Outputs.of(self.graph)

    def run(
        self, recordings: Iterable[Recording], limit: int | None = None, *, real_time: bool = False
    ) -> Iterator[Classified]:
        """Stream recordings, each from reset; yield what the device decides.

        Parameters
        ----------
        recordings
            At the model's rate and channel count.
        limit
            Most decisions; None: all.
        real_time
            At the recordings' own pace, else as fast as the device takes them.
        """
        for recording in recordings:
            left = None if limit is None else limit - self.tally.windows
            if left == 0:
                return
            with contextlib.closing(self._stream(recording, real_time)) as stream:
                yield from itertools.islice(stream, left)
        if not self.tally.windows:
            raise EdgebioError(
                f"no recording is as long as one window of {self.description.window} samples"
            )

    def document(self) -> dict[str, Any]:
        """Counts so far, as JSON; `differing` is None where there was nothing to compare with."""
        statistics = self.device.statistics()
        tally = self.tally
        differing = {
            "images": tally.images,
            "logits": tally.logits,
            "decisions": tally.decisions,
        }
        return {
            "board": self.device.identify().board,
            "port": self.device.url,
            "model": self.description.model.hex(),
            "windows": tally.windows,
            "differing": differing if self._host else None,
            "first": tally.first or None,
            "labelled": self.labelled,
            "correct": self.correct,
            "link": {
                "damaged": statistics.damaged + self.device.damaged,
                "overruns": statistics.overruns,
                "gaps": statistics.gaps,
            },
        }

    def _stream(self, recording: Recording, real_time: bool) -> Generator[Classified, None, None]:
        about = self.description
        check_fits(recording, about.rate / 1000, about.channels)
        expected = self._host.run(recording.samples) if self._host else None
        pace = recording.rate if real_time else None
        with contextlib.closing(self.device.stream(recording.samples, pace=pace)) as stream:
            for made in stream:
                self.tally.take(recording.source, made, expected)
                name = self._name(made.decision)
                label = int(recording.labels[made.end - 1])
                if label != UNLABELLED:
                    self.labelled += 1
                    self.correct += recording.classes[label] == name
                time = made.end / recording.rate
                yield Classified(recording.source, time, name, self._probability(made), made)

    def _name(self, decision: int) -> str:
        if decision == REJECTED:
            return "rejected"
        return self._metadata.classes[decision] if self._metadata else f"class {decision}"

    def _probability(self, made: Decision) -> float | None:
        if self._outputs is None:
            return None
        probabilities = self._outputs.probabilities(made.logits[None])[0]
        return float(probabilities.max() if made.rejected else probabilities[made.decision])


def check_fits(recording: Recording, rate: float, channels: int) -> None:
    """Raise `EdgebioError` where a recording is not what a model takes, in one line."""
    if recording.channels != channels or abs(recording.rate - rate) > 1e-3:
        raise EdgebioError(
            f"{recording.source}: {recording.channels} channels at {recording.rate:g} Hz; the "
            f"model takes {channels} channels at {rate:g} Hz"
        )
