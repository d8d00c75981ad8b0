"""Evaluate a recipe under a protocol: every fold is trained, quantized and run as C.

Folds are independent: each runs in a process of its own, and its result is kept under a key of
everything that it depends on. A second call, after an interruption or with another protocol that
shares a fold, computes only what is missing.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from edgebio import progress, protocols, storage
from edgebio.errors import EdgebioError, InterruptedWorkError
from edgebio.evaluation import statistics
from edgebio.evaluation.baseline import Baseline, BaselineResult, score_folds
from edgebio.evaluation.calibration_curve import (
    CalibrationResult,
    calibration_curve,
    first_repetitions,
)
from edgebio.evaluation.fold_key import code_digest
from edgebio.evaluation.fold_run import RESULT, FoldResult, fold_job
from edgebio.evaluation.statistics import Metrics, by_class, mean_metrics, metric_deviations
from edgebio.processes.cluster import ClusterRunner
from edgebio.processes.folder_job import FolderJob, LocalRunner
from edgebio.protocols import Fold
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording
from edgebio.tasks import task_of
from edgebio.training.statistics import confidence_interval

DOCUMENT = "evaluation.json"


@dataclass(frozen=True)
class Evaluation:
    """Metrics of a recipe under a protocol; content of ``evaluation.json``.

    Attributes
    ----------
    folds
        Results of all folds by the first seed, then by the next; `mean` and `deviation` are over
        these.
    seeds
        By seed: ``seed``, mean metrics, and ``classes``: the metrics of each class of the int8
        models, from the decisions of all folds together.
    subjects
        By subject tested: ``subject``, ``folds``, ``windows`` and the metrics.
    interval
        95 % confidence interval of each mean over subjects; None for a single subject.
    conditions
        By condition trained and tested at: mean accuracies; empty where recordings name none.
    baseline, calibration
        None where they were not asked for.
    """

    dataset: str
    protocol: str
    recipe: str
    folds: list[FoldResult]
    mean: Metrics
    deviation: Metrics
    seeds: list[dict[str, Any]]
    subjects: list[dict[str, Any]]
    mean_over_subjects: Metrics
    deviation_over_subjects: Metrics
    interval: dict[str, list[float] | None]
    conditions: list[dict[str, Any]]
    baseline: BaselineResult | None = None
    calibration: list[CalibrationResult] | None = None

    def document(self) -> dict[str, Any]:
        """Content of ``evaluation.json``."""
        return {
            name.replace("subjects", "people"): value
            for name, value in vars(self).items()
            if value is not None
        }


def evaluate(
    recipe: Recipe,
    recordings: Sequence[Recording],
    protocol: str,
    folder: Path,
    *,
    baseline: Baseline | None = None,
    calibration: Sequence[int] = (),
    pretraining: Sequence[Recording] = (),
    subjects: Sequence[str] = (),
    seeds: int = 1,
    jobs: int | None = None,
    scheduler: str | None = None,
    on_finished: Callable[[FoldResult], None] = lambda result: None,
) -> Evaluation:
    """Run all folds of a protocol.

    Parameters
    ----------
    recipe
        What each fold trains; the protocol takes the place of what its ``[data]`` tests.
    folder
        Where folds are kept and ``evaluation.json`` is written.
    baseline
        Score linear discriminant analysis on the same folds too.
    calibration
        With protocol ``transfer``: instead of tuned networks, evaluate those of other subjects,
        calibrated by these numbers of repetitions of the subject tested; see
        `edgebio.evaluation.calibration_curve.calibration_curve`.
    pretraining
        Recordings of other data sets, which every fold learns from first.
    subjects
        Run only folds that test no other subjects than these; all folds if empty.
    seeds
        Number of trainings of every fold, by the recipe's seed and those that follow it.
    jobs
        Folds at a time; one per core if None.
    scheduler
        Address of a Dask scheduler whose workers take the folds in place of this machine.
    on_finished
        Called with the result of each fold as it comes.

    Raises
    ------
    EdgebioError
        Where the recordings do not suit protocol or recipe, a fold fails or its process dies, or
        on Ctrl-C (`InterruptedWorkError`). Finished folds are kept.
    """
    folds = [
        replace(fold, pretraining=tuple(pretraining))
        for fold in protocols.split(protocol, recordings)
        if not subjects or {r.subject for r in fold.test} <= set(subjects)
    ]
    if not folds:
        raise EdgebioError(f"no fold of {protocol} tests only person {' or '.join(subjects)}")
    jobs = jobs or os.cpu_count() or 1
    trained_folds = folds
    if calibration:
        if protocol != "transfer":
            raise EdgebioError(f"calibration needs protocol transfer, not {protocol}")
        for fold in folds:
            first_repetitions(fold.tune, max(calibration))
        trained_folds = [replace(fold, tune=()) for fold in folds]
    runner = ClusterRunner(scheduler, code_digest) if scheduler else LocalRunner(jobs)
    by_seed = []
    for k in range(seeds):
        training = recipe.training.model_copy(update={"seed": recipe.training.seed + k})
        job = recipe.model_copy(update={"training": training})
        by_seed.append((job, _run_folds(job, trained_folds, folder, runner, on_finished)))
    rows = [row for _, own in by_seed for row in own]
    names = task_of(recipe).metrics
    by_subject = statistics.by_subject(rows, names)
    evaluation = Evaluation(
        dataset=recipe.data.dataset,
        protocol=protocol,
        recipe=recipe.name,
        folds=rows,
        mean=mean_metrics(rows, names),
        deviation=metric_deviations(rows, names),
        seeds=[
            {"seed": job.training.seed, **mean_metrics(own, names), "classes": by_class(own)}
            for job, own in by_seed
        ],
        subjects=by_subject,
        mean_over_subjects=mean_metrics(by_subject, names),
        deviation_over_subjects=metric_deviations(by_subject, names),
        interval={name: confidence_interval([row[name] for row in by_subject]) for name in names},
        conditions=statistics.by_condition(rows),
        baseline=score_folds(recipe, trained_folds) if baseline else None,
        calibration=calibration_curve(by_seed, folds, folder, calibration, jobs) or None,
    )
    storage.write_json(folder / DOCUMENT, evaluation.document())
    return evaluation


def _run_folds(
    recipe: Recipe,
    folds: Sequence[Fold],
    folder: Path,
    runner: LocalRunner | ClusterRunner,
    on_finished: Callable[[FoldResult], None],
) -> list[FoldResult]:
    """Run the folds that are not finished; results are in the order of `folds`."""
    jobs = [fold_job(recipe, fold, folder / "folds") for fold in folds]
    names = {job.folder: fold.name for job, fold in zip(jobs, folds, strict=True)}
    results: dict[Path, FoldResult] = {}
    with progress.bar("folds", len(folds)) as advance:

        def collect(job: FolderJob) -> None:
            result = storage.read_json(job.folder / RESULT)
            # Another protocol may have run the same fold under another name.
            result["fold"], result["seed"] = names[job.folder], recipe.training.seed
            result["place"] = job.folder.relative_to(folder).as_posix()
            results[job.folder] = cast(FoldResult, result)
            on_finished(results[job.folder])
            advance(1)

        for job in jobs:
            if (job.folder / RESULT).is_file():
                collect(job)
        missing = [job for job in jobs if job.folder not in results]
        try:
            if missing:
                runner.run(missing, collect)
        except InterruptedWorkError:
            raise InterruptedWorkError(
                f"interrupted: {len(results)} of {len(jobs)} folds are kept in {folder}; the same "
                "command continues"
            ) from None
    return [results[job.folder] for job in jobs]
