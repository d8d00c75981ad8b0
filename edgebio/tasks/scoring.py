"""Metrics of a quantized run's test set, by subject, pooled and by condition."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from edgebio.tasks.results import Score
from edgebio.tasks.run_folder import OUTPUTS, Run
from edgebio.training.metrics import classification_metrics

CLASSIFICATION = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "instability")
DECISIONS = (
    "accuracy_decided", "instability_decided", "rejection_rate", "accuracy_vote", "accuracy_sure",
)  # fmt: skip
METRICS = (*CLASSIFICATION, *(f"{name}_int8" for name in CLASSIFICATION), *DECISIONS)
"""Metrics of every task; ``*_int8`` are those of the int8 model."""

_BY_CONDITION = ("accuracy", "accuracy_int8", "accuracy_vote", "accuracy_sure")

Selection = npt.NDArray[np.bool_]
SegmentMetrics = Callable[[Selection], Mapping[str, float | None]]
"""From a selection of test segments to metrics of them."""


def score_run(
    run: Run,
    names: Sequence[str],
    own_metrics: SegmentMetrics,
    pooled_metrics: Mapping[str, float | None],
) -> Score:
    """Score a quantized run: metrics of all `names`; see `edgebio.tasks.task.Task`."""
    test = run.test_set()
    outputs = np.load(run.folder / OUTPUTS, allow_pickle=False)

    def metrics(chosen: Selection) -> dict[str, float | None]:
        labels, recordings = test.labels[chosen], test.recordings[chosen]
        row: dict[str, float | None] = dict.fromkeys(names)
        row |= classification_metrics(labels, test.probability[chosen], recordings)
        int8 = classification_metrics(labels, outputs[chosen], recordings)
        return row | {f"{name}_int8": int8[name] for name in int8} | dict(own_metrics(chosen))

    def groups(by_recording: Sequence[str]) -> list[tuple[str, Selection]]:
        by_segment = np.array(by_recording)[test.recordings]
        selections = [(name, by_segment == name) for name in dict.fromkeys(by_recording)]
        return [(name, chosen) for name, chosen in selections if name and chosen.any()]

    by_subject = [
        {"subject": subject, "windows": int(chosen.sum()), **metrics(chosen)}
        for subject, chosen in groups(test.subjects)
    ]
    trained = " + ".join(run.metrics["train"]["conditions"])
    by_condition = [
        {"trained": trained, "tested": tested, "windows": int(chosen.sum()),
         **{name: row[name] for name in _BY_CONDITION}}
        for tested, chosen in groups(test.conditions)
        for row in [metrics(chosen)]
    ]  # fmt: skip
    pooled = metrics(np.ones(len(test.labels), bool)) | dict(pooled_metrics)
    return Score(by_subject, pooled, by_condition)
