"""What each option of training brings, on several sets: one is changed at a time.

    python tools/bench_options.py RECIPE --on SET:PROTOCOL:PERSON,PERSON --on ... -o FOLDER

An option that the recipe has is left out; one that it has not is added. FOLDER keeps finished
folds: called again, the tool goes on. It holds options.json and options.md in the end.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from edgebio import protocols, recipes, storage
from edgebio.errors import EdgebioError
from edgebio.evaluation import evaluate
from edgebio.recipes import NewPeopleSettings, Recipe

# What is tried where the recipe leaves an option out: [training], and its augmentation.
TRAINING: Mapping[str, float] = {"label_smoothing": 0.05, "average": 0.995, "weight_decay": 0.01}
AUGMENT: Mapping[str, float | int] = {
    "noise": 0.1, "mixup": 0.25, "gain": 0.15, "force": 0.5, "mains": 1.0, "channel_dropout": 0.05,
    "mask_bins": 3, "mask_columns": 2, "rotate": 1, "shift": 0.3,
}  # fmt: skip


@dataclass(frozen=True)
class Where:
    """A data set, a protocol of it, and the people that are looked at."""

    dataset: str
    protocol: str
    people: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``SET:PROTOCOL:PERSON,PERSON``."""
        parts = text.split(":")
        if len(parts) != 3 or not all(parts):
            raise EdgebioError(f"--on {text}: expected SET:PROTOCOL:PERSON,PERSON")
        return cls(parts[0], parts[1], tuple(parts[2].split(",")))

    def __str__(self) -> str:
        return f"{self.dataset}, {self.protocol}"


def variants(recipe: Recipe, chosen: list[str]) -> dict[str, Recipe]:
    """The recipe as it is, and with each option changed, by what the table calls them."""
    training = recipe.training
    found = {"as it is": recipe}
    for name, value in {**TRAINING, **AUGMENT}.items():
        if chosen and name not in chosen:
            continue
        of = training if name in TRAINING else training.augment
        had = getattr(of, name)
        change: dict[str, Any] = {name: type(had)(0) if had else value}
        if name in AUGMENT:
            change = {"augment": training.augment.model_copy(update=change)}
        what = f"without {name}" if had else f"{name} = {value:g}"
        update = {"training": training.model_copy(update=change)}
        found[what] = recipe.model_copy(update=update)
    return found


def table(found: Mapping[str, Mapping[str, float]]) -> str:
    """Accuracy of the recipe, and what each change makes of it, as Markdown."""
    places = list(next(iter(found.values())))
    lines = ["| | " + " | ".join(places) + " |", "| --- |" + " --- |" * len(places)]
    own = found["as it is"]
    for what, row in found.items():
        cells = [
            f"{row[p]:.4f}" if row is own else f"{row[p] - own[p]:+.4f}" for p in places if p in row
        ]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def run(
    recipe: Recipe, places: list[Where], chosen: list[str], folder: Path, jobs: int | None,
    root: Path | None,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Mean int8 accuracy over the people, by change and place."""
    found: dict[str, dict[str, float]] = {}
    loaded = {
        where: recipe.on(where.dataset).recordings(root, list(where.people)) for where in places
    }
    for where, recordings in loaded.items():
        # What is changed in [training] would not be what they are trained by.
        if recipe.training.new_people != NewPeopleSettings() and any(
            fold.new_people for fold in protocols.split(where.protocol, recordings)
        ):
            raise EdgebioError(
                f"--on {where}: tests new people, for whom {recipe.name} has "
                "[training.new_people]; give a recipe that says it in [training]"
            )
    for what, changed in variants(recipe, chosen).items():
        row = found.setdefault(what, {})
        for where in places:
            made = evaluate(
                changed.on(where.dataset), loaded[where], where.protocol, folder, jobs=jobs
            )
            row[str(where)] = float(np.mean([p["accuracy_int8"] for p in made["people"]]))
            print(f"{what}, {where}: {row[str(where)]:.4f}", file=sys.stderr, flush=True)
        # As far as it is: what is interrupted has its table all the same.
        storage.write_json(folder / "options.json", {"recipe": recipe.name, "rows": found})
        storage.write_text(folder / "options.md", table(found))
    return found


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", help="a name or a .toml file")
    parser.add_argument("--on", action="append", required=True, metavar="SET:PROTOCOL:PERSON,...",
                        help="can be repeated")  # fmt: skip
    parser.add_argument("--option", action="append", default=[], choices=[*TRAINING, *AUGMENT],
                        help="only this one; can be repeated")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--jobs", type=int, help="folds at a time; one a core if not given")
    parser.add_argument("--data", type=Path, help="folder of data sets")
    options = parser.parse_args()
    try:
        places = [Where.parse(text) for text in options.on]
        found = run(
            recipes.load(options.recipe), places, options.option, options.output, options.jobs,
            options.data,
        )  # fmt: skip
    except EdgebioError as error:
        print(f"bench_options: {error}", file=sys.stderr)
        return error.exit_code
    print(table(found), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
