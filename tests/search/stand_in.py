"""A search with simulated trainings and costs, to test the code around them.

``python -m tests.search.stand_in DIR TRIALS SECONDS`` runs one with the error handling of the
command line; each training takes so many seconds.
"""

import signal
import sys
import threading
import time
from pathlib import Path

from edgebio import boards, storage
from edgebio.cli.common import command
from edgebio.errors import EdgebioError
from edgebio.evaluation.fold_run import RESULT
from edgebio.search import Limits, Request, candidate_trainer
from edgebio.search.candidate_cost import Cost, CostCounter
from tests import tiny

BOARD = boards.load("mps2-an386")
LIMITS = Limits(latency=6.0, flash=30_000, ram=24_000)


def subjects(count=1):
    return [r for number in range(1, count + 1) for r in tiny.recordings(str(number))]


def cost(recipe, limits, board=BOARD):
    """A cost that grows with the network."""
    size = sum(recipe.model.filters) * (2 if recipe.model.family == "cnn" else 1)
    latency = 0.1 * size + 0.01 * recipe.frontend.frames * recipe.frontend.n_bins
    flash, ram = 20_000 + 200 * size + 10 * recipe.model.dense, 10_000 + 10 * size
    most = limits.on(board)
    return Cost(
        flash=flash, ram=ram, network=1000 * size, frontend=10, cycles=None,
        latency=latency, macs=size, optimize="speed",
        fits=flash <= most.flash and ram <= most.ram,
    )  # fmt: skip


class Trainings:
    """Takes the place of `trained_fold`: larger networks are better, up to a size."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.runs = []
        self.lock, self.running, self.most_at_a_time = threading.Lock(), 0, 0
        self.fails = lambda recipe, fold: False

    def __call__(self, recipe, fold, folder, runner):
        with self.lock:
            self.running += 1
            self.most_at_a_time = max(self.most_at_a_time, self.running)
        try:
            return self.train(recipe, fold, folder)
        finally:
            with self.lock:
                self.running -= 1

    def train(self, recipe, fold, folder):
        name = f"{recipe.name}-{fold.name}-{recipe.training.seed}".replace(" ", "-")
        target = folder / "folds" / name
        if not (target / RESULT).is_file():
            time.sleep(self.seconds)
            if self.fails(recipe, fold):
                raise EdgebioError("the loss is not finite in epoch 1: training diverged")
            self.runs.append((recipe, fold))
            size = sum(recipe.model.filters)
            accuracy = min(0.95, 0.5 + 0.02 * size) - 0.01 * recipe.model.dropout
            storage.write_text(target / "model.tflite", recipe.model_dump_json())
            storage.write_json(target / RESULT, {"accuracy_int8": accuracy})
        return target


def untrained_cost(counter, recipe, spec, classes):
    return cost(recipe, counter.limits, counter.board)


def only_start_fits(counter, recipe, spec, classes):
    """No candidate that a sampler finds is within the limits, though the smallest would be."""
    rate = recipe.training.learning_rate == tiny.RECIPE.training.learning_rate
    fits = rate and (recipe.model == tiny.RECIPE.model or recipe.model.filters == (4,))
    flash = counter.limits.flash - 1 if fits else counter.limits.flash + 1
    return cost(recipe, counter.limits).model_copy(update={"flash": flash, "fits": fits})


def trained_cost(counter, model):
    recipe = tiny.RECIPE.model_validate_json(model.read_bytes())
    return cost(recipe, counter.limits, counter.board)


def install(patch, trainings):
    """Put the simulations in place; `patch` is monkeypatch.setattr."""
    patch(candidate_trainer, "trained_fold", trainings)
    patch(CostCounter, "untrained", untrained_cost)
    patch(CostCounter, "trained", trained_cost)


def request(trials, **changes):
    options = {"board": BOARD, "limits": LIMITS, "trials": trials, "seeds": 1}
    return Request(tiny.RECIPE, **{**options, **changes})


def main():
    from edgebio.search import search

    # A shell without job control starts background programs with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, trials, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    install(setattr, Trainings(seconds))

    @command(name="stand-in", example="stand-in")
    def run(out):
        return {"front": search(request(trials), subjects(), folder, jobs=1)["front"]}

    run(["-q"])


if __name__ == "__main__":
    main()
