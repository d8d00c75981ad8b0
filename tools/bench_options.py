"""What each option of training brings, on several sets: one is changed at a time.

    python tools/bench_options.py RECIPE --on SET:PROTOCOL:PERSON,PERSON --on ... -o FOLDER

Only folds that test the people named are looked at, or all; everybody else is trained on as the
protocol says. With --inside, nobody whom the protocol tests is looked at: those whom it trains on
are left out in turn, so that options can be chosen before the others are tested once. An option
that the recipe has is left out; one that it has not is added; where nobody who is tested is trained
on, these are the recipe's options for new people. Other sets that are learned from before are those
of the other --on. FOLDER keeps finished folds: called again, the tool goes on. It holds
options.json and options.md in the end.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from edgebio import protocols, recipes, storage
from edgebio.errors import EdgebioError
from edgebio.evaluation import evaluate
from edgebio.recipes import NewPeopleSettings, PretrainingSettings, Recipe
from edgebio.recordings.recording import Recording
from edgebio.search import sides

# What is tried where the recipe leaves an option out: [training], and its augmentation.
TRAINING: Mapping[str, float] = {"label_smoothing": 0.05, "average": 0.995, "weight_decay": 0.01}
AUGMENT: Mapping[str, float | int] = {
    "noise": 0.1, "mixup": 0.25, "gain": 0.15, "force": 0.5, "mains": 1.0, "channel_dropout": 0.05,
    "mask_bins": 3, "mask_columns": 2, "rotate": 1, "shift": 0.3,
    "time_stretch": 0.2,
}  # fmt: skip
PRETRAINING = "pretraining"


@dataclass(frozen=True)
class Where:
    """A data set, a protocol of it, and the people that are looked at."""

    dataset: str
    protocol: str
    people: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``SET:PROTOCOL:PERSON,PERSON`` or ``SET:PROTOCOL``."""
        parts = text.split(":")
        if len(parts) not in (2, 3) or not all(parts):
            raise EdgebioError(f"--on {text}: expected SET:PROTOCOL:PERSON,PERSON or SET:PROTOCOL")
        return cls(parts[0], parts[1], tuple(parts[2].split(",")) if parts[2:] else ())

    def __str__(self) -> str:
        return f"{self.dataset}, {self.protocol}"


INSIDE = "cross-subject"  # how --inside divides


def trained_on(protocol: str, recordings: Sequence[Recording]) -> Sequence[Recording]:
    """Recordings of those whom a protocol trains on, where there are others whom it tests.

    Raises
    ------
    EdgebioError
        Where it has several folds: somebody trained on in one is tested in another.
    """
    folds = protocols.split(protocol, recordings)
    if len(folds) > 1 or not folds[0].new_people:
        raise EdgebioError(
            f"--inside: {protocol} tests people that it trains on too, in this fold or another; "
            "it is for protocols that divide people once, such as pre-training or patient-wise"
        )
    return sides.chosen_by(folds[0])


def variants(recipe: Recipe, chosen: list[str], sets: Sequence[str] = ()) -> dict[str, Recipe]:
    """The recipe as it is, and with each option changed, by what the table calls them.

    `sets` are those that can be learned from before.
    """
    training = recipe.training
    found = {"as it is": recipe}

    def change(what: str, **update: Any) -> None:
        update = {"training": training.model_copy(update=update)}
        found[what] = recipe.model_copy(update=update)

    for name, value in {**TRAINING, **AUGMENT}.items():
        if chosen and name not in chosen:
            continue
        of = training if name in TRAINING else training.augment
        had = getattr(of, name)
        what = f"without {name}" if had else f"{name} = {value:g}"
        new: dict[str, Any] = {name: type(had)(0) if had else value}
        if name in AUGMENT:
            new = {"augment": training.augment.model_copy(update=new)}
        change(what, **new)
    if not chosen or PRETRAINING in chosen:
        if training.pretraining:
            change(f"without {PRETRAINING}", pretraining=None)
        elif others := [name for name in sets if name != recipe.data.dataset]:
            change(PRETRAINING, pretraining=PretrainingSettings(datasets=tuple(others)))
    return found


def table(found: Mapping[str, Mapping[str, float]]) -> str:
    """Accuracy of the recipe, and what each change makes of it, as Markdown."""
    own = found["as it is"]
    lines = ["| | " + " | ".join(own) + " |", "| --- |" + " --- |" * len(own)]
    for what, row in found.items():
        cells = [
            "" if p not in row else f"{row[p]:.4f}" if row is own else f"{row[p] - own[p]:+.4f}"
            for p in own
        ]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def run(
    recipe: Recipe, places: list[Where], chosen: list[str], folder: Path, *, inside: bool = False,
    seeds: int = 1, jobs: int | None = None, root: Path | None = None,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Mean int8 accuracy over the people, by change and place."""
    sets = list(dict.fromkeys(where.dataset for where in places))
    loaded, by, asked = {}, {}, {}
    for where in places:
        own = recipe.on(where.dataset)
        loaded[where] = own.recordings(root)
        if inside:
            loaded[where] = trained_on(where.protocol, loaded[where])
        by[where] = INSIDE if inside else where.protocol
        folds = protocols.split(by[where], loaded[where])
        if all(fold.new_people for fold in folds):
            # Said in [training], it can be changed there as for people who are known.
            said = own.training.for_new_people()
            update = {"training": said.model_copy(update={"new_people": NewPeopleSettings()})}
            own = own.model_copy(update=update)
        asked[where] = variants(own, chosen, sets)
    found: dict[str, dict[str, float]] = {}
    for what in dict.fromkeys(what for made in asked.values() for what in made):
        for where in places:
            if what not in asked[where]:
                continue
            changed, recordings = asked[where][what], loaded[where]
            made = evaluate(
                changed, recordings, by[where], folder, tested=where.people, seeds=seeds,
                jobs=jobs, others=changed.others(recordings, root),
            )  # fmt: skip
            row = found.setdefault(what, {})
            place = f"{where}, inside" if inside else str(where)
            row[place] = float(np.mean([p["accuracy_int8"] for p in made["people"]]))
            print(f"{what}, {place}: {row[place]:.4f}", file=sys.stderr, flush=True)
        # As far as it is: what is interrupted has its table all the same.
        storage.write_json(folder / "options.json", {"recipe": recipe.name, "rows": found})
        storage.write_text(folder / "options.md", table(found))
    return found


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", help="a name or a .toml file")
    parser.add_argument("--on", action="append", required=True, metavar="SET:PROTOCOL[:PERSON,...]",
                        help="can be repeated")  # fmt: skip
    parser.add_argument("--option", action="append", default=[],
                        choices=[*TRAINING, *AUGMENT, PRETRAINING],
                        help="only this one; can be repeated")  # fmt: skip
    parser.add_argument("--inside", action="store_true",
                        help="leave people out among those who are trained on")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=1, help="times that each is trained")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--jobs", type=int, help="folds at a time; one a core if not given")
    parser.add_argument("--data", type=Path, help="folder of data sets")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error("--seeds: at least 1")
    try:
        places = [Where.parse(text) for text in options.on]
        found = run(
            recipes.load(options.recipe), places, options.option, options.output,
            inside=options.inside, seeds=options.seeds, jobs=options.jobs, root=options.data,
        )  # fmt: skip
    except EdgebioError as error:
        print(f"bench_options: {error}", file=sys.stderr)
        return error.exit_code
    print(table(found), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
