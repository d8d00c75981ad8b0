"""Figures of one fold, by person and in all, from what its run keeps of every test window."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.decision.outputs import Outputs
from edgebio.decision.spec import REJECTED
from edgebio.decision.twin import decide
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
        not seen by it, and the threshold of rest (``onset``) is not applied.
    """
    run = runs.load(folder)
    test = run.test()
    outputs = np.load(folder / OUTPUTS, allow_pickle=False)
    described = Outputs.of(tflite.read((folder / MODEL).read_bytes()))
    decisions = np.empty(len(test), np.int64)
    for number in np.unique(test.recordings):
        own = test.recordings == number
        decisions[own] = decide(run.recipe.decision, described, outputs[own]).decisions

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
        made = decisions[chosen]
        found["accuracy_decided"] = float(np.mean(made == labels))
        found["instability_decided"] = instability(labels, made, recordings)
        found["rejection_rate"] = float(np.mean(made == REJECTED))
        return found

    everyone = [
        {"subject": subject, "windows": int((whose == subject).sum()), **figures(whose == subject)}
        for subject in dict.fromkeys(run.test_subjects())
        if (whose == subject).any()
    ]
    return everyone, figures(np.ones(len(test), bool))
