"""Tasks: what a recipe trains. One interface, `Task`, and one package for each implementation."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgebio import protocols, recipes, tflite
from edgebio.errors import EdgebioError
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording
from edgebio.tasks.engines import Engine, generated_c, interpreter
from edgebio.tasks.feature_imitation import FEATURE_IMITATION
from edgebio.tasks.results import QuantizeResult, Score, TrainResult, VerifyResult
from edgebio.tasks.run_folder import RECIPE, Run
from edgebio.tasks.stft_classifier import STFT_CLASSIFIER
from edgebio.tasks.task import Task

__all__ = [
    "TASKS", "Engine", "QuantizeResult", "Run", "Score", "Task", "TrainResult", "VerifyResult",
    "generated_c", "interpreter", "load_run", "quantize", "task_of", "task_of_model",
    "task_of_run", "train",
]  # fmt: skip

TASKS: dict[str, Task[Any]] = {task.name: task for task in (STFT_CLASSIFIER, FEATURE_IMITATION)}


def task_of(recipe: Recipe) -> Task[Any]:
    """Task that a recipe names."""
    return TASKS[recipe.task]


def task_of_run(folder: Path) -> Task[Any]:
    """Task that a run was trained for.

    Raises
    ------
    EdgebioError
        If the folder holds no run.
    """
    if not (folder / RECIPE).is_file():
        raise EdgebioError(
            f"{folder}: not a finished run (no {RECIPE}): edgebio train RECIPE -o {folder}"
        )
    return task_of(recipes.load(folder / RECIPE))


def task_of_model(model: Path) -> Task[Any]:
    """Task whose run a .tflite is in; the STFT classifier for any other model."""
    if (model.parent / RECIPE).is_file():
        task = task_of_run(model.parent)
        if task.metadata_entry in tflite.read(model).metadata:
            return task
    return STFT_CLASSIFIER


def train(
    recipe: Recipe,
    recordings: Sequence[Recording],
    folder: Path,
    pretraining: Sequence[Recording] = (),
) -> TrainResult:
    """Train by a recipe on recordings, split as its ``[data]`` says; see `Task.train`.

    `pretraining` are recordings of the other data sets that the recipe names.
    """
    fold = replace(
        protocols.split_for_training(recipe.data, recordings), pretraining=tuple(pretraining)
    )
    return task_of(recipe).train(recipe, fold, folder)


def quantize(folder: Path, **options: Any) -> QuantizeResult:
    """Quantize a run; see `Task.quantize`."""
    return task_of_run(folder).quantize(folder, **options)


def load_run(folder: Path) -> Run:
    """Read a run of any task; see `Run.load`."""
    run: Run = task_of_run(folder).load_run(folder)
    return run
