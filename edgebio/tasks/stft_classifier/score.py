"""Metrics of an STFT classifier's decisions: by vote, by certainty, and by the device."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.decision.outputs import Outputs
from edgebio.decision.spec import REJECTED, DecisionSettings
from edgebio.decision.twin import Decider
from edgebio.tasks.run_folder import MODEL, OUTPUTS
from edgebio.tasks.scoring import SegmentMetrics, Selection
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.training.metrics import instability
from edgebio.training.statistics import REJECTED_SHARE, VOTES


def segment_metrics(run: ImageRun) -> SegmentMetrics:
    """Return what computes metrics of decisions for a selection of test segments.

    Those of the device's decisions from the int8 outputs, its vote restarted with every recording
    (it sees labeled segments only, and the threshold of rest, ``onset``, is not applied); and those
    of `Int8Decisions`.
    """
    test = run.test_set()
    outputs = np.load(run.folder / OUTPUTS, allow_pickle=False)
    model = (run.folder / MODEL).read_bytes()
    int8 = Int8Decisions.of(model, outputs, test.labels, test.recordings)
    described = Outputs.from_graph(tflite.read(model))
    device = _decisions(run.recipe.decision, described, outputs, test.recordings)

    def metrics(chosen: Selection) -> dict[str, float | None]:
        labels, decisions = test.labels[chosen], device[chosen]
        return {
            "accuracy_decided": float(np.mean(decisions == labels)),
            "instability_decided": instability(labels, decisions, test.recordings[chosen]),
            "rejection_rate": float(np.mean(decisions == REJECTED)),
            **int8.metrics(chosen),
        }

    return metrics


@dataclass(frozen=True)
class Int8Decisions:
    """Decisions of int8 outputs, by vote and by certainty.

    Attributes
    ----------
    labels, winners, votes
        int, shape (n,): true class of every segment, class of its largest output, and the majority
        of `VOTES` segments, restarted with every recording.
    certainty
        float, shape (n,): probability of the largest output.
    """

    labels: npt.NDArray[np.integer]
    winners: npt.NDArray[np.int64]
    votes: npt.NDArray[np.int64]
    certainty: npt.NDArray[np.floating]

    @classmethod
    def of(
        cls,
        model: bytes,
        outputs: npt.NDArray[np.int8],
        labels: npt.NDArray[np.integer],
        recordings: npt.NDArray[np.integer],
    ) -> Self:
        """Decide by a model's outputs, shape (n, classes)."""
        described = Outputs.from_graph(tflite.read(model))
        votes = _decisions(DecisionSettings(votes=VOTES), described, outputs, recordings)
        certainty = described.probabilities(outputs).max(axis=1)
        return cls(labels, outputs.argmax(axis=1), votes, certainty)

    @property
    def accuracy(self) -> float:
        """Share of all segments whose largest output is that of the true class."""
        return float(np.mean(self.winners == self.labels))

    def metrics(self, chosen: Selection | slice = slice(None)) -> dict[str, float]:
        """Accuracy of a selection by vote, and without the least certain `REJECTED_SHARE`."""
        labels, winners = self.labels[chosen], self.winners[chosen]
        rejected = int(REJECTED_SHARE * len(labels))
        certain = np.argsort(self.certainty[chosen], kind="stable")[rejected:]
        return {
            "accuracy_vote": float(np.mean(self.votes[chosen] == labels)),
            "accuracy_sure": float(np.mean(winners[certain] == labels[certain])),
        }


def _decisions(
    settings: DecisionSettings,
    described: Outputs,
    outputs: npt.NDArray[np.int8],
    recordings: npt.NDArray[np.integer],
) -> npt.NDArray[np.int64]:
    """Decisions as the device makes them, restarted with every recording."""
    decisions = np.empty(len(outputs), np.int64)
    for number in np.unique(recordings):
        own = recordings == number
        decisions[own] = Decider(settings, described).decide(outputs[own]).decisions
    return decisions
