"""Search networks and front ends around a recipe, within the limits of a board."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from edgebio import protocols, storage
from edgebio.boards import qemu
from edgebio.errors import InterruptedWorkError
from edgebio.evaluation.fold_key import code_digest
from edgebio.firmware.stand_in import emulated_board
from edgebio.processes.cluster import ClusterRunner
from edgebio.processes.folder_job import LocalRunner
from edgebio.processes.worker_pool import WorkerPool
from edgebio.protocols import Fold
from edgebio.recordings.recording import Recording
from edgebio.search import inner_folds, optuna_study
from edgebio.search.candidate_loop import CandidateLoop
from edgebio.search.candidate_trainer import CandidateTrainer, search_code_digest
from edgebio.search.documents import Row, SearchDocument, network_row, session_rows
from edgebio.search.front import DOCUMENT, confirm_front, write_recipes
from edgebio.search.optuna_study import Candidate
from edgebio.search.request import Request
from edgebio.search.search_space import SearchSpace


def search(
    request: Request,
    recordings: Sequence[Recording],
    folder: Path,
    *,
    pretraining: Sequence[Recording] = (),
    jobs: int | None = None,
    scheduler: str | None = None,
    on_finished: Callable[[Candidate], None] = lambda candidate: None,
) -> SearchDocument:
    """Search, and write ``search.json`` and the recipes of the front.

    Parameters
    ----------
    recordings
        Recordings of all subjects; the test set of the recipe's ``[data]`` is not used.
    folder
        For the study, folds, costs and results. An interrupted search continues there.
    pretraining
        Recordings of other data sets, which every candidate learns from first.
    jobs
        Candidates at a time; if None, one per core, or per thread of the scheduler's workers.
    scheduler
        Address of a Dask scheduler whose workers train in place of this machine.
    on_finished
        Called with each candidate as it ends.

    Raises
    ------
    CheckFailedError
        Where nothing can meet limits and board; the text says what comes closest.
    InterruptedWorkError
        On Ctrl-C; the same call continues.
    """
    space = SearchSpace(request.recipe)
    qemu.command(emulated_board(request.board), Path())  # report a missing tool before any work
    cluster = ClusterRunner(scheduler, search_code_digest) if scheduler else None
    pool = WorkerPool(jobs or (cluster.threads if cluster else os.cpu_count()) or 1)
    outer = protocols.split_for_training(request.recipe.data, recordings)
    outer = replace(outer, pretraining=tuple(pretraining))
    protocol, folds = inner_folds.inner_folds(outer, request.protocol)
    with optuna_study.lock_folder(folder):
        limits = asdict(request.limits)
        identity = {
            "recipe": request.recipe.model_dump(mode="json"),
            "board": request.board.model_dump(mode="json"),
            "limits": limits,
            "protocol": protocol,
            "epochs": request.epochs,
            "metric": request.metric,
            "recordings": _digest(folds),
            "code": code_digest("search", "firmware", "link", "app", "ports").hex(),
        }
        study = optuna_study.open_study(folder, space, identity, request.recipe.training.seed)
        trainer = CandidateTrainer(request, space, folds, folder, cluster or LocalRunner(1))
        loop = CandidateLoop(trainer, study, pool, on_finished)
        try:
            loop.run()
            rows = confirm_front(trainer, loop.candidates, pool)
        except (InterruptedWorkError, KeyboardInterrupt):  # within the pool, and outside
            raise InterruptedWorkError(
                f"interrupted: {loop.spent} of {request.trials} candidates are kept in {folder}; "
                "the same command continues"
            ) from None
        candidates = list(loop.candidates.values())
        starts = [r for r in rows if trainer.is_start(loop.candidates[r["number"]].params)]
        front = write_recipes(trainer, loop.candidates, rows)
        states = [candidate.state for candidate in candidates]
        document: SearchDocument = {
            "limits": limits,
            "protocol": protocol,
            "epochs": request.epochs,
            "metric": request.metric,
            "seeds": request.seeds,
            "recipe": request.recipe.name,
            "title": request.recipe.title,
            "dataset": request.recipe.data.dataset,
            "board": request.board.name,
            "counted_on": emulated_board(request.board).name,
            "core": request.board.cpu,
            "clock_hz": request.board.clock_hz,
            "inner_folds": [fold.name for fold in folds],
            "chosen_on": session_rows(inner_folds.training_recordings(outer)),
            "put_away": session_rows(inner_folds.untouched_recordings(outer)),
            "recipe_itself": starts[0] if starts else None,
            "front": front,
            "left_the_front": [row for row in rows if row not in front and row not in starts],
            "candidates": [_candidate_row(trainer, candidate) for candidate in candidates],
            "counts": {state: states.count(state) for state in dict.fromkeys(states)},
            "gave_up": loop.gave_up,
            "seconds": round(sum(candidate.seconds for candidate in candidates), 1),
        }
        storage.write_json(folder / DOCUMENT, document)
    return document


def _candidate_row(trainer: CandidateTrainer, candidate: Candidate) -> Row:
    return {
        **network_row(trainer.space.recipe_of(candidate.params)),
        "number": candidate.number,
        "state": candidate.state,
        "reason": candidate.reason,
        "folds": candidate.folds,
        "accuracy": candidate.mean() if candidate.folds else None,
        "cost": candidate.cost.model_dump() if candidate.cost else None,
        "seconds": candidate.seconds,
    }


def _digest(folds: Sequence[Fold]) -> str:
    """Digest of all recordings that candidates see, by set."""
    hasher = hashlib.sha256()
    for fold in folds:
        for part in (fold.train, fold.test, fold.tune, fold.validation, fold.pretraining):
            hasher.update(b"set" + b"".join(protocols.digest(r) for r in part))
    return hasher.hexdigest()
