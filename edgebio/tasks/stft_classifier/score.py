"""Figures of one fold, by person, by force and in all, from what its run keeps of every window."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.decision.outputs import Outputs
from edgebio.decision.spec import REJECTED, DecisionSettings
from edgebio.decision.twin import decide
from edgebio.evaluation.people import REJECTED_SHARE, VOTES
from edgebio.tasks.stft_classifier.quantize import MODEL, OUTPUTS
from edgebio.tasks.stft_classifier import run as runs
from edgebio.training.metrics import instability, roc_auc, scores


def by_person(folder: Path) -> tuple[list[dict[str, Any]], dict[str, float | None]]:
    """Figures of a quantized run's test side.

    Parameters
    ----------
    folder
        The run, with model.tflite and outputs.npy.

    Returns
    -------
    people : list of dict
        By person tested: ``subject``, ``windows`` and the figures.
    pooled : dict
        The figures of all windows: those of `edgebio.training.metrics.scores`, ``roc_auc`` and
        ``instability`` of the float network; the same with ``_int8``; ``accuracy_decided``,
        ``instability_decided`` and ``rejection_rate`` of the decisions that the device makes of
        the int8 outputs, its vote begun anew with every recording. Windows without a label are
        not seen by it, and the threshold of rest (``onset``) is not applied. And, of the int8
        outputs, ``accuracy_vote``, after a majority vote over `VOTES` windows, and
        ``accuracy_sure``, of the windows that are left without the least certain ones, which are
        `REJECTED_SHARE` of those looked at.
    """
    run = runs.load(folder)
    test = run.test()
    outputs = np.load(folder / OUTPUTS, allow_pickle=False)
    model = (folder / MODEL).read_bytes()
    decided_by = Decided.of(model, outputs, test.labels, test.recordings)
    described = Outputs.of(tflite.read(model))
    made = _decisions(run.recipe.decision, described, outputs, test.recordings)
    probability = run.probability()
    whose = np.array(run.test_subjects())[test.recordings]

    def figures(chosen: npt.NDArray[np.bool_]) -> dict[str, float | None]:
        labels, recordings = test.labels[chosen], test.recordings[chosen]
        found: dict[str, float | None] = {}
        for suffix, values in (("", probability[chosen]), ("_int8", outputs[chosen])):
            decided = values.argmax(axis=1)
            row = {
                **scores(labels, decided),
                "roc_auc": roc_auc(labels, values),
                "instability": instability(labels, decided, recordings),
            }
            found |= {name + suffix: value for name, value in row.items()}
        found["accuracy_decided"] = float(np.mean(made[chosen] == labels))
        found["instability_decided"] = instability(labels, made[chosen], recordings)
        found["rejection_rate"] = float(np.mean(made[chosen] == REJECTED))
        return {**found, **decided_by.figures(chosen)}

    everyone = [
        {"subject": subject, "windows": int((whose == subject).sum()), **figures(whose == subject)}
        for subject in dict.fromkeys(run.test_subjects())
        if (whose == subject).any()
    ]
    return everyone, figures(np.ones(len(test), bool))


def by_condition(folder: Path) -> list[dict[str, Any]]:
    """Accuracy of a quantized run at each level of force, or other condition, of its test side.

    Returns
    -------
    list of dict
        By condition: ``trained`` (all of the training side, joined by ``+``), ``tested``,
        ``windows``, ``accuracy``, ``accuracy_int8`` and the figures of `Decided`; empty where
        recordings name none.
    """
    run = runs.load(folder)
    trained = " + ".join(run.metrics["train"]["conditions"])
    test = run.test()
    tested = np.array(run.test_conditions())[test.recordings]
    outputs = np.load(folder / OUTPUTS, allow_pickle=False)
    model = (folder / MODEL).read_bytes()
    decided_by = Decided.of(model, outputs, test.labels, test.recordings)
    right = {
        "accuracy": run.probability().argmax(axis=1) == test.labels,
        "accuracy_int8": outputs.argmax(axis=1) == test.labels,
    }
    return [
        {
            "trained": trained,
            "tested": condition,
            "windows": int(chosen.sum()),
            **{name: float(np.mean(values[chosen])) for name, values in right.items()},
            **decided_by.figures(chosen),
        }
        for condition in dict.fromkeys(run.test_conditions())
        if condition and (chosen := tested == condition).any()
    ]


@dataclass(frozen=True)
class Decided:
    """What int8 outputs decide by vote, and by certainty.

    Attributes
    ----------
    labels, decided, voted : ndarray
        Integers, shape (n,): true class of every window, the largest output's, and that after a
        majority vote over `VOTES` windows, begun anew with every recording.
    certain : ndarray
        float, shape (n,): probability of the largest output.
    """

    labels: npt.NDArray[np.integer]
    decided: npt.NDArray[np.int64]
    voted: npt.NDArray[np.int64]
    certain: npt.NDArray[np.floating]

    @classmethod
    def of(
        cls,
        model: bytes,
        outputs: npt.NDArray[np.int8],
        labels: npt.NDArray[np.integer],
        recordings: npt.NDArray[np.integer],
    ) -> Self:
        """Decide by the outputs, shape (n, classes), of a model."""
        described = Outputs.of(tflite.read(model))
        voted = _decisions(DecisionSettings(votes=VOTES), described, outputs, recordings)
        certain = described.probabilities(outputs).max(axis=1)
        return cls(labels, outputs.argmax(axis=1), voted, certain)

    @property
    def accuracy(self) -> float:
        """Share of all windows whose largest output is that of the true class."""
        return float(np.mean(self.decided == self.labels))

    def figures(self, chosen: npt.NDArray[np.bool_] | slice = slice(None)) -> dict[str, float]:
        """Accuracy of some of the windows, by vote and without the least certain ones.

        Returns
        -------
        dict
            ``accuracy_vote``, and ``accuracy_sure`` of what is left without `REJECTED_SHARE` of
            them.
        """
        labels, decided = self.labels[chosen], self.decided[chosen]
        rejected = int(REJECTED_SHARE * len(labels))
        sure = np.argsort(self.certain[chosen], kind="stable")[rejected:]
        return {
            "accuracy_vote": float(np.mean(self.voted[chosen] == labels)),
            "accuracy_sure": float(np.mean(decided[sure] == labels[sure])),
        }


def _decisions(
    settings: DecisionSettings,
    described: Outputs,
    outputs: npt.NDArray[np.int8],
    recordings: npt.NDArray[np.integer],
) -> npt.NDArray[np.int64]:
    """Decisions as the device makes them, begun anew with every recording."""
    decisions = np.empty(len(outputs), np.int64)
    for number in np.unique(recordings):
        own = recordings == number
        decisions[own] = decide(settings, described, outputs[own]).decisions
    return decisions
