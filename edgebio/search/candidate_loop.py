"""The loop of a search: choose a candidate, count it, train it where it is within the limits.

Candidates are trained on the inner folds one after the other, and stopped where a rival that takes
no more flash and no more time does no worse on the same folds: Optuna does not prune studies of
several objectives. A stopped candidate is out, though luck on later folds might have put it on the
front.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from edgebio import progress
from edgebio.errors import CheckFailedError, EdgebioError, MissingToolError
from edgebio.processes.folder_job import LostJobError
from edgebio.processes.worker_pool import WorkerPool
from edgebio.search import optuna_study
from edgebio.search.candidate_cost import Cost
from edgebio.search.candidate_trainer import CandidateTrainer
from edgebio.search.optuna_study import SPENT, Candidate, State
from edgebio.search.pareto import dominates
from edgebio.search.search_space import Params

_MOST_MISSES: Final = 41  # candidates in a row that are not trained before the search gives up
_MOST_FAILURES: Final = 3  # trials in a row that fail
_NEEDS: Final = {
    "latency": "{:g} ms a decision ({} {:g} ms)",
    "flash": "{:,} bytes of flash ({} {:,} bytes)",
    "ram": "{:,} bytes of RAM ({} {:,} bytes)",
}


class CandidateLoop:
    """Trains as many candidates as requested, one at a time in each thread of a pool.

    Attributes
    ----------
    candidates
        By number, those of earlier calls included.
    """

    def __init__(
        self,
        trainer: CandidateTrainer,
        study: Any,
        pool: WorkerPool,
        on_finished: Callable[[Candidate], None],
    ) -> None:
        self.candidates = {c.number: c for c in optuna_study.candidates(study)}
        self._trainer = trainer
        self._request = trainer.request
        self._study = study
        self._pool = pool
        self._on_finished = on_finished
        self._seen = {trainer.identity(c.params) for c in self.candidates.values()}
        self._misses = self._failures = 0
        self._gave_up = False

    @property
    def spent(self) -> int:
        """Number of the requested candidates that were trained."""
        return sum(c.state in SPENT for c in list(self.candidates.values()))

    @property
    def gave_up(self) -> str:
        """Why fewer candidates than requested were trained; empty if all were."""
        if not self._gave_up:
            return ""
        return (
            f"after {_MOST_MISSES} candidates in a row that were beyond the limits or tried "
            f"before; {self.spent} of {self._request.trials} trained"
        )

    def run(self) -> None:
        """Train until the request is met, or the starting recipe or several in a row fail."""
        if not any(self._trainer.within_limits(c) for c in self.candidates.values()):
            self._check_feasible()
        started = self.spent
        with progress.bar("candidates", self._request.trials) as advance:
            advance(started)

            def work() -> bool:
                nonlocal started
                with self._pool.lock:
                    if started >= self._request.trials or self._gave_up:
                        return False
                    started += 1
                    trial = self._study.ask()
                    params = self._trainer.space.choose(trial)
                candidate = self._evaluate(trial, params)
                with self._pool.lock:
                    self.candidates[candidate.number] = candidate
                    if candidate.state in SPENT:
                        self._misses = 0
                        advance(1)
                    else:
                        started -= 1
                        self._misses += 1
                        # For good, though one that is under way may still be trained.
                        self._gave_up |= self._misses == _MOST_MISSES
                    self._on_finished(candidate)
                return True

            self._pool.run(work)

    def _check_feasible(self) -> None:
        """Refuse limits and boards that the smallest candidates exceed.

        The message names the needs of the one that comes closest: of several, one can need the
        least flash and another the least time.
        """
        limits = self._request.limits.on(self._request.board)
        if not self._trainer.cost(self._request.recipe).over(limits):
            return
        costs: list[Cost] = []
        space = self._trainer.space
        for params in progress.track(space.smallest(), "the smallest candidates"):
            cost = self._trainer.cost(space.recipe_of(params))
            if not cost.over(limits):
                return
            costs.append(cost)
        closest = min(costs, key=lambda cost: sum(cost.over(limits).values()))
        requested, over = asdict(self._request.limits), closest.over(limits)
        needs = [
            _NEEDS[name].format(
                getattr(closest, name),
                f"--max-{name}" if most == requested[name] else "the board has",
                most,
            )
            for name, most in asdict(limits).items()
            if name in over
        ]
        raise CheckFailedError(
            f"no candidate can meet the budget on {self._request.board.name}: the closest needs "
            f"{' and '.join(needs) or 'more memory than the board has'}"
        )

    def _evaluate(self, trial: Any, params: Params) -> Candidate:
        """Count one candidate, train it where it is within the limits, and report to the study."""
        trainer, start = self._trainer, time.monotonic()
        candidate = Candidate(trial.number, params)
        identity = trainer.identity(params)
        is_start = trainer.is_start(params)

        def end(state: State, reason: str = "") -> Candidate:
            candidate.state, candidate.reason = state, reason
            candidate.seconds = round(time.monotonic() - start, 1)
            optuna_study.tell(self._study, trial, candidate)
            return candidate

        with self._pool.lock:
            seen = identity in self._seen
            self._seen.add(identity)
        if seen:
            return end("same")
        recipe = trainer.recipe_of(candidate)
        try:
            candidate.cost = trainer.cost(recipe)
            over = candidate.cost.over(self._request.limits)
            optuna_study.record_cost(trial, candidate.cost, over)
            # The starting recipe is always trained: the others are compared with it.
            if over and not is_start:
                return end("over", ", ".join(f"{k} {100 * v:.0f} % over" for k, v in over.items()))
            for number in range(len(trainer.folds)):
                candidate.folds.append(trainer.score(recipe, number, 0))
                trial.set_user_attr("folds", candidate.folds)
                rival = None if is_start else self._rival(candidate)
                if rival is not None and number + 1 < len(trainer.folds):
                    return end(
                        "stopped",
                        f"after {number + 1} of {len(trainer.folds)} folds no better than "
                        f"{rival} in anything",
                    )
        except (MissingToolError, LostJobError):
            raise
        except EdgebioError as error:
            with self._pool.lock:
                self._failures += 1
                if is_start or self._failures >= _MOST_FAILURES or self._pool.stopping:
                    raise
            return end("failed", str(error).splitlines()[0])
        with self._pool.lock:
            self._failures = 0
        return end("done")

    def _rival(self, candidate: Candidate) -> int | None:
        """Number of a candidate that dominates this one on the folds scored so far."""
        count = len(candidate.folds)
        with self._pool.lock:
            others = list(self.candidates.values())
        for other in others:
            if (
                self._trainer.within_limits(other)
                and len(other.folds) >= count
                and dominates(other.point(count), candidate.point(count))
            ):
                return other.number
        return None
