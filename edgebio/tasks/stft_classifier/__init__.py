"""Task: classify STFT images of segments by a compact CNN."""

from pathlib import Path

from edgebio.recipes import Recipe
from edgebio.tasks.results import Trained
from edgebio.tasks.split import Split
from edgebio.tasks.stft_classifier import quantize, report, score, verify
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.tasks.task import Task
from edgebio.tflite.metadata import ENTRY


def _train(recipe: Recipe, split: Split, folder: Path) -> Trained:
    from edgebio.tasks.stft_classifier.train import train_classifier  # imports TensorFlow

    return train_classifier(recipe, split, folder)


STFT_CLASSIFIER = Task(
    name="stft_classifier",
    run_type=ImageRun,
    metadata_entry=ENTRY,
    schemes=("ptq", "qat", "prune", "cluster"),
    train_networks=_train,
    quantize_networks=quantize.quantize_classifier,
    verify=verify.verify_classifier,
    segment_metrics=score.segment_metrics,
    describe=report.describe_classifier,
    tiles=report.metric_tiles,
    sections=report.own_sections,
    fold_section=report.fold_section,
)
"""A CNN over STFT images, whose pixels the firmware's own front end computes."""
