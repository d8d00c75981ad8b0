"""Accuracy against calibration: a network of other subjects, and a few repetitions of the wearer.

Each wearer's model is calibrated as by ``edgebio calibrate``, on the int8 model that would be
flashed: on the first repetitions of the first session. It is tested on the second session, as it is
and after that session's unlabeled signal has set the statistics.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

from edgebio import progress, storage
from edgebio.errors import EdgebioError
from edgebio.evaluation.fold_key import fold_key
from edgebio.evaluation.fold_run import FoldResult
from edgebio.evaluation.statistics import mean_metrics
from edgebio.processes.folder_job import FolderJob, LocalRunner
from edgebio.protocols import Fold
from edgebio.protocols.fold import repetition_group
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording
from edgebio.training.statistics import confidence_interval

RESULT = "wearer.json"
METRICS = (
    "signal_seconds", "seconds", "accuracy_int8", "accuracy_vote", "accuracy_sure",
    "accuracy_as_calibrated",
)  # fmt: skip


class CalibrationResult(TypedDict):
    """One point of the curve, means over subjects; `people` holds the same of each subject."""

    repetitions: int
    signal_seconds: float | None  # of labeled signal
    seconds: float | None  # that calibration takes
    accuracy_int8: float | None
    accuracy_vote: float | None
    accuracy_sure: float | None
    accuracy_as_calibrated: float | None  # without the statistics of the session that is tested
    interval: list[float] | None  # 95 % confidence interval of accuracy_int8
    people: list[dict[str, Any]]


def first_repetitions(recordings: Sequence[Recording], count: int) -> tuple[Recording, ...]:
    """First repetitions of every class.

    Raises
    ------
    EdgebioError
        Where a class has fewer.
    """
    numbers: dict[Any, set[int]] = {}
    for r in recordings:
        numbers.setdefault(repetition_group(r), set()).add(r.repetition)
    first = {group: sorted(own)[:count] for group, own in numbers.items()}
    for r in recordings:
        available = len(first[repetition_group(r)])
        if available < count:
            raise EdgebioError(
                f"{r.source}: person {r.subject}, session {r.session} has {available} "
                f"repetition(s) of this class; {count} are needed to calibrate"
            )
    return tuple(r for r in recordings if r.repetition in first[repetition_group(r)])


def calibration_curve(
    trained: Sequence[tuple[Recipe, Sequence[FoldResult]]],
    folds: Sequence[Fold],
    folder: Path,
    repetitions: Sequence[int],
    jobs: int,
) -> list[CalibrationResult]:
    """Calibrate the finished network of every fold, once for each number of repetitions.

    Parameters
    ----------
    trained
        By seed: the recipe of the networks of other subjects, and the results of its folds.
    folds
        Of the protocol transfer: networks are calibrated on their `tune` set.
    repetitions
        Numbers; 0 is the network of other subjects as it is.
    """
    curve = []
    for number in sorted(set(repetitions)):
        rows: list[dict[str, Any]] = []
        for recipe, results in trained:
            if number:
                first = [replace(f, tune=first_repetitions(f.tune, number)) for f in folds]
                rows += _calibrated(recipe, first, results, folder, jobs)
            else:
                rows += [_uncalibrated(result) for result in results]
        subjects: list[dict[str, Any]] = []
        for subject in dict.fromkeys(row["subject"] for row in rows):
            own = [row for row in rows if row["subject"] == subject]
            subjects.append({"subject": subject, **mean_metrics(own, METRICS)})
        point: Any = {
            "repetitions": number,
            **mean_metrics(subjects, METRICS),
            "interval": confidence_interval([row["accuracy_int8"] for row in subjects]),
            "people": subjects,
        }
        curve.append(point)
    return curve


def _uncalibrated(result: Mapping[str, Any]) -> dict[str, Any]:
    accuracies = ("accuracy_int8", "accuracy_vote", "accuracy_sure")
    return {
        "subject": result["people"][0]["subject"],
        "signal_seconds": 0.0,
        **{name: result[name] for name in accuracies},
    }


def _calibrated(
    recipe: Recipe, folds: Sequence[Fold], results: Sequence[FoldResult], folder: Path, workers: int
) -> list[dict[str, Any]]:
    """Results of all folds; only those that are missing are computed."""
    jobs = []
    for fold, result in zip(folds, results, strict=True):
        target = folder / "calibrated" / fold_key(recipe, fold)
        arguments = recipe, fold, folder / result["place"]
        jobs.append(FolderJob(f"fold {fold.name!r}", target, calibrate_fold, arguments))
    missing = [job for job in jobs if not (job.folder / RESULT).is_file()]
    with progress.bar("calibrating", len(jobs)) as advance:
        advance(len(jobs) - len(missing))
        if missing:
            LocalRunner(workers).run(missing, lambda job: advance(1))
    return [storage.read_json(job.folder / RESULT) for job in jobs]


def calibrate_fold(recipe: Recipe, fold: Fold, run: Path, folder: Path) -> None:
    """Calibrate a run's model on a fold's `tune` set, score it, and leave both in `folder`."""
    from edgebio import calibration, tflite
    from edgebio.compiler.host_model import HostModel
    from edgebio.frontend.twin import Twin
    from edgebio.tasks.run_folder import MODEL
    from edgebio.tasks.stft_classifier.score import Int8Decisions
    from edgebio.tflite.metadata import require_metadata
    from edgebio.training.images import Images

    def decide(content: bytes) -> Int8Decisions:
        metadata = require_metadata(tflite.read(content), "calibrate")
        twin = Twin(metadata.frontend, metadata.standardization)
        images = Images.cut(twin, fold.test, metadata.frontend.step_frames, recipe.data)
        outputs = HostModel(content).run(images.all())
        return Int8Decisions.of(content, outputs, images.labels, images.recordings)

    base = (run / MODEL).read_bytes()
    start = time.monotonic()
    calibrated = calibration.calibrate(base, fold.tune, labels=True)
    seconds = time.monotonic() - start
    standardized = calibration.calibrate(calibrated.content, fold.test, labels=False)
    decided = decide(standardized.content)
    storage.write_bytes(folder / MODEL, calibrated.content)
    storage.write_json(
        folder / RESULT,
        {
            "subject": fold.test[0].subject,
            "signal_seconds": sum(len(r.samples) / r.rate for r in fold.tune),
            "seconds": round(seconds, 1),
            **decided.metrics(),
            "accuracy_int8": decided.accuracy,
            "accuracy_as_calibrated": decide(calibrated.content).accuracy,
        },
    )
