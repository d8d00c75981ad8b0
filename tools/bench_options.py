"""What each training option is worth, on several data sets: one is changed at a time.

    python tools/bench_options.py RECIPE --on SET:PROTOCOL:PERSON,PERSON --on ... -o FOLDER

Only folds that test the named people are run, or all; the protocol says what they are trained on.
With --inside, the subjects that the protocol trains on are left out in turn, and those it tests are
not used, so that options can be chosen before the others are tested once. An option that the recipe
has is removed; one that it does not have is added. Where no tested subject is trained on, these are
the recipe's options for new subjects. Pre-training uses the data sets of the other --on. FOLDER
keeps finished folds: a second call continues. It gets options.json and options.md.
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
from edgebio.recipes import NewSubjectsSettings, PretrainingSettings, Recipe
from edgebio.recordings.recording import Recording
from edgebio.search.inner_folds import training_recordings

# Values to try where the recipe does not use an option: [training], and its augmentation.
TRAINING: Mapping[str, float] = {
    "label_smoothing": 0.05, "ema_momentum": 0.995, "weight_decay": 0.01,
}  # fmt: skip
AUGMENT: Mapping[str, float | int] = {
    "noise": 0.1, "mixup": 0.25, "gain": 0.15, "force": 0.5, "mains": 1.0, "channel_dropout": 0.05,
    "mask_bins": 3, "mask_frames": 2, "rotate": 1, "shift": 0.3,
    "time_stretch": 0.2,
}  # fmt: skip
PRETRAINING = "pretraining"
UNCHANGED = "as it is"
INSIDE = "cross-subject"  # protocol of --inside


@dataclass(frozen=True)
class Case:
    """A data set, a protocol, and the subjects that are tested."""

    dataset: str
    protocol: str
    subjects: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``SET:PROTOCOL:PERSON,PERSON`` or ``SET:PROTOCOL``."""
        parts = text.split(":")
        if len(parts) not in (2, 3) or not all(parts):
            raise EdgebioError(f"--on {text}: expected SET:PROTOCOL:PERSON,PERSON or SET:PROTOCOL")
        return cls(parts[0], parts[1], tuple(parts[2].split(",")) if parts[2:] else ())

    def __str__(self) -> str:
        return f"{self.dataset}, {self.protocol}"


def trained_recordings(protocol: str, recordings: Sequence[Recording]) -> Sequence[Recording]:
    """Recordings that a protocol trains on, where it tests other subjects.

    Raises
    ------
    EdgebioError
        Where the protocol has several folds: a subject trained on in one is tested in another.
    """
    folds = protocols.split(protocol, recordings)
    if len(folds) > 1 or not folds[0].new_subjects:
        raise EdgebioError(
            f"--inside: {protocol} tests people that it trains on too, in this fold or another; "
            "use a protocol that divides people once, such as pre-training or patient-wise"
        )
    return training_recordings(folds[0])


def variants(recipe: Recipe, options: list[str], sets: Sequence[str] = ()) -> dict[str, Recipe]:
    """The recipe, and the recipe with each option changed, by the names of the table's rows.

    `sets` are data sets for pre-training.
    """
    training = recipe.training
    recipes_by_name = {UNCHANGED: recipe}

    def change(name: str, **update: Any) -> None:
        update = {"training": training.model_copy(update=update)}
        recipes_by_name[name] = recipe.model_copy(update=update)

    for name, value in {**TRAINING, **AUGMENT}.items():
        if options and name not in options:
            continue
        settings = training if name in TRAINING else training.augment
        old = getattr(settings, name)
        new: dict[str, Any] = {name: type(old)(0) if old else value}
        if name in AUGMENT:
            new = {"augment": training.augment.model_copy(update=new)}
        change(f"without {name}" if old else f"{name} = {value:g}", **new)
    if not options or PRETRAINING in options:
        if training.pretraining:
            change(f"without {PRETRAINING}", pretraining=None)
        elif other_sets := [name for name in sets if name != recipe.data.dataset]:
            change(PRETRAINING, pretraining=PretrainingSettings(datasets=tuple(other_sets)))
    return recipes_by_name


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Accuracy of the recipe, and the difference that each change makes, as Markdown."""
    own = rows[UNCHANGED]
    lines = ["| | " + " | ".join(own) + " |", "| --- |" + " --- |" * len(own)]
    for name, row in rows.items():
        cells = [
            "" if p not in row else f"{row[p]:.4f}" if row is own else f"{row[p] - own[p]:+.4f}"
            for p in own
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def run(
    recipe: Recipe, cases: list[Case], options: list[str], folder: Path, *, inside: bool = False,
    seeds: int = 1, jobs: int | None = None, root: Path | None = None,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Mean int8 accuracy over subjects, by change and case."""
    sets = list(dict.fromkeys(case.dataset for case in cases))
    recordings: dict[Case, Sequence[Recording]] = {}
    case_protocols, case_variants = {}, {}
    for case in cases:
        own = recipe.with_data(case.dataset)
        recordings[case] = own.recordings(root)
        if inside:
            recordings[case] = trained_recordings(case.protocol, recordings[case])
        case_protocols[case] = INSIDE if inside else case.protocol
        folds = protocols.split(case_protocols[case], recordings[case])
        if all(fold.new_subjects for fold in folds):
            # Moved to [training], the options for new subjects can be changed like the others.
            training = own.training.for_new_subjects()
            training = training.model_copy(update={"new_subjects": NewSubjectsSettings()})
            own = own.model_copy(update={"training": training})
        case_variants[case] = variants(own, options, sets)
    rows: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(name for names in case_variants.values() for name in names):
        for case in cases:
            if name not in case_variants[case]:
                continue
            changed = case_variants[case][name]
            evaluation = evaluate(
                changed, recordings[case], case_protocols[case], folder, subjects=case.subjects,
                seeds=seeds, jobs=jobs,
                pretraining=changed.pretraining_recordings(recordings[case], root),
            )  # fmt: skip
            row = rows.setdefault(name, {})
            column = f"{case}, inside" if inside else str(case)
            row[column] = float(np.mean([row["accuracy_int8"] for row in evaluation.subjects]))
            print(f"{name}, {column}: {row[column]:.4f}", file=sys.stderr, flush=True)
        # After every change, so that an interrupted run has its table too.
        storage.write_json(folder / "options.json", {"recipe": recipe.name, "rows": rows})
        storage.write_text(folder / "options.md", table(rows))
    return rows


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
                        help="test only on subjects that the protocol trains on")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each fold")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--jobs", type=int, help="folds at a time; one per core by default")
    parser.add_argument("--data", type=Path, help="folder of data sets")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        parser.error("--seeds: at least 1")
    try:
        cases = [Case.parse(text) for text in arguments.on]
        rows = run(
            recipes.load(arguments.recipe), cases, arguments.option, arguments.output,
            inside=arguments.inside, seeds=arguments.seeds, jobs=arguments.jobs,
            root=arguments.data,
        )  # fmt: skip
    except EdgebioError as error:
        print(f"bench_options: {error}", file=sys.stderr)
        return error.exit_code
    print(table(rows), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
