"""Decisions that a board made of a recording, held against this machine's."""

import contextlib
import itertools
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.compiler.host import HostModel
from edgebio.decision.outputs import Outputs, constants
from edgebio.decision.spec import REJECTED, REST, DecisionSettings
from edgebio.decision.twin import Decider, activity
from edgebio.errors import DeviceError, EdgebioError
from edgebio.frontend.twin import Twin, railed_samples, uses_helium
from edgebio.link.client import Client
from edgebio.link.results import Decision, Rest, Settings, reason
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELLED
from edgebio.tflite import Graph
from edgebio.tflite.metadata import ModelMetadata, require


@dataclass(frozen=True, eq=False)
class Expected:
    """What the host makes of a recording, window by window, up to the decision.

    Attributes
    ----------
    image_crcs
        uint32, shape (n,): CRC-32 of each image.
    logits
        int8, shape (n, classes).
    activity
        uint32, shape (n,): see `edgebio.decision.twin.activity`.
    """

    image_crcs: npt.NDArray[np.uint32]
    logits: npt.NDArray[np.int8]
    activity: npt.NDArray[np.uint32]


class Host:
    """The model as this machine computes it: front end, generated C and decision.

    Parameters
    ----------
    graph, content
        The model, and its file.
    settings
        Of the decision, where they are not the model's.
    """

    def __init__(
        self, graph: Graph, content: bytes, settings: DecisionSettings | None = None
    ) -> None:
        self._metadata = require(graph, "classify")
        self._settings = settings or self._metadata.decision
        self._outputs = Outputs.of(graph)
        self._twin = Twin(self._metadata.frontend, self._metadata.standardization)
        self._model = HostModel(content)

    def run(self, samples: npt.NDArray[np.int16]) -> Expected:
        """What a device makes of `samples`, int16 (n, channels), streamed from reset."""
        spec = self._metadata.frontend
        images = self._twin.images(samples)
        crcs = np.array([zlib.crc32(image.tobytes()) for image in images], np.uint32)
        moved = activity(samples, spec.segment_length, spec.step)
        return Expected(crcs, self._model.run(images), moved)

    def decider(self) -> Decider:
        """The decision of a stream that begins."""
        return Decider(self._settings, self._outputs)


class Comparison:
    """One stream's decisions against the host's, in order.

    The votes begin anew where the device says that its did, after a time-out: when that happens is
    the one thing that the host cannot know. All else it computes for itself.
    """

    def __init__(self, host: Host, samples: npt.NDArray[np.int16]) -> None:
        self._expected = host.run(samples)
        self._decider = host.decider()
        self._anew = 0

    def of(self, made: Decision) -> Iterator[tuple[str, Any, Any]]:
        """Yield name, the device's and the host's value of each thing that is compared."""
        k, host = made.index, self._expected
        if made.anew != self._anew:
            self._anew = made.anew
            self._decider.begin_anew()
        decided = self._decider.take(host.logits[k : k + 1], host.activity[k : k + 1])
        why = reason(int(decided.reasons[0]))
        yield "images", made.image_crc, int(host.image_crcs[k])
        yield "logits", made.logits.tolist(), host.logits[k].tolist()
        yield (
            "decisions",
            (made.winner, made.decision, made.reason, made.activity),
            (int(decided.winners[0]), int(decided.decisions[0]), why, int(host.activity[k])),
        )


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

    def take(self, source: str, made: Decision, comparison: Comparison | None) -> None:
        """Count one decision, and hold it against the host's where there is one."""
        self.windows += 1
        if comparison is None:
            return
        for name, here, there in comparison.of(made):
            if here != there:
                setattr(self, name, getattr(self, name) + 1)
                self.first = self.first or (
                    f"{source}: window {made.index}: {name.rstrip('s')} {here} on the board, "
                    f"{there} here"
                )


