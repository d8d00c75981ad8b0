"""Accuracy against calibration: a network of other people, and a few repetitions of the wearer.

What is done to each wearer is what ``edgebio calibrate`` does, to the int8 model that would be
flashed: the first repetitions of his or her first session teach it, and the second session tests
it, both as it is and once its unlabelled signal has set the statistics.
"""

import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgebio import progress, storage
from edgebio.errors import EdgebioError
from edgebio.evaluation import people, workers
from edgebio.protocols import Fold
from edgebio.protocols.fold import group
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording

RESULT = "wearer.json"
FIGURES = (
    "signal_seconds", "seconds", "accuracy_int8", "accuracy_vote", "accuracy_sure",
    "accuracy_as_calibrated",
)  # fmt: skip


def untuned(fold: Fold) -> Fold:
    """Return the fold without what would be tuned on: the network that is calibrated."""
    return replace(fold, tune=())


def first(recordings: Sequence[Recording], repetitions: int) -> tuple[Recording, ...]:
    """First repetitions of every class.

    Raises
    ------
    EdgebioError
        Where a class has fewer.
    """
    numbers: dict[Any, list[int]] = {}
    for r in recordings:
        numbers.setdefault(group(r), []).append(r.repetition)
    few = {which: sorted(set(there))[:repetitions] for which, there in numbers.items()}
    for r in recordings:
        if len(few[group(r)]) < repetitions:
            raise EdgebioError(
                f"{r.source}: person {r.subject}, session {r.session} has {len(few[group(r)])} "
                f"repetition(s) of this class; {repetitions} are wanted to calibrate on"
            )
    return tuple(r for r in recordings if r.repetition in few[group(r)])


def curve(
    trained: Sequence[tuple[Recipe, Sequence[dict[str, Any]]]],
    folds: Sequence[Fold],
    folder: Path,
    repetitions: Sequence[int],
    jobs: int,
    name: Callable[[Recipe, Fold], str],
) -> list[dict[str, Any]]:
    """Calibrate the finished network of every fold, once for each number of repetitions.

    Parameters
    ----------
    trained
        By seed: what trained the networks of other people, and by fold what was found of them,
        with its ``place``.
    folds
        Of the protocol transfer: their `tune` side is what is calibrated on.
    folder
        Where results are kept, and `place` is below.
    repetitions
        Numbers; 0 is the network of other people on the wearer's unlabelled signal.
    jobs
        Folds at a time.
    name
        Of everything that the result of a fold depends on.

    Returns
    -------
    list of dict
        By number: ``repetitions``, ``signal_seconds`` (labelled signal) and ``seconds`` (of
        calibration), means over people; ``accuracy_int8``, ``accuracy_vote`` and ``accuracy_sure``
        (see `edgebio.evaluation.figures`), and ``accuracy_as_calibrated``, by window, without the
        statistics of the session that is tested; ``interval`` (95 % over people) and
        ``people``, the same of each, means over the seeds.
    """
    rows = []
    for number in sorted(set(repetitions)):
        found: list[dict[str, Any]] = []
        for recipe, results in trained:
            if not number:
                found += [_unlabelled(result) for result in results]
                continue
            taught = [replace(fold, tune=first(fold.tune, number)) for fold in folds]
            places = {folder / "calibrated" / name(recipe, fold): fold for fold in taught}
            models = {
                place.name: folder / result["place"]
                for place, result in zip(places, results, strict=True)
            }
            found += _taught(functools.partial(_teach, models), recipe, places, number, jobs)
        everyone = [
            {"subject": subject, **_means([row for row in found if row["subject"] == subject])}
            for subject in dict.fromkeys(row["subject"] for row in found)
        ]
        rows.append(
            {
                "repetitions": number,
                **_means(everyone),
                "interval": people.interval([person["accuracy_int8"] for person in everyone]),
                "people": everyone,
            }
        )
    return rows


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    return {figure: people.mean([row[figure] for row in rows]) for figure in FIGURES}


def _unlabelled(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject": result["people"][0]["subject"],
        "signal_seconds": 0.0,
        "seconds": None,
        **{name: result[name] for name in ("accuracy_int8", "accuracy_vote", "accuracy_sure")},
        "accuracy_as_calibrated": None,
    }


def _taught(
    job: workers.Job, recipe: Recipe, places: workers.Folds, number: int, jobs: int
) -> list[dict[str, Any]]:
    missing = {place: fold for place, fold in places.items() if not (place / RESULT).is_file()}
    with progress.bar(f"calibrating on {number}", len(places)) as advance:
        advance(len(places) - len(missing))
        if missing:
            for _ in workers.locally(job, recipe, missing, jobs):
                advance(1)
    return [json.loads((place / RESULT).read_text()) for place in places]


def _teach(models: Mapping[str, Path], recipe: Recipe, fold: Fold, place: Path) -> None:
    """Calibrate one wearer's network and score it; ``wearer.json`` stays in `place`."""
    from edgebio import calibration, tflite
    from edgebio.compiler.host import HostModel
    from edgebio.evaluation.figures import Decided
    from edgebio.frontend.twin import Twin
    from edgebio.quantize.quantize import MODEL
    from edgebio.tflite.metadata import require
    from edgebio.training.images import Images

    def decided(content: bytes) -> Decided:
        about = require(tflite.read(content), "calibrate")
        twin = Twin(about.frontend, about.standardisation)
        images = Images.of(twin, fold.test, about.frontend.stride, recipe.data)
        outputs = HostModel(content).run(images.all())
        return Decided.of(content, outputs, images.labels, images.recordings)

    base = (models[place.name] / MODEL).read_bytes()
    start = time.monotonic()
    made = calibration.calibrate(base, fold.tune, labels=True)
    seconds = time.monotonic() - start
    today = calibration.calibrate(made.content, fold.test, labels=False)
    settled = decided(today.content)
    storage.write_bytes(place / MODEL, made.content)
    storage.write_json(
        place / RESULT,
        {
            "subject": fold.test[0].subject,
            "signal_seconds": sum(len(r.samples) / r.rate for r in fold.tune),
            "seconds": round(seconds, 1),
            **settled.figures(),
            "accuracy_int8": settled.accuracy,
            "accuracy_as_calibrated": decided(made.content).accuracy,
        },
    )
