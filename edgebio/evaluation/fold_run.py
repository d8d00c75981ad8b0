"""One fold: trained, quantized, and scored by the C that the board would run."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from edgebio import storage
from edgebio.evaluation.fold_key import fold_key
from edgebio.processes.folder_job import FolderJob
from edgebio.protocols import Fold
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording
from edgebio.tasks import generated_c, task_of, task_of_run
from edgebio.tasks.run_folder import METRICS, QUANTIZE

RESULT = "result.json"
"""Written last: with it a fold is finished."""


class SegmentMetrics(TypedDict, total=False):
    """Metrics of test segments; a task may have more, see `edgebio.tasks.task.Task.metrics`."""

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    roc_auc: float | None
    instability: float
    accuracy_int8: float
    balanced_accuracy_int8: float
    macro_f1_int8: float
    roc_auc_int8: float | None
    instability_int8: float
    accuracy_decided: float | None
    instability_decided: float | None
    rejection_rate: float | None
    accuracy_vote: float | None
    accuracy_sure: float | None


class FoldResult(SegmentMetrics):
    """Content of ``result.json``; as a row of an evaluation it has ``seed`` and ``place`` too."""

    fold: str
    train: str  # subjects and sessions, in words
    test: str
    left_out: dict[str, list[dict[str, Any]]]  # excluded segments, by set and recording
    windows: int  # number of segments tested
    people: list[dict[str, Any]]  # the same by subject, see `edgebio.tasks.Score`
    conditions: list[dict[str, Any]]
    classes: list[str]
    by_class_int8: list[dict[str, Any]]
    confusion_int8: list[list[int]]
    decisions_differing: int  # between float and int8 model
    epochs: int  # number of the epoch whose weights were taken
    seconds: float
    model_sha256: str
    seed: int
    place: str  # folder of the run, below that of the evaluation


def fold_job(recipe: Recipe, fold: Fold, root: Path) -> FolderJob:
    """Job that runs a fold in its own folder below `root`."""
    name = f"fold {fold.name!r}"
    return FolderJob(name, root / fold_key(recipe, fold), run_fold, (recipe, fold))


def run_fold(recipe: Recipe, fold: Fold, folder: Path) -> None:
    """Train, quantize and score a fold; leave its run and ``result.json`` in `folder`."""
    limit_threads()
    task = task_of(recipe)
    task.train(recipe, fold, folder)
    task.quantize(folder, recordings=learned_recordings(fold), engine=generated_c)
    storage.write_json(folder / RESULT, fold_document(folder))


def limit_threads() -> None:
    """Give TensorFlow one core: a fold per core is faster than two folds that share all cores."""
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"


def learned_recordings(fold: Fold) -> Sequence[Recording]:
    """Recordings of a fold that its network may learn from."""
    return [*fold.train, *fold.validation, *fold.tune]


def fold_document(folder: Path) -> dict[str, Any]:
    """Content of ``result.json`` for a quantized run; see `FoldResult`."""
    task = task_of_run(folder)
    score = task.score(folder)
    metrics, quantized = (storage.read_json(folder / name) for name in (METRICS, QUANTIZE))
    return {
        "fold": metrics["fold"],
        "train": _described(metrics["train"], metrics["validation"], metrics["tune"]),
        "test": _described(metrics["test"]),
        "left_out": metrics["left_out"],
        "windows": metrics["test"]["windows"],
        **{name: score.pooled.get(name) for name in task.metrics},
        "people": score.by_subject,
        "conditions": score.by_condition,
        "classes": metrics["classes"],
        "by_class_int8": quantized["by_class_int8"],
        "confusion_int8": quantized["confusion_int8"],
        "decisions_differing": quantized["decisions_differing"],
        "epochs": metrics["best_epoch"],
        "seconds": metrics["seconds"],
        "model_sha256": quantized["model_sha256"],
    }


def _described(*sets: Mapping[str, Sequence[str]]) -> str:
    """Subjects and sessions of recordings, such as ``person 2, session 1``."""
    subjects, sessions = (
        list(dict.fromkeys(value for part in sets for value in part[field]))
        for field in ("subjects", "sessions")
    )
    return (
        f"{'person' if len(subjects) == 1 else 'people'} {', '.join(subjects)}, "
        f"{'session' if len(sessions) == 1 else 'sessions'} {', '.join(sessions)}"
    )
