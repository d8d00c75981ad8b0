"""Task: predict features of raw segments by an LSTM, and classify by them."""

from pathlib import Path

from edgebio.recipes import Recipe
from edgebio.tasks.feature_imitation import quantize, report, score, verify
from edgebio.tasks.feature_imitation.run import ImitationRun
from edgebio.tasks.results import Trained
from edgebio.tasks.split import Split
from edgebio.tasks.task import Task


def _train(recipe: Recipe, split: Split, folder: Path) -> Trained:
    from edgebio.tasks.feature_imitation.train import train_imitation  # imports TensorFlow

    return train_imitation(recipe, split, folder)


FEATURE_IMITATION = Task(
    name="feature_imitation",
    run_type=ImitationRun,
    metadata_entry=quantize.ENTRY,
    schemes=("ptq",),
    train_networks=_train,
    quantize_networks=quantize.quantize_imitation,
    verify=verify.verify_imitation,
    segment_metrics=score.segment_metrics,
    describe=report.describe_imitation,
    tiles=report.metric_tiles,
    sections=report.own_sections,
    fold_section=report.fold_section,
    pooled_metrics=score.pooled_metrics,
    tables=report.text_tables,
    own_metrics=score.METRICS,
    # Of [frontend], `n_fft` and `bins` are not used either, but they must suit the segment.
    unused_settings=(
        "frontend.window_function", "frontend.floor", "frontend.standardization",
        "frontend.fft_numerics", "model.family", "model.filters", "model.pool_after",
        "model.flatten", "model.dense", "training.normalization", "training.augment",
        "training.pretraining", "training.teacher", "training.new_subjects.normalization",
        "training.new_subjects.augment", "quantize.scheme", "quantize.percentile", "quantize.qat",
        "quantize.prune", "quantize.cluster", "decision", "grips",
    ),
)  # fmt: skip
"""An LSTM that predicts features of one channel, and a CNN that classifies by them."""
