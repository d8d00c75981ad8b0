"""One candidate of a search: its recipe, its cost, and its score on the inner folds."""

import functools
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgebio import recipes, storage
from edgebio.evaluation.fold_key import code_digest, fold_key
from edgebio.evaluation.fold_run import RESULT, learned_recordings, limit_threads
from edgebio.processes import subprocess_call
from edgebio.processes.cluster import ClusterRunner
from edgebio.processes.folder_job import FolderJob, LocalRunner, LostJobError
from edgebio.protocols import Fold
from edgebio.recipes import Recipe
from edgebio.search.candidate_cost import Cost, CostCounter
from edgebio.search.optuna_study import Candidate
from edgebio.search.request import METRICS, Request
from edgebio.search.search_space import Params, SearchSpace
from edgebio.tasks import generated_c, task_of
from edgebio.training.image_set import frontend_spec

Runner = LocalRunner | ClusterRunner

_SEED_STEP = 100  # between two rounds of training; every fold has a seed of its own

search_code_digest = functools.partial(code_digest, "search")
"""Digest of the code that a candidate's score depends on."""


@dataclass(frozen=True)
class CandidateTrainer:
    """Counts and trains candidates; every cost and every fold only once."""

    request: Request
    space: SearchSpace
    folds: Sequence[Fold]  # inner folds
    folder: Path  # of the search
    runner: Runner
    # However many workers train, costs are counted on the cores of this machine.
    _counting: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(os.cpu_count() or 1), repr=False
    )

    @property
    def counter(self) -> CostCounter:
        """Counts costs on the board."""
        return CostCounter(self.request.board, self.request.limits, self.folder / "costs")

    def identity(self, params: Params) -> str:
        """Text that two sets of parameters have in common if they give the same recipe."""
        return recipes.dump(self.space.recipe_of(params, "candidate"))

    def is_start(self, params: Params) -> bool:
        """Whether these are the parameters of the recipe that the search starts from."""
        return self.identity(params) == self.identity(self.space.start())

    def within_limits(self, candidate: Candidate) -> bool:
        """Whether a candidate was scored on all folds and is within all limits."""
        cost = candidate.cost
        return candidate.state == "done" and cost is not None and not cost.over(self.request.limits)

    def recipe_of(self, candidate: Candidate) -> Recipe:
        """Recipe as it is trained in the search."""
        name = f"{self.request.recipe.name}-{candidate.number}"
        recipe = self.space.recipe_of(candidate.params, name)
        if self.request.epochs is None:
            return recipe
        epochs = {"epochs": self.request.epochs}
        new_subjects = recipe.training.new_subjects.model_copy(update=epochs)
        training = recipe.training.model_copy(update={**epochs, "new_subjects": new_subjects})
        return recipe.model_copy(update={"training": training})

    def cost(self, recipe: Recipe) -> Cost:
        """Count a recipe's cost before it is trained."""
        recordings = self.folds[0].train
        spec = frontend_spec(recipe.frontend, recordings)
        try:
            with self._counting:
                return self.counter.untrained(recipe, spec, recordings[0].classes)
        except subprocess_call.ProcessDiedError as error:
            raise LostJobError(
                f"the process that counts a candidate died ({error}; short of memory?): run the "
                "same command again, with --jobs 1"
            ) from None

    def score(self, recipe: Recipe, fold: int, turn: int) -> float:
        """Metric of the int8 network on an inner fold, by number; `turn` counts its seeds."""
        result = storage.read_json(self.run(recipe, fold, turn) / RESULT)
        return float(result[f"{self.request.metric}_int8"])

    def run(self, recipe: Recipe, fold: int, turn: int) -> Path:
        """Folder of a run on an inner fold, trained where it is not there yet."""
        seed = recipe.training.seed + _SEED_STEP * turn + fold
        training = recipe.training.model_copy(update={"seed": seed})
        seeded = recipe.model_copy(update={"training": training})
        return trained_fold(seeded, self.folds[fold], self.folder, self.runner)


def trained_fold(recipe: Recipe, fold: Fold, folder: Path, runner: Runner) -> Path:
    """Folder of one fold below `folder`, which `score_fold` fills where it is not finished."""
    target = folder / "folds" / fold_key(recipe, fold)
    if not (target / RESULT).is_file():
        runner.run([FolderJob(f"fold {fold.name!r}", target, score_fold, (recipe, fold))])
    return target


def score_fold(recipe: Recipe, fold: Fold, folder: Path) -> None:
    """Leave a quantized run and ``result.json`` in `folder`.

    ``result.json`` holds ``fold``, ``seconds`` and `METRICS` of the float network and, with
    ``_int8``, of the int8 one. Test images and the comparison by layer are left out: most
    candidates are never looked at.
    """
    from edgebio.tasks.stft_classifier.run import IMAGES

    limit_threads()
    task = task_of(recipe)
    trained = task.train(recipe, fold, folder)
    quantized = task.quantize(
        folder, recordings=learned_recordings(fold), engine=generated_c, compare_layers=False
    )
    (folder / IMAGES).unlink()
    document: dict[str, Any] = {
        "fold": fold.name,
        "seconds": trained.seconds,
        **{name: getattr(trained.metrics, name) for name in METRICS},
        **{f"{name}_int8": getattr(quantized.int8_metrics, name) for name in METRICS},
    }
    storage.write_json(folder / RESULT, document)  # last: with it the fold is finished