@dataclass(frozen=True)
class Delay:
    """Delay budget of a decision, in milliseconds: window + step x votes + compute.

    Attributes
    ----------
    window, step : float
        Length of the window, and from one to the next.
    votes : int
        Windows that vote.
    compute : float
        Median time that the device took for front end, network and decision.
    """

    window: float
    step: float
    votes: int
    compute: float

    @property
    def total(self) -> float:
        """Sum of the budget."""
        return self.window + self.step * self.votes + self.compute

    def __str__(self) -> str:
        return (
            f"delay: window {self.window:g} + {self.votes} x {self.step:g} + compute "
            f"{self.compute:.1f} = {self.total:.0f} ms"
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
    latency : float or None
        Seconds from the time at which the window's last sample was due until the decision was
        here; None where the recording was not streamed at its own pace.
    """

    source: str
    time: float
    name: str
    probability: float | None
    made: Decision
    latency: float | None


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
    settings
        Of the decision, where they are to be others than the model's; needs the model.
    on_rest
        Called with what the device decides without a window.

    Attributes
    ----------
    tally : Tally
        The comparison so far.
    labelled, correct : int
        Windows that end on a labelled sample, and decisions of them that are right.
    rests : dict of str to int
        How often the device decided for rest without a window, by reason.
    railed : int
        Samples at an end of 16 bits in the recordings that were streamed: overdriven, probably.

    Raises
    ------
    DeviceError
        Where the device carries another model.
    """

    device: Client
    graph: Graph | None = None
    content: bytes = b""
    settings: DecisionSettings | None = None
    on_rest: Callable[[Rest], None] | None = None
    tally: Tally = field(default_factory=Tally)
    labelled: int = 0
    correct: int = 0
    rests: dict[str, int] = field(default_factory=dict)
    railed: int = 0
    _compute: list[int] = field(init=False, default_factory=list)
    _latencies: list[float] = field(init=False, default_factory=list)
    _host: Host | None = field(init=False, default=None)
    _metadata: ModelMetadata | None = field(init=False, default=None)
    _outputs: Outputs | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.description = self.device.describe()
        self._core = self.device.identify().core
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
        self._host = Host(self.graph, self.content, self.settings)
        self._metadata = require(self.graph, "classify")
        self._outputs = Outputs.of(self.graph)
        if self.settings:
            self.device.configure(Settings.of(constants(self.settings, self._outputs)))

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
            "approximate": self.approximate,
            "first": tally.first or None,
            "rests": self.rests,
            "railed": self.railed,
            "delay": {**asdict(self.delay), "total": self.delay.total} if self.delay else None,
            "latency": self._latency(),
            "labelled": self.labelled,
            "correct": self.correct,
            "link": self.counters(),
        }

    def counters(self) -> dict[str, int]:
        """What went wrong on the line so far, on both of its ends, as the device counts it now."""
        there = self.device.statistics()
        return {
            "damaged": there.damaged + self.device.damaged,
            "repeated": there.repeated,
            "overruns": there.overruns,
            "gaps": there.gaps,
        }

    @property
    def approximate(self) -> bool:
        """Whether the device computes the FFT by Helium's intrinsics, which this machine nears.

        Differences are counted then as ever, and are no fault; the board file bounds them.
        """
        if self._metadata is None:
            return False
        return uses_helium(self._metadata.frontend.fft_numerics, self._core == "cortex-m55")

    @property
    def delay(self) -> Delay | None:
        """Delay budget by what has been measured; None before the first decision."""
        if not self._compute:
            return None
        about = self.description
        milliseconds = 1e6 / about.rate
        return Delay(
            window=about.window * milliseconds,
            step=about.step * milliseconds,
            votes=self.device.settings().votes,
            compute=float(np.median(self._compute)) / 1000,
        )

    def _latency(self) -> dict[str, float] | None:
        """Distribution of the latencies in milliseconds."""
        if not self._latencies:
            return None
        shares = {"median": 50, "p95": 95, "p99": 99, "max": 100}
        found = np.percentile(np.array(self._latencies) * 1000, list(shares.values()))
        return {name: round(float(value), 2) for name, value in zip(shares, found, strict=True)}

    def _rested(self, rest: Rest) -> None:
        self.rests[rest.reason] = self.rests.get(rest.reason, 0) + 1
        if self.on_rest:
            self.on_rest(rest)

    def _stream(self, recording: Recording, real_time: bool) -> Generator[Classified, None, None]:
        about = self.description
        check_fits(recording, about.rate / 1000, about.channels)
        self.railed += railed_samples(recording.samples)
        comparison = Comparison(self._host, recording.samples) if self._host else None
        pace = recording.rate if real_time else None
        started = time.monotonic()
        stream = self.device.stream(recording.samples, pace=pace, on_rest=self._rested)
        with contextlib.closing(stream):
            for made in stream:
                latency = time.monotonic() - started - made.end / pace if pace else None
                if latency is not None:
                    self._latencies.append(latency)
                self._compute.append(made.frontend_us + made.compute_us)
                self.tally.take(recording.source, made, comparison)
                name = self._name(made.decision)
                label = int(recording.labels[made.end - 1])
                if label != UNLABELLED:
                    self.labelled += 1
                    self.correct += recording.classes[label] == name
                end = made.end / recording.rate
                shown = self._probability(made)
                yield Classified(recording.source, end, name, shown, made, latency)

    def _name(self, decision: int) -> str:
        if decision in (REJECTED, REST):
            return "rejected" if decision == REJECTED else "rest"
        return self._metadata.classes[decision] if self._metadata else f"class {decision}"

    def _probability(self, made: Decision) -> float | None:
        if self._outputs is None:
            return None
        probabilities = self._outputs.probabilities(made.logits[None])[0]
        known = made.decision < len(probabilities)
        return float(probabilities[made.decision] if known else probabilities.max())


def check_fits(recording: Recording, rate: float, channels: int) -> None:
    """Raise `EdgebioError` where a recording is not what a model takes, in one line."""
    if recording.channels != channels or abs(recording.rate - rate) > 1e-3:
        raise EdgebioError(
            f"{recording.source}: {recording.channels} channels at {recording.rate:g} Hz; the "
            f"model takes {channels} channels at {rate:g} Hz"
        )
