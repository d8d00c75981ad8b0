"""Score a recipe under a protocol: every fold is trained, quantized and run as the device would.

Folds are independent: they run in processes of their own, and what a finished one found is kept
under a key of everything that it depends on. A second call, after an interruption or with another
protocol that shares a fold, computes only what is not there.
"""

import functools
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from edgebio import progress, protocols, storage
from edgebio.errors import EdgebioError
from edgebio.evaluation import people, wearer, workers
from edgebio.protocols import Fold
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording
from edgebio.training.features import IMITATED
from edgebio.training.scores import by_class

Baseline = Literal["lda"]
RESULT, DOCUMENT = "result.json", "evaluation.json"

_SCORES = ("accuracy", "balanced_accuracy", "macro_f1")
_WINDOWS = (*_SCORES, "roc_auc", "instability")
_DECIDED = (
    "accuracy_decided", "instability_decided", "rejection_rate", "accuracy_vote", "accuracy_sure",
)  # fmt: skip
_AT_A_CONDITION = ("accuracy", "accuracy_int8", "accuracy_vote", "accuracy_sure")
_FIGURES = (*_WINDOWS, *(f"{name}_int8" for name in _WINDOWS), *_DECIDED)
IMITATION = (
    "accuracy_true", "accuracy_tuned",
    *(f"r2_{name}{suffix}" for suffix in ("", "_int8") for name in IMITATED),
)  # fmt: skip
"""Figures of a recipe with ``[imitation]`` besides: accuracy by true features and of both networks
tuned together, and R2 of what is imitated."""
_ROOMS = (
    "frontend", "protocols", "models", "training", "calibration", "quantize", "tflite", "compiler",
    "decision", "evaluation",
)  # fmt: skip
_ASSETS = ("frontend", "kernels", "decision")
"""Whose code a result depends on; what readers and splitters make is hashed itself."""


def evaluate(
    recipe: Recipe,
    recordings: Sequence[Recording],
    protocol: str,
    folder: Path,
    *,
    baseline: Baseline | None = None,
    calibration: Sequence[int] = (),
    others: Sequence[Recording] = (),
    tested: Sequence[str] = (),
    seeds: int = 1,
    jobs: int | None = None,
    scheduler: str | None = None,
    finished: Callable[[dict[str, Any]], None] = lambda result: None,
) -> dict[str, Any]:
    """Run all folds of a protocol.

    Parameters
    ----------
    recipe
        What each fold trains; its ``[data]`` is not asked who is tested.
    recordings
        Everybody.
    protocol
        A name of `edgebio.protocols.names`.
    folder
        Where folds are kept and ``evaluation.json`` is written.
    baseline
        Score linear discriminant analysis on the same folds too.
    calibration
        Of the protocol transfer: not the tuned networks, but those of other people, calibrated by
        so many repetitions of the wearer's first session; see `edgebio.evaluation.wearer.curve`.
    others
        By ``recipe.others``: what every fold learns from before.
    tested
        Only the folds that test nobody but these people; all if none is named.
    seeds
        Times that every fold is trained, by the recipe's seed and those that follow it.
    jobs
        Folds at a time; as many as the machine has cores if None.
    scheduler
        Address of a Dask scheduler whose workers take the folds in place of this machine.
    finished
        Called with the result of each fold, as it comes.

    Returns
    -------
    dict
        ``dataset``, ``protocol``, ``recipe``, ``folds`` (see `result`, and ``seed``, and ``place``
        below `folder`; all folds of one seed, then of the next), ``mean`` and ``deviation`` over
        them, ``seeds`` (of each, the mean over its folds, and ``classes``: what
        `edgebio.training.scores.by_class` says of the int8 decisions of all its folds together),
        ``people`` (the figures of each person tested), ``mean_over_people`` and
        ``deviation_over_people``, ``interval`` (95 % of that mean, by bootstrap; None for one
        person), ``conditions`` (mean accuracy over folds by the conditions trained and tested at;
        empty where recordings name none), and ``baseline`` and ``calibration``, where they were
        asked for. A baseline has the same, but of people only where each fold tests one.

    Raises
    ------
    EdgebioError
        Where the recordings do not suit protocol or recipe, or a fold's process dies. What has
        been finished is kept.
    """
    folds = [
        replace(fold, others=tuple(others))
        for fold in protocols.split(protocol, recordings)
        if not tested or {r.subject for r in fold.test} <= set(tested)
    ]
    if not folds:
        raise EdgebioError(f"no fold of {protocol} tests person {' or '.join(tested)} alone")
    jobs = jobs or os.cpu_count() or 1
    taught = folds
    if calibration:
        if protocol != "transfer":
            raise EdgebioError(f"calibration is of the protocol transfer, not of {protocol}")
        for fold in folds:
            wearer.first(fold.tune, max(calibration))
        folds = [wearer.untuned(fold) for fold in folds]
    by_seed = [
        (job, _run(job, folds, folder, jobs, scheduler, finished)) for job in _seeded(recipe, seeds)
    ]
    document: dict[str, Any] = {
        "dataset": recipe.data.dataset,
        "protocol": protocol,
        "recipe": recipe.name,
        "folds": [row for _, rows in by_seed for row in rows],
    }
    figures = (*_FIGURES, *IMITATION) if recipe.imitation else _FIGURES
    document |= _over(document["folds"], figures)
    document["seeds"] = [
        {
            "seed": job.training.seed,
            **_over(rows, figures)["mean"],
            "classes": _over_classes(rows),
        }
        for job, rows in by_seed
    ]
    everyone = people.by_person(document["folds"], figures)
    document |= {"people": everyone, **_over(everyone, figures, "_over_people")}
    document["interval"] = {
        name: people.interval([person[name] for person in everyone]) for name in figures
    }
    document["conditions"] = _over_conditions(document["folds"])
    if baseline:
        document["baseline"] = _baseline(baseline, recipe, folds)
    if calibration:
        document["calibration"] = wearer.curve(by_seed, taught, folder, calibration, jobs, key)
    storage.write_json(folder / DOCUMENT, document)
    return document


