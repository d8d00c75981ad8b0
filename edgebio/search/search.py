"""Search networks and front ends around a recipe, within what a board can bear.

A candidate's image is built, run on the emulated board and counted before it is trained; one that
is beyond the limits never is. The others are trained on inner folds of the training side, one
after the other, and stopped where a rival that takes no more flash and no more time does no worse
on the same folds: Optuna prunes no studies of several objectives, so it is done here. A stopped
candidate is out, though luck on later folds might have put it on the front.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from edgebio import progress, protocols, recipes, storage
from edgebio.boards import Board, emulator
from edgebio.errors import CheckFailedError, EdgebioError, InterruptedWorkError, MissingToolError
from edgebio.evaluation import workers
from edgebio.evaluation.evaluate import RESULT, code
from edgebio.processes import subprocess_call
from edgebio.processes.worker_pool import Crew
from edgebio.protocols import Fold
from edgebio.tasks.stft_classifier.quantize import MODEL
from edgebio.recipes import Recipe
from edgebio.recordings.recording import Recording
from edgebio.search import sides, study
from edgebio.search.cost import NO_LIMITS, Cost, Counter, Limits
from edgebio.search.front import Point, dominates, front
from edgebio.search.scoring import kept_score
from edgebio.search.space import Params, Space
from edgebio.search.study import SPENT, Candidate, State
from edgebio.training.images import spec_of

DOCUMENT: Final = "search.json"
Metric = Literal["accuracy", "balanced_accuracy", "macro_f1"]

_SEEDS_APART: Final = 100  # seeds from one round of training to the next; a fold has its own
_MISSES: Final = 41  # candidates in a row that are not trained, and it gives up
_BROKEN: Final = 3  # trials in a row that fail


@dataclass(frozen=True)
class Request:
    """What is asked of a search.

    Attributes
    ----------
    recipe
        Where it begins.
    board
        An emulated board.
    limits
        What a candidate may take.
    trials
        Candidates to train in all, those of earlier calls included.
    protocol
        How the training side is divided again; see `edgebio.search.sides.folds`.
    epochs
        Of every training of the search; the recipe's if None.
    metric
        What accuracy is: a figure of the int8 network.
    seeds
        Times that each member of the front is trained, each with another seed; the search itself
        is the first.
    """

    recipe: Recipe
    board: Board
    limits: Limits = NO_LIMITS
    trials: int = 40
    protocol: str | None = None
    epochs: int | None = None
    metric: Metric = "accuracy"
    seeds: int = 2


def search(
    request: Request,
    recordings: Sequence[Recording],
    folder: Path,
    *,
    others: Sequence[Recording] = (),
    jobs: int | None = None,
    scheduler: str | None = None,
    finished: Callable[[Candidate], None] = lambda candidate: None,
) -> dict[str, Any]:
    """Search, and write what was found.

    Parameters
    ----------
    request
        What is asked.
    recordings
        Everybody; the test side of the recipe's ``[data]`` is put away before anything else.
    folder
        For the study, folds, counts, ``search.json`` and the recipes of the front. A search that
        was interrupted goes on there.
    others
        By ``recipe.others``: what every candidate learns from before.
    jobs
        Candidates at a time; if None as many as the machine has cores, or as the scheduler's
        workers train at a time.
    scheduler
        Address of a Dask scheduler whose workers train in place of this machine.
    finished
        Called with each candidate, as it ends.

    Returns
    -------
    dict
        What search.json holds: what was asked; ``chosen_on`` and ``put_away``, whose recordings
        candidates were chosen by and whose none has met; ``recipe_itself`` and ``front``, rows
        with ``number``, ``name``, ``accuracy`` (mean over seeds and folds), ``by_seed``, ``cost``
        (of the trained network's image), ``file`` and what tells it apart; ``candidates``;
        ``counts`` by how they ended; and ``gave_up``: what it ended after where not all that were
        asked for were trained, else "".

    Raises
    ------
    CheckFailedError
        Where nothing meets limits and board; the text says what comes closest, and what it needs.
    InterruptedWorkError
        On Ctrl-C; the same call goes on.
    EdgebioError
        Where recipe, recordings, board or folder do not suit, or training cannot be done.
    """
    space = Space(request.recipe)
    emulator.command(request.board, Path())  # what is missing is said at once
    at_a_time = jobs or (workers.at_a_time(scheduler) if scheduler else os.cpu_count()) or 1
    side = replace(protocols.of_job(request.recipe.data, recordings), others=tuple(others))
    protocol, folds = sides.folds(side, request.protocol)
    with study.locked(folder):
        asked = _asked(request, protocol, folds)
        seed = request.recipe.training.seed
        memory = study.open_study(folder, space, asked, seed)
        job = _Search(request, space, folds, folder, memory, Crew(at_a_time), scheduler, finished)
        try:
            job.run()
            job.confirm()
            found = job.found()
        except (InterruptedWorkError, KeyboardInterrupt):  # within the crew, and outside
            raise InterruptedWorkError(
                f"interrupted: {job.spent()} of {request.trials} candidates are kept in {folder}; "
                "the same command goes on"
            ) from None
        document = {
            **{name: value for name, value in asked.items() if name not in ("code", "recordings")},
            "recipe": request.recipe.name,
            "title": request.recipe.title,
            "dataset": request.recipe.data.dataset,
            "board": request.board.name,
            "core": request.board.cpu,
            "clock_hz": request.board.clock_hz,
            "inner_folds": [fold.name for fold in folds],
            "chosen_on": _described(sides.chosen_by(side)),
            "put_away": _described(sides.put_away(side)),
            **found,
        }
        storage.write_json(folder / DOCUMENT, document)
    return document


@dataclass
class _Search:
    """A search at work."""

    request: Request
    space: Space
    folds: Sequence[Fold]
    folder: Path
    memory: Any
    crew: Crew
    scheduler: str | None
    finished: Callable[[Candidate], None]
    known: dict[int, Candidate] = field(default_factory=dict)
    confirmed: dict[int, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = {c.number: c for c in study.candidates(self.memory)}
        self.counter = Counter(self.request.board, self.request.limits, self.folder / "costs")
        self.library = study.optuna()
        self.own = self._identity(self.space.itself())
        self.seen = {self._identity(c.params) for c in self.known.values()}
        self.misses = self.broken = 0
        self.gave_up = False
        # However many workers train, candidates are counted by the cores of this machine.
        self.counting = threading.Semaphore(os.cpu_count() or 1)

    # Candidates -----------------------------------------------------------------------------

    def run(self) -> None:
        """Train as many candidates as are asked for."""
        if not any(self._fits(c) for c in self.known.values()):
            self._possible()
        begun = self.spent()
        with progress.bar("candidates", self.request.trials) as advance:
            advance(begun)

            def work() -> bool:
                nonlocal begun
                with self.crew.lock:
                    if begun >= self.request.trials or self.gave_up:
                        return False
                    begun += 1
                    trial = self.memory.ask()
                    params = self.space.choose(trial)
                candidate = self._one(trial, params)
                with self.crew.lock:
                    self.known[candidate.number] = candidate
                    if candidate.state in SPENT:
                        self.misses = 0
                        advance(1)
                    else:
                        begun -= 1
                        self.misses += 1
                        # For good, though another that is at work may still be trained.
                        self.gave_up |= self.misses == _MISSES
                    self.finished(candidate)
                return True

            self.crew.run(work)

    def _possible(self) -> None:
        """Refuse limits and boards that the smallest candidates are beyond, saying what one needs.

        Told is that which comes closest: of several, one can need the least flash and another the
        least time.
        """
        limits = self.request.limits.on(self.request.board)
        if not self._cost(self.request.recipe).over(limits):
            return
        tried: list[Cost] = []
        for params in progress.track(self.space.smallest(), "the smallest candidates"):
            cost = self._cost(self.space.recipe_of(params))
            if not cost.over(limits):
                return
            tried.append(cost)
        closest = min(tried, key=lambda cost: sum(cost.over(limits).values()))
        needs = {
            "latency": "{:g} ms a decision ({} {:g} ms)",
            "flash": "{:,} bytes of flash ({} {:,} bytes)",
            "ram": "{:,} bytes of RAM ({} {:,} bytes)",
        }
        asked, over = asdict(self.request.limits), closest.over(limits)
        told = [
            needs[name].format(
                getattr(closest, name),
                f"--max-{name}" if most == asked[name] else "the board has",
                most,
            )
            for name, most in asdict(limits).items()
            if name in over
        ]
        raise CheckFailedError(
            f"no candidate can meet the budget on {self.request.board.name}: the closest needs "
            f"{' and '.join(told) or 'more memory than the board has'}"
        )

    def _one(self, trial: Any, params: Params) -> Candidate:
        """Count one candidate, train it where it may be, and tell the study."""
        begin = time.monotonic()
        candidate = Candidate(trial.number, params)
        identity = self._identity(params)
        itself = identity == self.own
        with self.crew.lock:
            again = identity in self.seen
            self.seen.add(identity)
        if again:
            return self._tell(trial, candidate, "same", begin)
        recipe = self._candidate(params, trial.number)
        try:
            cost = candidate.cost = self._cost(recipe)
            trial.set_user_attr("cost", cost.model_dump())
            over = cost.over(self.request.limits)
            for name in (*asdict(self.request.limits), "board"):
                trial.set_constraint(name, over.get(name, 0.0))
            # The recipe itself is always trained: it is what the others are compared with.
            if over and not itself:
                candidate.reason = _told(over)
                return self._tell(trial, candidate, "over", begin)
            for number in range(len(self.folds)):
                candidate.folds.append(self._score(recipe, number, 0))
                trial.set_user_attr("folds", candidate.folds)
                rival = None if itself else self._rival(candidate)
                if rival is not None and number + 1 < len(self.folds):
                    candidate.reason = (
                        f"after {number + 1} of {len(self.folds)} folds no better than "
                        f"{rival} in anything"
                    )
                    return self._tell(trial, candidate, "stopped", begin)
        except (MissingToolError, workers.LostError):
            raise
        except EdgebioError as error:
            with self.crew.lock:
                self.broken += 1
                if itself or self.broken >= _BROKEN or self.crew.stopped:
                    raise
            candidate.reason = str(error).splitlines()[0]
            return self._tell(trial, candidate, "failed", begin)
        with self.crew.lock:
            self.broken = 0
        return self._tell(trial, candidate, "done", begin)

    def _tell(self, trial: Any, candidate: Candidate, state: State, begin: float) -> Candidate:
        candidate.state = state
        candidate.seconds = round(time.monotonic() - begin, 1)
        for name in ("state", "reason", "seconds"):
            trial.set_user_attr(name, getattr(candidate, name))
        if state == "done":
            self.memory.tell(trial, list(candidate.point()))
        else:
            ends = self.library.trial.TrialState
            self.memory.tell(trial, state=ends.FAIL if state == "failed" else ends.PRUNED)
        return candidate

    def _rival(self, candidate: Candidate) -> int | None:
        """Whoever dominates a candidate on the folds that it has been scored on."""
        count = len(candidate.folds)
        with self.crew.lock:
            others = list(self.known.values())
        for other in others:
            if (
                self._fits(other)
                and len(other.folds) >= count
                and dominates(other.point(count), candidate.point(count))
            ):
                return other.number
        return None

    # The front ------------------------------------------------------------------------------

    def confirm(self) -> None:
        """Train the front, and the recipe itself, again with other seeds."""
        chosen = self._scored()
        on = front([c.point() for c in chosen])
        again = {chosen[k].number: chosen[k] for k in on}
        again |= {c.number: c for c in self.known.values() if self._is_own(c)}
        self.confirmed = {number: [c.mean()] for number, c in again.items()}
        todo = [(number, turn) for turn in range(1, self.request.seeds) for number in again]
        found: dict[tuple[int, int], float] = {}
        with progress.bar("seeds", len(todo)) as advance:
            left = iter(todo)

            def work() -> bool:
                with self.crew.lock:
                    task = next(left, None)
                if task is None:
                    return False
                number, turn = task
                recipe = self._candidate(again[number].params, number)
                scores = [self._score(recipe, k, turn) for k in range(len(self.folds))]
                with self.crew.lock:
                    found[task] = sum(scores) / len(scores)
                    advance(1)
                return True

            self.crew.run(work)
        for number, turn in todo:
            self.confirmed[number].append(found[number, turn])

    def found(self) -> dict[str, Any]:
        """Rows of the front, after its trained networks were built, and of everything else."""
        rows = {number: self._row(self.known[number]) for number in self.confirmed}
        own = next((n for n in rows if self._is_own(self.known[n])), None)
        fit = [row for row in rows.values() if not row["over"]]
        kept = front(
            [Point(row["accuracy"], row["cost"]["latency"], row["cost"]["flash"]) for row in fit]
        )
        members = [fit[k] for k in kept]
        before = _read(self.folder / DOCUMENT)
        for row in before.get("front", []):
            (self.folder / row["file"]).unlink(missing_ok=True)
        for row in members:
            row["file"] = f"{row['name']}.toml"
            storage.write_text(self.folder / row["file"], self._toml(row))
        states = [c.state for c in self.known.values()]
        gave_up = (
            f"after {_MISSES} candidates in a row that were beyond the limits or tried before; "
            f"{self.spent()} of {self.request.trials} trained"
        )
        return {
            "recipe_itself": rows.get(own) if own is not None else None,
            "front": members,
            "left_the_front": [row for n, row in rows.items() if row not in members and n != own],
            "candidates": [
                {
                    "number": c.number, "state": c.state, "reason": c.reason, "folds": c.folds,
                    "accuracy": c.mean() if c.folds else None,
                    "cost": c.cost.model_dump() if c.cost else None,
                    **_network(self.space.recipe_of(c.params)), "seconds": c.seconds,
                }
                for c in self.known.values()
            ],
            "counts": {state: states.count(state) for state in dict.fromkeys(states)},
            "gave_up": gave_up if self.gave_up else "",
            "seconds": round(sum(c.seconds for c in self.known.values()), 1),
            "seeds": self.request.seeds,
        }  # fmt: skip

    def _row(self, candidate: Candidate) -> dict[str, Any]:
        recipe = self._candidate(candidate.params, candidate.number)
        # What counts is the image of the trained network, not that of the untrained one.
        built = self.counter.trained(self._fold(recipe, 0, 0) / MODEL)
        by_seed = self.confirmed[candidate.number]
        assert candidate.cost is not None
        return {
            "number": candidate.number,
            "name": recipe.name,
            "accuracy": sum(by_seed) / len(by_seed),
            "by_seed": by_seed,
            "folds": candidate.folds,
            "over": built.over(self.request.limits),
            "cost": built.model_dump(),
            "estimate": candidate.cost.model_dump(),
            **_network(recipe),
        }

    def _toml(self, row: Mapping[str, Any]) -> str:
        """A recipe as its file holds it, with the epochs of the recipe that was begun with."""
        limits, cost = self.request.limits, row["cost"]
        build = f"edgebio build RUN --board {self.request.board.name}"
        build += f" --flash-budget {limits.flash}" if limits.flash else ""
        build += f" --ram-budget {limits.ram}" if limits.ram else ""
        recipe = self.space.recipe_of(self.known[row["number"]].params, row["name"])
        return (
            f"# Found by edgebio search around {self.request.recipe.name}: "
            f"{self.request.metric.replace('_', ' ')} {row['accuracy']:.4f} on inner folds of the "
            f"training side,\n# {cost['flash']:,} bytes of flash, {cost['ram']:,} of RAM, "
            f"{cost['latency']:.2f} ms a decision as built by\n# {build} -o IMAGE\n"
            f"{recipes.dump(recipe)}"
        )

    # What all of it needs -------------------------------------------------------------------

    def spent(self) -> int:
        """Count the candidates that were trained, of those that were asked for."""
        return sum(c.state in SPENT for c in list(self.known.values()))

    def _scored(self) -> list[Candidate]:
        return [c for c in self.known.values() if c.state == "done" and self._fits(c)]

    def _fits(self, candidate: Candidate) -> bool:
        cost = candidate.cost
        return candidate.state == "done" and cost is not None and not cost.over(self.request.limits)

    def _is_own(self, candidate: Candidate) -> bool:
        return candidate.state == "done" and self._identity(candidate.params) == self.own

    def _identity(self, params: Params) -> str:
        return recipes.dump(self.space.recipe_of(params, "candidate"))

    def _candidate(self, params: Params, number: int) -> Recipe:
        """Recipe as it is trained in the search."""
        recipe = self.space.recipe_of(params, f"{self.request.recipe.name}-{number}")
        if self.request.epochs is None:
            return recipe
        training = recipe.training
        new = training.new_subjects.model_copy(update={"epochs": self.request.epochs})
        update = {"epochs": self.request.epochs, "new_subjects": new}
        return recipe.model_copy(update={"training": training.model_copy(update=update)})

    def _cost(self, recipe: Recipe) -> Cost:
        inside = self.folds[0].train
        spec = spec_of(recipe.frontend, inside)
        try:
            with self.counting:
                return self.counter.untrained(recipe, spec, inside[0].classes)
        except subprocess_call.ProcessDiedError as error:
            raise workers.LostError(
                f"the process that counts a candidate died ({error}; short of memory?): run the "
                "same command again, with --jobs 1"
            ) from None

    def _score(self, recipe: Recipe, number: int, turn: int) -> float:
        found = json.loads((self._fold(recipe, number, turn) / RESULT).read_text())
        return float(found[f"{self.request.metric}_int8"])

    def _fold(self, recipe: Recipe, number: int, turn: int) -> Path:
        """Train and score on one inner fold where it is not kept; every fold has its own seed."""
        seed = recipe.training.seed + _SEEDS_APART * turn + number
        training = recipe.training.model_copy(update={"seed": seed})
        seeded = recipe.model_copy(update={"training": training})
        return kept_score(seeded, self.folds[number], self.folder, self.scheduler)


def _asked(request: Request, protocol: str, folds: Sequence[Fold]) -> dict[str, Any]:
    """What a figure of a search depends on, by the name that a user knows it by."""
    return {
        "recipe": request.recipe.model_dump(mode="json"),
        "board": request.board.model_dump(mode="json"),
        "limits": asdict(request.limits),
        "protocol": protocol,
        "epochs": request.epochs,
        "metric": request.metric,
        "recordings": _digest(folds),
        "code": code("search", "firmware", "link", "app", "ports").hex(),
    }


def _digest(folds: Sequence[Fold]) -> str:
    """Name of everything that candidates meet, side by side."""
    hasher = hashlib.sha256()
    for fold in folds:
        for side in (fold.train, fold.test, fold.tune, fold.validation, fold.others):
            hasher.update(b"side" + b"".join(protocols.digest(r) for r in side))
    return hasher.hexdigest()


def _described(recordings: Sequence[Recording]) -> list[dict[str, Any]]:
    """Sessions of each person, and how many recordings of each."""
    counts: dict[tuple[str, str], int] = {}
    for r in recordings:
        counts[r.subject, r.session] = counts.get((r.subject, r.session), 0) + 1
    return [
        {"subject": subject, "session": session, "recordings": count}
        for (subject, session), count in counts.items()
    ]


def _network(recipe: Recipe) -> dict[str, Any]:
    """What tells a candidate apart, for a reader."""
    model, front_end, training = recipe.model, recipe.frontend, recipe.training
    return {
        "family": model.family,
        "filters": list(model.filters),
        "pool_after": list(model.pool_after),
        "dense": model.dense,
        "dropout": model.dropout,
        "fft": front_end.n_fft,
        "hop": front_end.hop_length,
        "columns": front_end.frames,
        "bins": list(front_end.bins),
        "learning_rate": training.learning_rate,
        "noise": training.augment.noise,
        "mixup": training.augment.mixup,
    }


def _told(over: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {100 * more:.0f} % over" for name, more in over.items())


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
