"""A search whose trainings and counts are stood in for, to look at what is around them.

``python -m tests.search.standin DIR TRIALS SECONDS`` runs one by the command line's own way of
saying what went wrong, each training taking so many seconds.
"""

import signal
import sys
import threading
import time
from pathlib import Path

from edgebio import boards, storage
from edgebio.cli.common import command
from edgebio.errors import EdgebioError
from edgebio.evaluation.evaluate import RESULT
from edgebio.search import Limits, Request
from edgebio.search.cost import Cost, Counter
from tests import tiny

BOARD = boards.load("mps2-an386")
LIMITS = Limits(latency=6.0, flash=30_000, ram=24_000)


def people(count=1):
    return [r for person in range(1, count + 1) for r in tiny.recordings(str(person))]


def cost(recipe, limits, board=BOARD):
    """Some cost that grows with the network."""
    size = sum(recipe.model.filters) * (2 if recipe.model.family == "cnn" else 1)
    latency = 0.1 * size + 0.01 * recipe.frontend.columns * recipe.frontend.width
    flash, ram = 20_000 + 200 * size + 10 * recipe.model.dense, 10_000 + 10 * size
    most = limits.on(board)
    return Cost(
        flash=flash, ram=ram, network=1000 * size, frontend=10, cycles=None,
        latency=latency, macs=size, optimize="speed",
        fits=flash <= most.flash and ram <= most.ram,
    )  # fmt: skip


class Trainings:
    """Stands in for `kept_score`: larger networks are better, up to a size; each is kept."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.made = []
        self.lock, self.running, self.most = threading.Lock(), 0, 0  # most at a time
        self.broken = lambda recipe, fold: False

    def __call__(self, recipe, fold, folder, scheduler=None):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            return self.train(recipe, fold, folder)
        finally:
            with self.lock:
                self.running -= 1

    def train(self, recipe, fold, folder):
        name = f"{recipe.name}-{fold.name}-{recipe.training.seed}".replace(" ", "-")
        place = folder / "folds" / name
        if not (place / RESULT).is_file():
            time.sleep(self.seconds)
            if self.broken(recipe, fold):
                raise EdgebioError("the loss is not finite in epoch 1: training diverged")
            self.made.append((recipe, fold))
            size = sum(recipe.model.filters)
            accuracy = min(0.95, 0.5 + 0.02 * size) - 0.01 * recipe.model.dropout
            storage.write_text(place / "model.tflite", recipe.model_dump_json())
            storage.write_json(place / RESULT, {"accuracy_int8": accuracy})
        return place


def untrained(counter, recipe, spec, classes):
    return cost(recipe, counter.limits, counter.board)


def only_the_recipe(counter, recipe, spec, classes):
    """Nothing that a sampler finds is within the limits, though the smallest would be."""
    rate = recipe.training.learning_rate == tiny.RECIPE.training.learning_rate
    fits = rate and (recipe.model == tiny.RECIPE.model or recipe.model.filters == (4,))
    flash = counter.limits.flash - 1 if fits else counter.limits.flash + 1
    return cost(recipe, counter.limits).model_copy(update={"flash": flash, "fits": fits})


def count(counter, model):
    recipe = tiny.RECIPE.model_validate_json(model.read_bytes())
    return cost(recipe, counter.limits, counter.board)


def stand_in(patch, trainings):
    """Put the stand-ins in the place of what they stand for; `patch` is monkeypatch.setattr."""
    patch(sys.modules["edgebio.search.search"], "kept_score", trainings)
    patch(Counter, "untrained", untrained)
    patch(Counter, "trained", count)


def request(trials, **changes):
    asked = {"board": BOARD, "limits": LIMITS, "trials": trials, "seeds": 1}
    return Request(tiny.RECIPE, **{**asked, **changes})


def main():
    from edgebio.search import search

    # A shell without job control starts what is in its background deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, trials, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    stand_in(setattr, Trainings(seconds))

    @command(name="standin", example="standin")
    def run(out):
        return {"front": search(request(trials), people(), folder, jobs=1)["front"]}

    run(["-q"])


if __name__ == "__main__":
    main()