def key(recipe: Recipe, fold: Fold) -> str:
    """Name of everything that the result of a fold depends on, besides the machine."""
    hasher = hashlib.sha256(code())
    what = recipe.model_dump(
        include={"frontend", "model", "training", "quantize", "imitation", "decision"}
    )
    what["data"] = recipe.data.model_dump(include={"windows", "artefacts"})
    hasher.update(json.dumps(what, sort_keys=True).encode())
    for side in (fold.train, fold.test, fold.tune, fold.validation, fold.others):
        hasher.update(b"side")
        for r in side:
            about = [r.rate, r.units, r.classes, r.subject, r.session, r.condition, r.repetition]
            hasher.update(json.dumps(about).encode() + protocols.digest(r))
    return hasher.hexdigest()[:24]


def _seeded(recipe: Recipe, seeds: int) -> list[Recipe]:
    """Return the same job with its seed, and those that follow it."""
    first = recipe.training
    trainings = (first.model_copy(update={"seed": first.seed + k}) for k in range(seeds))
    return [recipe.model_copy(update={"training": training}) for training in trainings]


def _run(
    recipe: Recipe,
    folds: Sequence[Fold],
    folder: Path,
    jobs: int,
    scheduler: str | None,
    finished: Callable[[dict[str, Any]], None],
) -> list[dict[str, Any]]:
    places = [folder / "folds" / key(recipe, fold) for fold in folds]
    results: dict[int, dict[str, Any]] = {}
    with progress.bar("folds", len(folds)) as advance:

        def keep(number: int) -> None:
            place = places[number]
            read = json.loads((place / RESULT).read_text())
            where = place.relative_to(folder).as_posix()
            results[number] = {**read, "seed": recipe.training.seed, "place": where}
            finished(results[number])
            advance(1)

        for number, place in enumerate(places):
            if (place / RESULT).is_file():
                keep(number)
        numbers = {place: number for number, place in enumerate(places) if number not in results}
        missing = {place: folds[number] for place, number in numbers.items()}
        if missing:
            done = (
                workers.on_cluster(run_fold, recipe, missing, scheduler, code)
                if scheduler
                else workers.locally(run_fold, recipe, missing, jobs)
            )
            for place in done:
                keep(numbers[place])
    return [results[number] for number in range(len(folds))]


def run_fold(recipe: Recipe, fold: Fold, place: Path) -> None:
    """Train, quantize and score one fold; its run and ``result.json`` stay in `place`."""
    # One fold a core is faster than two folds that share all cores.
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    from edgebio.quantize import quantize
    from edgebio.training.train import train_fold

    train_fold(recipe, fold, place)
    learned = [*fold.train, *fold.validation, *fold.tune]
    quantize(place, by_generated_c, recordings=lambda run: learned)
    storage.write_json(place / RESULT, result(place))  # last: with it the fold is finished


