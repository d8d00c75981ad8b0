"""One candidate on an inner fold: trained, quantized, scored by the C that a board would run."""

import functools
import os
from collections import deque
from pathlib import Path

from edgebio import storage
from edgebio.evaluation import workers
from edgebio.evaluation.evaluate import RESULT, by_generated_c, code, key
from edgebio.protocols import Fold
from edgebio.recipes import Recipe

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1")

_code = functools.partial(code, "search")  # of a worker too: what it runs stands in this room


def kept_score(recipe: Recipe, fold: Fold, folder: Path, scheduler: str | None = None) -> Path:
    """Folder of one fold, which `score_fold` makes where it is not kept below `folder` yet.

    Parameters
    ----------
    recipe, fold
        What is trained and scored.
    folder
        Where folds are kept.
    scheduler
        Address of a Dask scheduler whose workers take the fold in place of this machine.

    Raises
    ------
    EdgebioError
        Where the fold fails, or a worker has other code.
    LostError
        Where it does not end through no fault of its own.
    """
    place = folder / "folds" / key(recipe, fold)
    if not (place / RESULT).is_file():
        todo = {place: fold}
        deque(
            workers.on_cluster(score_fold, recipe, todo, scheduler, _code)
            if scheduler
            else workers.locally(score_fold, recipe, todo, 1),
            maxlen=0,
        )
    return place


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
