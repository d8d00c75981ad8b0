"""Decisions of a device that stands alone, about a recording that was played at its electrodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.boards import rp2040js_parts
from edgebio.boards.rp2040js_parts import Call, Pulse
from edgebio.compiler.host_model import HostModel
from edgebio.decision.outputs import Outputs
from edgebio.decision.twin import Decider, activity
from edgebio.firmware import manifest, playback
from edgebio.frontend.twin import Twin
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELED
from edgebio.tflite.metadata import require_metadata

_LATE_US = 100.0  # from the call of the sink to the change of its pulse, at most


@dataclass(frozen=True, eq=False)
class HostDecisions:
    """Decisions of this machine about a recording from reset, one for each segment.

    Attributes
    ----------
    decisions
        uint8, shape (n,): a class, `spec.REST` or `spec.REJECTED`.
    activity
        uint32, shape (n,).
    ends
        int64, shape (n,): last sample of each segment.
    """

    decisions: npt.NDArray[np.uint8]
    activity: npt.NDArray[np.uint32]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, folder: Path, recording: Recording) -> "HostDecisions":
        """Decide with the model of the image in `folder`, by its host twins."""
        graph = tflite.read(manifest.load_model(folder))
        metadata = require_metadata(graph, "a comparison of decisions")
        spec, samples = metadata.frontend, recording.samples
        images = Twin(spec, metadata.standardization).images(samples)
        level = activity(samples, spec.segment_length, spec.step)
        decider = Decider(metadata.decision, Outputs.from_graph(graph))
        decisions = decider.decide(HostModel(graph).run(images), level).decisions
        ends = spec.segment_length - 1 + spec.step * np.arange(len(decisions))
        return cls(decisions, level, ends)

    def correct(self, recording: Recording, classes: Sequence[str]) -> tuple[int, int]:
        """Correct decisions, and segments that end on a labeled sample."""
        labels = recording.labels[self.ends]
        names = np.array([*classes, *[""] * (256 - len(classes))])
        labeled = labels != UNLABELED
        truth = np.array(recording.classes)[labels[labeled]]
        return int((names[self.decisions[labeled]] == truth).sum()), int(labeled.sum())

    def differing(self, calls: Sequence[Call]) -> int:
        """Decisions that the sink of the device did not get, or got otherwise."""
        got = [call.arguments for call in calls[: len(self.decisions)]]
        own = zip(self.decisions.tolist(), self.activity.tolist(), strict=True)
        missing = len(self.decisions) - len(got)
        return missing + sum(a != b for a, b in zip(got, own, strict=False))


def sink_calls(folder: Path) -> list[Call]:
    """Decisions that the sink of the image in `folder` got so far, in the emulator."""
    return rp2040js_parts.calls(folder, playback.DECIDE)


def astray(
    pulses: Sequence[Pulse], calls: Sequence[Call], widths: Mapping[int, float], rest: float
) -> int:
    """Pulses of a servo without a speed limit that do not have the width of the decision then.

    Parameters
    ----------
    widths, rest
        Microseconds of each class, and of everything else.
    """
    times = np.array([call.time_us for call in calls])
    wanted = [rest, *(widths.get(call.arguments[0], rest) for call in calls)]
    count = 0
    for pulse in pulses:
        newest = int(np.searchsorted(times, pulse.time_us, "right"))
        before = int(np.searchsorted(times, pulse.time_us - _LATE_US, "right"))
        count += pulse.pulse_us not in wanted[before : newest + 1]
    return count