def result(place: Path) -> dict[str, Any]:
    """Figures of a quantized run, as ``result.json`` holds them.

    ``train`` and ``test`` in words, and of the test side ``accuracy``, ``balanced_accuracy``,
    ``macro_f1``, ``roc_auc`` and ``instability`` of the float network's windows; with ``_int8``,
    those of the int8 network, and what it decides by vote and certainty (see
    `edgebio.evaluation.figures`); ``people``, the same of each person; ``conditions``; ``classes``,
    ``by_class_int8`` and ``confusion_int8``. Of an imitation, whose decisions do not vote, also
    the figures of `IMITATION`.
    """
    from edgebio.evaluation import figures, imitation
    from edgebio.quantize.quantize import REPORT
    from edgebio.training.imitation import is_one
    from edgebio.training.run import METRICS

    metrics, report = (json.loads((place / name).read_text()) for name in (METRICS, REPORT))
    told = is_one(place)
    everyone, pooled = (imitation if told else figures).by_person(place)
    return {
        "fold": metrics["fold"],
        "train": _described(metrics["train"], metrics["validation"], metrics["tune"]),
        "test": _described(metrics["test"]),
        "left_out": metrics["left_out"],
        "windows": metrics["test"]["windows"],
        **{name: pooled.get(name) for name in (*_FIGURES, *(IMITATION if told else ()))},
        "people": everyone,
        "conditions": [] if told else figures.by_condition(place),
        "classes": metrics["classes"],
        "by_class_int8": report["by_class_int8"],
        "confusion_int8": report["confusion_int8"],
        "decisions_differing": report["decisions_differing"],
        "epochs": metrics["best_epoch"],
        "seconds": metrics["seconds"],
        "model_sha256": report["model_sha256"],
    }


def by_generated_c(model: bytes, images: Any) -> tuple[Any, str]:
    """Run an int8 model as the device would: by the C that edgebio generates from it."""
    from edgebio.compiler.host import HostModel

    return HostModel(model).run(images), "generated C"


def _baseline(name: Baseline, recipe: Recipe, folds: Sequence[Fold]) -> dict[str, Any]:
    from edgebio.evaluation import baseline

    rows = [
        {"fold": fold.name, **baseline.score(fold, recipe.frontend, recipe.data)}
        for fold in progress.track(folds, "baseline")
    ]
    average = _over(rows, _SCORES)
    # A figure of several people pooled is nobody's own.
    own = [
        {"people": [{"subject": fold.test[0].subject, "windows": 0, **row}]}
        for fold, row in zip(folds, rows, strict=True)
        if len({r.subject for r in fold.test}) == 1
    ]
    everyone = people.by_person(own, _SCORES)
    return {
        "name": name, **average["mean"], "deviation": average["deviation"], "folds": rows,
        "people": everyone, **_over(everyone, _SCORES, "_over_people"),
    }  # fmt: skip


def _over(
    rows: Sequence[dict[str, Any]], figures: Sequence[str], what: str = ""
) -> dict[str, dict[str, float | None]]:
    """Mean and deviation of each figure over rows; both are named after what the rows are."""
    values = {name: [row.get(name) for row in rows] for name in figures}
    return {
        f"mean{what}": {name: people.mean(column) for name, column in values.items()},
        f"deviation{what}": {name: people.deviation(column) for name, column in values.items()},
    }


def _over_classes(folds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    together = np.sum([fold["confusion_int8"] for fold in folds], axis=0)
    rows = zip(folds[0]["classes"], by_class(together.tolist()), strict=True)
    return [{"class": name, **row} for name, row in rows]


def _over_conditions(folds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean over the folds that were trained, and tested, at the same conditions."""
    rows = [row for fold in folds for row in fold.get("conditions", [])]
    found = []
    for trained, tested in dict.fromkeys((row["trained"], row["tested"]) for row in rows):
        own = [row for row in rows if (row["trained"], row["tested"]) == (trained, tested)]
        about = {"trained": trained, "tested": tested, "folds": len(own)}
        means = {name: people.mean([row.get(name) for row in own]) for name in _AT_A_CONDITION}
        found.append({**about, **means})
    return found


def _described(*sides: dict[str, Any]) -> str:
    """Say whose recordings a side holds, such as ``person 2, session 1``."""
    subjects, sessions = (
        list(dict.fromkeys(value for side in sides for value in side[field]))
        for field in ("subjects", "sessions")
    )
    return (
        f"{'person' if len(subjects) == 1 else 'people'} {', '.join(subjects)}, "
        f"{'session' if len(sessions) == 1 else 'sessions'} {', '.join(sessions)}"
    )


@functools.cache
def code(*more: str) -> bytes:
    """Hash of the code that computes a fold, so that no figure outlives a change of it.

    Parameters
    ----------
    more
        Other rooms, and folders of C, that a figure depends on.
    """
    package = Path(__file__).resolve().parents[1]
    roots = [package / room for room in (*_ROOMS, *more)]
    roots += [storage.assets("firmware_assets") / name for name in (*_ASSETS, *more)]
    hasher = hashlib.sha256()
    for root in roots:
        for path in sorted(p for p in root.rglob("*") if p.suffix in {".py", ".c", ".h"}):
            hasher.update(path.relative_to(root.parent).as_posix().encode() + path.read_bytes())
    return hasher.digest()
