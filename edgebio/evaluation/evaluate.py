"""Score a recipe under a protocol: every fold is trained, quantized and run as the device would.

Folds are independent: they run in processes of their own, and what a finished one found is kept
under a key of everything that it depends on. A second call, after an interruption or with another
protocol that shares a fold, computes only what is not there.
"""

import concurrent.futures as futures
import functools
import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Literal

import numpy as np

from edgebio import progress, protocols, storage
from edgebio.errors import EdgebioError
from edgebio.protocols import Fold
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording

Baseline = Literal["lda"]
RESULT, DOCUMENT = "result.json", "evaluation.json"

_SCORES = ("accuracy", "balanced_accuracy", "macro_f1")
_FIGURES = (*_SCORES, *(f"{name}_int8" for name in _SCORES))
_ROOMS = ("frontend", "models", "training", "quantize", "compiler")
_ASSETS = ("frontend", "kernels")
"""Whose code a result depends on; what readers and splitters make is hashed itself."""


def evaluate(
    recipe: Recipe,
    recordings: Sequence[Recording],
    protocol: str,
    folder: Path,
    *,
    baseline: Baseline | None = None,
    jobs: int | None = None,
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
    jobs
        Folds at a time; as many as the machine has cores if None.
    finished
        Called with the result of each fold, as it comes.

    Returns
    -------
    dict
        ``dataset``, ``protocol``, ``recipe``, ``folds`` (``train``, ``test``, and ``accuracy``,
        ``balanced_accuracy``, ``macro_f1`` of the float network, the same with ``_int8`` of the
        generated C), ``mean`` and ``deviation`` over folds, and ``baseline``.

    Raises
    ------
    EdgebioError
        Where the recordings do not suit protocol or recipe, or a fold's process dies. What has
        been finished is kept.
    """
    folds = protocols.split(protocol, recordings)
    document: dict[str, Any] = {
        "dataset": recipe.data.dataset,
        "protocol": protocol,
        "recipe": recipe.name,
        "folds": _run(recipe, folds, folder, jobs or os.cpu_count() or 1, finished),
    }
    document |= _over_folds(document["folds"], _FIGURES)
    if baseline:
        document["baseline"] = _baseline(baseline, recipe, folds)
    storage.write_json(folder / DOCUMENT, document)
    return document


def key(recipe: Recipe, fold: Fold) -> str:
    """Name of everything that the result of a fold depends on, besides the machine."""
    hasher = hashlib.sha256(_code())
    what = recipe.model_dump(include={"frontend", "model", "training", "quantize"})
    hasher.update(json.dumps(what, sort_keys=True).encode())
    for side in (fold.train, fold.test):
        hasher.update(b"side")
        for r in side:
            about = [r.rate, r.units, r.classes, r.subject, r.session, r.repetition]
            hasher.update(json.dumps(about).encode() + protocols.digest(r))
    return hasher.hexdigest()[:24]


def _run(
    recipe: Recipe,
    folds: Sequence[Fold],
    folder: Path,
    jobs: int,
    finished: Callable[[dict[str, Any]], None],
) -> list[dict[str, Any]]:
    places = [folder / "folds" / key(recipe, fold) for fold in folds]
    results: dict[int, dict[str, Any]] = {}
    with progress.bar("folds", len(folds)) as advance:

        def keep(number: int) -> None:
            results[number] = json.loads((places[number] / RESULT).read_text())
            finished(results[number])
            advance(1)

        for number, place in enumerate(places):
            if (place / RESULT).is_file():
                keep(number)
        missing = [number for number in range(len(folds)) if number not in results]
        if missing:
            # Fresh processes: TensorFlow does not survive a fork, and gives its memory back so.
            pool = futures.ProcessPoolExecutor(
                min(jobs, len(missing)), multiprocessing.get_context("spawn"), max_tasks_per_child=1
            )
            try:
                running = {
                    pool.submit(run_fold, recipe, folds[number], places[number]): number
                    for number in missing
                }
                for future in futures.as_completed(running):
                    future.result()
                    keep(running[future])
            except BrokenProcessPool:
                left = ", ".join(folds[number].name for number in missing if number not in results)
                raise EdgebioError(
                    f"the process of a fold died (short of memory?); not finished: {left}. The "
                    "others are kept: run the same command again, with --jobs 1"
                ) from None
            finally:
                pool.shutdown(cancel_futures=True)
    return [results[number] for number in range(len(folds))]


def run_fold(recipe: Recipe, fold: Fold, place: Path) -> None:
    """Train, quantize and score one fold; its run and ``result.json`` stay in `place`."""
    # One fold a core is faster than two folds that share all cores.
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    from edgebio.quantize import quantize
    from edgebio.training.train import train_fold

    metrics = train_fold(recipe, fold, place)
    report = quantize(place, _by_generated_c)
    result = {
        "fold": fold.name,
        "train": _described(metrics["train"], metrics["validation"]),
        "test": _described(metrics["test"]),
        "windows": metrics["test"]["windows"],
        **{name: report[f"{name}_float"] for name in _SCORES},
        **{f"{name}_int8": report[f"{name}_int8"] for name in _SCORES},
        "decisions_differing": report["decisions_differing"],
        "epochs": metrics["best_epoch"],
        "seconds": metrics["seconds"],
        "model_sha256": report["model_sha256"],
    }
    storage.write_json(place / RESULT, result)  # last: with it the fold is finished


def _by_generated_c(model: bytes, images: Any) -> tuple[Any, str]:
    """Run an int8 model as the device would: by the C that edgebio generates from it."""
    from edgebio.compiler.host import HostModel

    return HostModel(model).run(images), "generated C"


def _baseline(name: Baseline, recipe: Recipe, folds: Sequence[Fold]) -> dict[str, Any]:
    from edgebio.evaluation import baseline

    settings = recipe.frontend
    rows = [
        {"fold": fold.name, **baseline.score(fold, settings.window, settings.step)}
        for fold in progress.track(folds, "baseline")
    ]
    average = _over_folds(rows, _SCORES)
    return {"name": name, **average["mean"], "deviation": average["deviation"], "folds": rows}


def _over_folds(rows: Sequence[dict[str, Any]], figures: Sequence[str]) -> dict[str, Any]:
    values = {name: [row[name] for row in rows] for name in figures}
    return {
        "mean": {name: float(np.mean(column)) for name, column in values.items()},
        "deviation": {name: float(np.std(column)) for name, column in values.items()},
    }


def _described(*sides: dict[str, Any]) -> str:
    """Say whose recordings a side holds, such as ``person 2, session 1``."""
    people, sessions = (
        list(dict.fromkeys(value for side in sides for value in side[field]))
        for field in ("subjects", "sessions")
    )
    return (
        f"{'person' if len(people) == 1 else 'people'} {', '.join(people)}, "
        f"{'session' if len(sessions) == 1 else 'sessions'} {', '.join(sessions)}"
    )


@functools.cache
def _code() -> bytes:
    """Hash of the code that computes a fold, so that no figure outlives a change of it."""
    package = Path(__file__).resolve().parents[1]
    roots = [package / room for room in _ROOMS]
    roots += [storage.assets("firmware_assets") / name for name in _ASSETS]
    hasher = hashlib.sha256()
    for root in roots:
        for path in sorted(p for p in root.rglob("*") if p.suffix in {".py", ".c", ".h"}):
            hasher.update(path.relative_to(root.parent).as_posix().encode() + path.read_bytes())
    return hasher.digest()
