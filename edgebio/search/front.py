"""The front of a search: trained again with other seeds, built, and written as recipes."""

import contextlib
from collections.abc import Mapping

from edgebio import progress, recipes, storage
from edgebio.errors import EdgebioError
from edgebio.processes.worker_pool import WorkerPool
from edgebio.search.candidate_trainer import CandidateTrainer
from edgebio.search.documents import Row, network_row
from edgebio.search.optuna_study import Candidate
from edgebio.search.pareto import Point, pareto_front
from edgebio.tasks.run_folder import MODEL

DOCUMENT = "search.json"


def confirm_front(
    trainer: CandidateTrainer, candidates: Mapping[int, Candidate], pool: WorkerPool
) -> list[Row]:
    """Train the front and the starting recipe with the other seeds, and build their images.

    Rows are those of all networks that were trained again; not all of them stay on the front.
    """
    scored = [c for c in candidates.values() if trainer.within_limits(c)]
    members = [scored[k] for k in pareto_front([c.point() for c in scored])]
    # Also where it is beyond the limits: it is what the others are compared with.
    members += [
        c for c in candidates.values()
        if c.state == "done" and trainer.is_start(c.params) and c not in members
    ]  # fmt: skip
    todo = [(c, turn) for turn in range(1, trainer.request.seeds) for c in members]
    scores: dict[tuple[int, int], float] = {}
    with progress.bar("seeds", len(todo)) as advance:

        def train(task: tuple[Candidate, int]) -> None:
            candidate, turn = task
            recipe = trainer.recipe_of(candidate)
            folds = [trainer.score(recipe, k, turn) for k in range(len(trainer.folds))]
            with pool.lock:
                scores[candidate.number, turn] = sum(folds) / len(folds)
                advance(1)

        pool.for_each(train, todo)
    return [
        _row(
            trainer, c,
            [c.mean(), *(scores[c.number, turn] for turn in range(1, trainer.request.seeds))],
        )
        for c in members
    ]  # fmt: skip


def _row(trainer: CandidateTrainer, candidate: Candidate, by_seed: list[float]) -> Row:
    recipe = trainer.recipe_of(candidate)
    # The image of the trained network counts, not that of the untrained one.
    cost = trainer.counter.trained(trainer.run(recipe, 0, 0) / MODEL)
    assert candidate.cost is not None
    return {
        **network_row(recipe),
        "number": candidate.number,
        "name": recipe.name,
        "accuracy": sum(by_seed) / len(by_seed),
        "by_seed": by_seed,
        "folds": candidate.folds,
        "over": cost.over(trainer.request.limits),
        "cost": cost.model_dump(),
        "estimate": candidate.cost.model_dump(),
    }


def write_recipes(
    trainer: CandidateTrainer, candidates: Mapping[int, Candidate], rows: list[Row]
) -> list[Row]:
    """Write recipes of the final front in place of those of an earlier call; return its rows."""
    fit = [row for row in rows if not row["over"]]
    points = [Point(row["accuracy"], row["cost"]["latency"], row["cost"]["flash"]) for row in fit]
    members = [fit[k] for k in pareto_front(points)]
    with contextlib.suppress(EdgebioError, LookupError):  # there may be no earlier call
        for row in storage.read_json(trainer.folder / DOCUMENT)["front"]:
            (trainer.folder / row["file"]).unlink(missing_ok=True)
    for row in members:
        row["file"] = f"{row['name']}.toml"
        text = _recipe_text(trainer, candidates[row["number"]], row)
        storage.write_text(trainer.folder / row["file"], text)
    return members


def _recipe_text(trainer: CandidateTrainer, candidate: Candidate, row: Row) -> str:
    """A recipe file, with the epochs of the starting recipe."""
    request, cost = trainer.request, row["cost"]
    build = f"edgebio build RUN --board {request.board.name}"
    build += f" --flash-budget {request.limits.flash}" if request.limits.flash else ""
    build += f" --ram-budget {request.limits.ram}" if request.limits.ram else ""
    return (
        f"# Found by edgebio search around {request.recipe.name}: "
        f"{request.metric.replace('_', ' ')} {row['accuracy']:.4f} on inner folds of the "
        f"training set,\n# {cost['flash']:,} bytes of flash, {cost['ram']:,} of RAM, "
        f"{cost['latency']:.2f} ms a decision as built by\n# {build} -o IMAGE\n"
        f"{recipes.dump(trainer.space.recipe_of(candidate.params, row['name']))}"
    )
