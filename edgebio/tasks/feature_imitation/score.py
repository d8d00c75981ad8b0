"""Metrics of a feature imitation: R2 of the predicted features."""

from edgebio.tasks.feature_imitation.feature_scale import r2_by_feature
from edgebio.tasks.feature_imitation.run import ImitationRun
from edgebio.tasks.scoring import SegmentMetrics, Selection


def segment_metrics(run: ImitationRun) -> SegmentMetrics:
    """Return what computes ``r2_rms`` and so on, of float and int8, of a selection of segments."""
    arrays = run.arrays
    predicted = {
        "": run.frontend.feature_scale.decode(arrays.predicted),
        "_int8": run.int8_features(),
    }

    def metrics(chosen: Selection) -> dict[str, float | None]:
        return {
            f"r2_{name}{suffix}": value
            for suffix, features in predicted.items()
            for name, value in r2_by_feature(arrays.features[chosen], features[chosen]).items()
        }

    return metrics


def pooled_metrics(run: ImitationRun) -> dict[str, float | None]:
    """Accuracies, over all subjects, of the classifiers trained with most of the labels.

    ``accuracy_true`` is that on true features, ``accuracy_tuned`` that of both networks tuned
    together.
    """
    row = max(run.metrics["percentages"], key=lambda row: row["percentage"])
    return {"accuracy_true": row["true"], "accuracy_tuned": row["tuned"]}
