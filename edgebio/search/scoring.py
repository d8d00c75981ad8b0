"""One candidate on an inner fold: trained, quantized, scored by the C that a board would run."""

import os
from pathlib import Path

from edgebio import storage
from edgebio.evaluation.evaluate import RESULT, by_generated_c
from edgebio.protocols import Fold
from edgebio.recipes import Recipe

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1")


def score_fold(recipe: Recipe, fold: Fold, place: Path) -> None:
    """Leave a quantized run and result.json in `place`; for a process of its own.

    ``result.json`` holds ``fold``, ``seconds`` and, of the inner test side, `FIGURES` of the float
    network and, with ``_int8``, of the int8 one. What is kept of a run for people to look at, its
    images and the comparison layer by layer, is left out: nobody looks at most candidates.
    """
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"  # candidates are trained side by side
    from edgebio.quantize import quantize
    from edgebio.training.run import IMAGES
    from edgebio.training.train import train_fold

    metrics = train_fold(recipe, fold, place)
    learned = [*fold.train, *fold.validation, *fold.tune]
    quantized = quantize(place, by_generated_c, recordings=lambda run: learned, compare=False)
    (place / IMAGES).unlink()
    document = {
        "fold": fold.name,
        "seconds": metrics["seconds"],
        **{name: metrics[name] for name in FIGURES},
        **{f"{name}_int8": quantized[f"{name}_int8"] for name in FIGURES},
    }
    storage.write_json(place / RESULT, document)  # last: with it the fold is finished
