"""Metrics of a feature imitation: R2 of the predicted features."""

from edgebio.tasks.feature_imitation.feature_scale import r2_by_feature
from edgebio.tasks.feature_imitation.run import ImitationRun
from edgebio.tasks.scoring import SegmentMetrics, Selection
from edgebio.training.features import IMITATED_FEATURES

METRICS = (
    "accuracy_true", "accuracy_tuned",
    *(f"r2_{name}{suffix}" for suffix in ("", "_int8") for name in IMITATED_FEATURES),
)  # fmt: skip


def segment_metrics(run: ImitationRun) -> SegmentMetrics:
    """Return what computes ``r2_rms`` and so on, of float and int8, of a selection of segments."""
    true, scale = run.arrays.features, run.frontend.feature_scale
    predictions = {"": scale.decode(run.arrays.predicted), "_int8": run.int8_features()}

    def metrics(chosen: Selection) -> dict[str, float | None]:
        return {
            f"r2_{name}{suffix}": value
            for suffix, predicted in predictions.items()
            for name, value in r2_by_feature(true[chosen], predicted[chosen]).items()
        }

    return metrics


def pooled_metrics(run: ImitationRun) -> dict[str, float | None]:
    """Accuracies, over all subjects, of the classifiers trained with most of the labels.

    On true features, and of both networks tuned together.
    """
    row = max(run.metrics["percentages"], key=lambda row: row["percentage"])
    return {"accuracy_true": row["true"], "accuracy_tuned": row["tuned"]}
