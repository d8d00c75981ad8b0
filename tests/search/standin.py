"""A search whose trainings and counts are stood in for, to look at what is around them.

``python -m tests.search.standin DIR TRIALS SECONDS`` runs one by the command line's own way of
saying what went wrong, each training taking so many seconds.
"""

import signal
import sys
import time
from pathlib import Path

from edgebio import boards, storage
from edgebio.cli.common import command
from edgebio.errors import EdgebioError
from edgebio.evaluation.evaluate import RESULT
from edgebio.search import Limits, Request
from edgebio.search.cost import Cost, Counter
from tests import tiny

LIMITS = Limits(latency=6.0, flash=30_000, ram=24_000)


def people(count=1):
    return [r for person in range(1, count + 1) for r in tiny.recordings(str(person))]


def cost(recipe, limits):
    """Some cost that grows with the network."""
    size = sum(recipe.model.filters) * (2 if recipe.model.family == "cnn" else 1)
    latency = 0.1 * size + 0.01 * recipe.frontend.columns * recipe.frontend.width
    flash = 20_000 + 200 * size + 10 * recipe.model.dense
    return Cost(
        flash=flash, ram=10_000 + 10 * size, network=1000 * size, frontend=10, cycles=None,
        latency=latency, macs=size, optimize="speed",
        fits=limits.flash is None or flash <= limits.flash,
    )  # fmt: skip


class Trainings:
    """Stands in for `kept_fold`: larger networks are better, up to a size; each is kept."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.made = []
        self.broken = lambda recipe, fold: False

    def __call__(self, job, recipe, fold, folder, scheduler=None):
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


def count(counter, model):
    return cost(tiny.RECIPE.model_validate_json(model.read_bytes()), counter.limits)


def stand_in(patch, trainings):
    """Put the stand-ins in the place of what they stand for; `patch` is monkeypatch.setattr."""
    patch(sys.modules["edgebio.search.search"], "kept_fold", trainings)
    patch(Counter, "untrained", lambda self, recipe, spec, classes: cost(recipe, self.limits))
    patch(Counter, "trained", count)


def request(trials, **changes):
    asked = {"board": boards.load("mps2-an386"), "limits": LIMITS, "trials": trials, "seeds": 1}
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
