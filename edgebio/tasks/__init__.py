"""Tasks: what a recipe trains. One interface, `Task`, and one package for each implementation."""

from pathlib import Path

from edgebio import recipes
from edgebio.recipes import Recipe
from edgebio.tasks.engines import generated_c
from edgebio.tasks.feature_imitation import FeatureImitation
from edgebio.tasks.stft_classifier import StftClassifier
from edgebio.tasks.task import Engine, QuantizeResult, Score, Task, TrainResult

__all__ = [
    "TASKS", "Engine", "QuantizeResult", "Score", "Task", "TrainResult", "generated_c", "task_of",
    "task_of_run",
]  # fmt: skip

TASKS: dict[str, Task] = {task.name: task for task in (StftClassifier(), FeatureImitation())}


def task_of(recipe: Recipe) -> Task:
    """Task that a recipe names."""
    return TASKS["feature_imitation" if recipe.feature_imitation else "stft_classifier"]


def task_of_run(folder: Path) -> Task:
    """Task that a run was trained for.

    Raises
    ------
    EdgebioError
        Where the folder holds no run.
    """
    return task_of(recipes.load(folder / "recipe.toml"))
