"""Figures of one fold, by person, by force and in all, from what its run keeps of every window."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.decision.outputs import Outputs
from edgebio.decision.spec import REJECTED, DecisionSettings
from edgebio.decision.twin import decide
from edgebio.evaluation.people import REJECTED_SHARE, VOTES
from edgebio.quantize.quantize import MODEL, OUTPUTS
from edgebio.training import run as runs
from edgebio.training.scores import instability, roc_auc, scores


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
        The figures of all windows: those of `edgebio.training.scores.scores`, ``roc_auc`` and
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
    described = Outputs.of(tflite.read((folder / MODEL).read_bytes()))
    made, voted = (
        _decisions(settings, described, outputs, test.recordings)
        for settings in (run.recipe.decision, DecisionSettings(votes=VOTES))
    )
    certain = described.probabilities(outputs).max(axis=1)
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
        found["accuracy_vote"] = float(np.mean(voted[chosen] == labels))
        rejected = int(REJECTED_SHARE * len(labels))
        sure = np.argsort(certain[chosen], kind="stable")[rejected:]
        found["accuracy_sure"] = float(np.mean(decided[sure] == labels[sure]))
        return found

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
        ``windows``, ``accuracy`` and ``accuracy_int8``; empty where recordings name none.
    """
    run = runs.load(folder)
    trained = " + ".join(run.metrics["train"]["conditions"])
    test = run.test()
    tested = np.array(run.test_conditions())[test.recordings]
    right = {
        "accuracy": run.probability().argmax(axis=1) == test.labels,
        "accuracy_int8": np.load(folder / OUTPUTS, allow_pickle=False).argmax(axis=1)
        == test.labels,
    }
    return [
        {
            "trained": trained,
            "tested": condition,
            "windows": int((tested == condition).sum()),
            **{name: float(np.mean(values[tested == condition])) for name, values in right.items()},
        }
        for condition in dict.fromkeys(run.test_conditions())
        if condition and (tested == condition).any()
    ]


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
