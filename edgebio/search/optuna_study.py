"""The memory of a search: an Optuna study on disk, and what it was asked for."""

import contextlib
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.search.candidate_cost import Cost, Limits
from edgebio.search.pareto import Point
from edgebio.search.search_space import Params, SearchSpace

FILE, LOCK = "study.jsonl", "lock"
"""Optuna's journal, and the file that a running search locks."""

_NAME = "edgebio"
_STARTUP = 10  # trials before the sampler begins to learn from them
_LAST_PARAM = "augment"  # of `SearchSpace.choose`: a trial that has it is a whole candidate

State = Literal["done", "stopped", "over", "same", "failed"]
"""Scored on all folds; dominated after some; beyond a limit; tried before; not trainable."""

SPENT: tuple[State, ...] = ("done", "stopped", "failed")
"""States of candidates that were trained, which count as trials."""


@dataclass
class Candidate:
    """One candidate of a search."""

    number: int  # of its trial
    params: Params
    state: State | None = None  # None while it runs
    cost: Cost | None = None  # None where it was not counted
    folds: list[float] = field(default_factory=list)  # metric on each inner fold so far
    reason: str = ""  # why it did not continue
    seconds: float = 0.0

    def mean(self, count: int | None = None) -> float:
        """Mean metric over the first `count` folds, or all."""
        folds = self.folds[:count]
        return sum(folds) / len(folds)

    def point(self, count: int | None = None) -> Point:
        """Accuracy over the first `count` folds, latency and flash."""
        assert self.cost is not None
        return Point(self.mean(count), self.cost.latency, self.cost.flash)


def import_optuna() -> Any:
    """Import Optuna, without its log messages; `MissingToolError` where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise MissingToolError("search needs Optuna: pip install 'edgebio[search]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Keep a folder to one search while the block runs.

    Raises
    ------
    EdgebioError
        Where another search is running in it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("w")
    except OSError as error:
        raise EdgebioError(f"{folder}: cannot be written: {error.strerror}") from None
    with file:
        try:
            import fcntl
        except ImportError:  # Windows: two searches in one folder are up to the user
            yield
            return
        try:
            # The lock ends with the process, however that ends.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise EdgebioError(
                f"{folder}: another search is running here; wait for it, or choose another folder"
            ) from None
        yield


def open_study(folder: Path, space: SearchSpace, identity: Mapping[str, Any], seed: int) -> Any:
    """Open the study in a folder, or create one: optuna.Study.

    Trials that were under way when an earlier search ended are queued again. `identity` is what
    metrics depend on, by the names that a user knows.

    Raises
    ------
    EdgebioError
        Where the folder holds a search with another identity, or a damaged one.
    """
    optuna = import_optuna()
    path = folder / FILE
    _repair(path)
    journal = optuna.storages.journal
    try:
        storage = optuna.storages.JournalStorage(
            journal.JournalFileBackend(str(path), lock_obj=_NoLock())
        )
        study = optuna.create_study(
            storage=storage, study_name=_NAME, load_if_exists=True,
            directions=("maximize", "minimize", "minimize"),
        )  # fmt: skip
        earlier = study.user_attrs.get("asked")
    except (ValueError, TypeError, LookupError, AssertionError) as error:
        raise EdgebioError(
            f"{path}: not a study, or damaged ({type(error).__name__}); choose another folder"
        ) from None
    wanted = json.loads(json.dumps(identity))
    if earlier is None:
        study.set_user_attr("asked", wanted)
    elif changed := [name for name in wanted if earlier.get(name) != wanted[name]]:
        raise EdgebioError(
            f"{folder}: holds a search with another {', another '.join(changed)}; choose another "
            "folder, or repeat the same request"
        )
    trial_state = optuna.trial.TrialState
    for params in space.first():
        study.enqueue_trial(params, skip_if_exists=True)
    for trial in study.get_trials(deepcopy=False, states=(trial_state.RUNNING,)):
        study.tell(trial.number, state=trial_state.FAIL)
        if _LAST_PARAM in trial.params:
            study.enqueue_trial(trial.params)
    # The seed changes with every trial, so that a continued search does not repeat its draws.
    study.sampler = optuna.samplers.TPESampler(
        multivariate=True, group=True, n_startup_trials=_STARTUP,
        seed=seed + len(study.get_trials(deepcopy=False)),
    )  # fmt: skip
    return study


class _NoLock:
    """Replaces the journal's lock, which outlives a killed process; see `lock_folder`."""

    def acquire(self) -> bool:
        """Do nothing."""
        return True

    def release(self) -> None:
        """Do nothing."""


def _repair(path: Path) -> None:
    """Cut off a line that was not written to its end when the process was killed."""
    if path.is_file():
        with path.open("r+b") as file:
            end = file.read().rfind(b"\n") + 1
            file.truncate(end)


def record_cost(trial: Any, cost: Cost, over: Mapping[str, float]) -> None:
    """Store a candidate's cost, and by how much it is over each limit as constraints."""
    trial.set_user_attr("cost", cost.model_dump())
    for name in (*asdict(Limits()), "board"):
        trial.set_constraint(name, over.get(name, 0.0))


def tell(study: Any, trial: Any, candidate: Candidate) -> None:
    """Store how a candidate ended."""
    for name in ("state", "reason", "seconds"):
        trial.set_user_attr(name, getattr(candidate, name))
    if candidate.state == "done":
        study.tell(trial, list(candidate.point()))
    else:
        states = import_optuna().trial.TrialState
        study.tell(trial, state=states.FAIL if candidate.state == "failed" else states.PRUNED)


def candidates(study: Any) -> list[Candidate]:
    """Candidates that a study has finished, in order."""
    finished = []
    for trial in study.get_trials(deepcopy=False):
        attributes = trial.user_attrs
        if trial.state.is_finished() and "state" in attributes:
            cost = attributes.get("cost")
            finished.append(
                Candidate(
                    trial.number,
                    dict(trial.params),
                    attributes["state"],
                    Cost.model_validate(cost) if cost else None,
                    list(attributes.get("folds", [])),
                    attributes.get("reason", ""),
                    attributes.get("seconds", 0.0),
                )
            )
    return finished
