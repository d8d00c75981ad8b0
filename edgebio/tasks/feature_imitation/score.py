"""Figures of one fold of an imitation, by person and in all."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.tasks.feature_imitation.quantize import TOLD
from edgebio.tasks.stft_classifier.quantize import MODEL, OUTPUTS
from edgebio.tasks.feature_imitation import run as runs
from edgebio.training.metrics import instability, roc_auc, scores


def by_person(folder: Path) -> tuple[list[dict[str, Any]], dict[str, float | None]]:
    """Figures of a quantized run's test side.

    Parameters
    ----------
    folder
        The run, with model.tflite, outputs.npy and told.npy.

    Returns
    -------
    people : list of dict
        By person tested: ``subject``, ``windows`` and the figures.
    pooled : dict
        The figures of all windows: scores by imitated features, and with ``_int8``, those of both
        int8 networks; ``r2_rms`` and so on, of float and int8. Of all people together also
        ``accuracy_true`` and ``accuracy_tuned``, trained with the largest share of the labels.
    """
    run = runs.load(folder)
    kept, told = run.arrays, run.frontend.told
    said = tflite.read((folder / MODEL).read_bytes())
    output = said.tensors[said.outputs[0]]
    codes = np.load(folder / TOLD, allow_pickle=False).astype(np.float64)
    outputs = np.load(folder / OUTPUTS, allow_pickle=False)
    features = {
        "": told.decode(kept.told),
        "_int8": told.decode((codes - output.zero_point[0]) * output.scale[0]),
    }
    whose = kept.subjects[kept.recordings]

    def figures(chosen: npt.NDArray[np.bool_]) -> dict[str, float | None]:
        labels, recordings = kept.labels[chosen], kept.recordings[chosen]
        found: dict[str, float | None] = {}
        for suffix, values in (("", kept.probability[chosen]), ("_int8", outputs[chosen])):
            decided = values.argmax(axis=1)
            row = {
                **scores(labels, decided),
                "roc_auc": roc_auc(labels, values),
                "instability": instability(labels, decided, recordings),
            }
            found |= {name + suffix: value for name, value in row.items()}
            r2 = runs.r2_by_feature(kept.features[chosen], features[suffix][chosen])
            found |= {f"r2_{name}{suffix}": value for name, value in r2.items()}
        return found

    everyone = [
        {"subject": subject, "windows": int((whose == subject).sum()), **figures(whose == subject)}
        for subject in dict.fromkeys(kept.subjects.tolist())
        if (whose == subject).any()
    ]
    pooled = figures(np.ones(len(kept.labels), bool))
    most = max(run.metrics["percentages"], key=lambda row: row["percentage"])
    pooled |= {"accuracy_true": most["true"], "accuracy_tuned": most["tuned"]}
    return everyone, pooled
