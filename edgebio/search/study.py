"""The search's memory: an Optuna study on disk, and what was asked of it."""

import contextlib
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.search.cost import Cost
from edgebio.search.front import Point
from edgebio.search.space import Params, Space

FILE, LOCK = "study.jsonl", "lock"
"""Optuna's journal, one line for everything that happened; and who is at work."""

_NAME = "edgebio"
_STARTUP = 10  # trials before the sampler begins to learn from them
_LAST = "augment"  # the last of `Space.choose`: with it a trial is a whole candidate

State = Literal["done", "stopped", "over", "same", "failed"]
"""Scored on all folds; dominated after some; beyond the limits; met before; broken."""

SPENT: tuple[State, ...] = ("done", "stopped", "failed")
"""States of the trials that count: those that were trained."""


@dataclass
class Candidate:
    """One candidate and what is known of it.

    Attributes
    ----------
    number
        Of its trial.
    params
        Its place in the space.
    state
        How it ended; None while it runs.
    cost
        What it takes; None where it was not counted.
    folds
        Its figure on each inner fold so far.
    reason
        Why it did not go on.
    seconds
        How long it took.
    """

    number: int
    params: Params
    state: State | None = None
    cost: Cost | None = None
    folds: list[float] = field(default_factory=list)
    reason: str = ""
    seconds: float = 0.0

    def mean(self, count: int | None = None) -> float:
        """Mean figure over the first `count` folds, or all."""
        some = self.folds[:count]
        return sum(some) / len(some)

    def point(self, count: int | None = None) -> Point:
        """Give its place among the others, by its first `count` folds."""
        assert self.cost is not None
        return Point(self.mean(count), self.cost.latency, self.cost.flash)


def optuna() -> Any:
    """Import Optuna, without its notes.

    Raises
    ------
    MissingToolError
        Where it is not installed.
    """
    try:
        import optuna as found
    except ImportError:
        raise MissingToolError("search needs Optuna: pip install 'edgebio[search]'") from None
    found.logging.set_verbosity(found.logging.WARNING)
    warnings.filterwarnings("ignore", category=found.exceptions.ExperimentalWarning)
    return found


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder to one search while the block runs.

    Raises
    ------
    EdgebioError
        Where another search is at work in it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("w")
    except OSError as error:
        raise EdgebioError(f"{folder}: cannot be written: {error.strerror}") from None
    with file:
        try:
            import fcntl
        except ImportError:  # Windows: two searches in one folder are the user's own care
            yield
            return
        try:
            # It ends with the process, however that ends.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise EdgebioError(
                f"{folder}: another search is at work here; wait for it, or choose another folder"
            ) from None
        yield


def open_study(folder: Path, space: Space, asked: Mapping[str, Any], seed: int) -> Any:
    """Open the study in a folder, or begin one: optuna.Study.

    What was under way when an earlier search ended is asked for again.

    Parameters
    ----------
    folder
        Of the search.
    space
        Its first candidates are asked for first.
    asked
        What figures depend on, by the name that a user knows it by.
    seed
        Of the sampler.

    Raises
    ------
    EdgebioError
        Where the folder holds a search for something else, or a damaged one.
    """
    library = optuna()
    path = folder / FILE
    _mend(path)
    journal = library.storages.journal
    try:
        storage = library.storages.JournalStorage(
            journal.JournalFileBackend(str(path), lock_obj=_Unlocked())
        )
        study = library.create_study(
            storage=storage, study_name=_NAME, load_if_exists=True,
            directions=("maximize", "minimize", "minimize"),
        )  # fmt: skip
        known = study.user_attrs.get("asked")
    except (ValueError, TypeError, LookupError, AssertionError) as error:
        raise EdgebioError(
            f"{path}: not a study, or damaged ({type(error).__name__}); choose another folder"
        ) from None
    wanted = json.loads(json.dumps(asked))
    if known is None:
        study.set_user_attr("asked", wanted)
    elif other := [name for name in wanted if known.get(name) != wanted[name]]:
        raise EdgebioError(
            f"{folder}: holds a search with another {', another '.join(other)}; choose another "
            "folder, or ask for the same"
        )
    trial_state = library.trial.TrialState
    for params in space.first():
        study.enqueue_trial(params, skip_if_exists=True)
    for trial in study.get_trials(deepcopy=False, states=(trial_state.RUNNING,)):
        study.tell(trial.number, state=trial_state.FAIL)
        if _LAST in trial.params:
            study.enqueue_trial(trial.params)
    # Another seed with every trial, so that a search that goes on does not draw the same again.
    study.sampler = library.samplers.TPESampler(
        multivariate=True, group=True, n_startup_trials=_STARTUP,
        seed=seed + len(study.get_trials(deepcopy=False)),
    )  # fmt: skip
    return study


class _Unlocked:
    """In place of the journal's lock, which outlives a process that is killed; see `locked`."""

    def acquire(self) -> bool:
        """There is nobody else."""
        return True

    def release(self) -> None:
        """Nothing was taken."""


def _mend(path: Path) -> None:
    """Cut off what a line was to be when the process was killed."""
    if path.is_file():
        with path.open("r+b") as file:
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)


def candidates(study: Any) -> list[Candidate]:
    """Everything that a study has finished, in order."""
    found = []
    for trial in study.get_trials(deepcopy=False):
        about = trial.user_attrs
        if not trial.state.is_finished() or "state" not in about:
            continue
        cost = about.get("cost")
        found.append(
            Candidate(
                trial.number,
                dict(trial.params),
                about["state"],
                Cost.model_validate(cost) if cost else None,
                list(about.get("folds", [])),
                about.get("reason", ""),
                about.get("seconds", 0.0),
            )
        )
    return found
