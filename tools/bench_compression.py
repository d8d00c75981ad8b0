"""What compression schemes and smaller networks cost and bring, in one table.

    python tools/bench_compression.py RECIPE --subject 2 --board mps2-an386 -o FOLDER

For every person: the recipe's network by every scheme of `edgebio quantize`; networks of fewer
filters, learned from the labels alone and beside a teacher of the recipe's own size; and the
recipe's network beside a larger teacher. Each is held against tflite-micro, counted on the board
and scored by its generated C. FOLDER keeps what is finished: called again, the tool goes on. It
holds compression.json and compression.md in the end.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgebio import boards, recipes, storage, tasks
from edgebio.boards import Board
from edgebio.compiler.host import HostModel
from edgebio.errors import EdgebioError
from edgebio.firmware.bench import bench
from edgebio.recipes import Recipe, Scheme, TeacherSettings
from edgebio.recordings.recording import Recording
from edgebio.tasks.run_folder import METRICS, RECIPE
from edgebio.tasks.stft_classifier.run import ImageRun

SCHEMES: tuple[Scheme, ...] = ("ptq", "qat", "prune", "cluster")
HELD = 64  # windows that are held against tflite-micro
COUNTED = 16  # windows that instructions are counted over


@dataclass(frozen=True)
class Row:
    """What was found of one network of one person.

    Attributes
    ----------
    what, subject
        Which.
    float_, int8
        Accuracy on the windows of the sessions held back.
    instructions, flash, ram
        On the board, of an image with a minimal application.
    weights, deflated, zeros, distinct
        See `edgebio.quantize.layer_report.weight_statistics`.
    differing
        Output bytes of `HELD` windows unlike tflite-micro's.
    seconds
        Of processor time, for training and tuning together; where a scheme trained on, what that
        added to the training of the network.
    """

    what: str
    subject: str
    float_: float
    int8: float
    instructions: int
    flash: int
    ram: int
    weights: int
    deflated: int
    zeros: float
    distinct: int
    differing: int
    seconds: float


def sized(recipe: Recipe, filters: Sequence[int], teacher: Sequence[int] | None = None) -> Recipe:
    """Give the recipe other filters, and a teacher of others still."""
    taught = TeacherSettings(filters=tuple(teacher)) if teacher else None
    return recipe.model_copy(
        update={
            "model": recipe.model.model_copy(update={"filters": tuple(filters)}),
            "training": recipe.training.model_copy(update={"teacher": taught}),
        }
    )


def networks(recipe: Recipe, smaller: float, larger: float) -> dict[str, Recipe]:
    """Networks besides the recipe's own, by what the table calls them."""
    own = recipe.model.filters
    few, many = ([max(4, 4 * round(n * by / 4)) for n in own] for by in (smaller, larger))
    found = {
        f"filters x {smaller:g}": sized(recipe, few),
        f"filters x {smaller:g}, taught by x 1": sized(recipe, few, own),
    }
    if larger:
        found[f"taught by filters x {larger:g}"] = sized(recipe, own, many)
    return found


def trained(recipe: Recipe, recordings: Sequence[Recording], folder: Path) -> float:
    """Train unless that is done, and tell the processor's seconds that it took."""
    kept = folder / "seconds.json"
    if (folder / METRICS).is_file() and kept.is_file():
        if recipes.load(folder / RECIPE) == recipe:
            return float(json.loads(kept.read_text()))
        raise EdgebioError(f"{folder}: a run of another recipe; choose another folder")
    start = time.process_time()
    tasks.train(recipe, recordings, folder)
    seconds = round(time.process_time() - start, 1)
    storage.write_json(kept, seconds)
    return seconds


def measure(
    what: str, run: Path, scheme: Scheme, seconds: float, board: Board,
    recordings: Sequence[Recording],
) -> Row:  # fmt: skip
    """Quantize a run by a scheme, hold it against tflite-micro, count it; kept beside the run."""
    kept = run / f"row-{scheme}.json"
    if kept.is_file():
        return Row(**json.loads(kept.read_text()))
    quantized = tasks.quantize(run, scheme=scheme, recordings=recordings, engine=tasks.generated_c)
    found = quantized.document()
    model = run / "model.tflite"
    read = ImageRun.load(run)
    test = read.test_images()
    some = np.unique(np.linspace(0, len(test) - 1, HELD).astype(np.int64))
    images, content = test.take(some), model.read_bytes()
    expected, kernels = tasks.interpreter(content, images)
    if kernels != "tflite-micro":
        raise EdgebioError("nothing to hold the generated C against: install tflite-micro")
    differing = int((HostModel(content).run(images) != expected).sum())
    counted = bench(board, model, images[:: len(images) // COUNTED])
    tuning = found["tuning"]
    row = Row(
        what=what,
        subject=read.metrics["test"]["subjects"][0],
        float_=found["accuracy_float"],
        int8=found["accuracy_int8"],
        instructions=counted.instructions,
        flash=counted.flash.total,
        ram=counted.ram.total,
        weights=found["weights"]["bytes"],
        deflated=found["weights"]["deflated"],
        zeros=found["weights"]["zeros"],
        distinct=found["weights"]["distinct"],
        differing=differing,
        seconds=tuning["seconds"] if tuning else seconds,
    )
    storage.write_json(kept, asdict(row))
    return row


def table(rows: Sequence[Row]) -> str:
    """Means over people, as Markdown."""
    lines = [
        "| | float | int8 | instructions | flash | RAM | weights | deflated | zeros "
        "| values a filter | unlike tflite-micro | CPU s |",
        "| --- |" + " --- |" * 11,
    ]
    for what in dict.fromkeys(row.what for row in rows):
        of = [row for row in rows if row.what == what]
        mean = {name: np.mean([getattr(row, name) for row in of]) for name in asdict(of[0])
                if name not in ("what", "subject")}  # fmt: skip
        lines.append(
            f"| {what} | {mean['float_']:.4f} | {mean['int8']:.4f} | {mean['instructions']:,.0f} "
            f"| {mean['flash']:,.0f} | {mean['ram']:,.0f} | {mean['weights']:,.0f} "
            f"| {mean['deflated']:,.0f} | {100 * mean['zeros']:.1f} % "
            f"| {max(row.distinct for row in of)} | {sum(row.differing for row in of)} "
            f"| {mean['seconds']:.0f} |"
        )
    return "\n".join(lines) + "\n"


def run(
    recipe: Recipe, subjects: Sequence[str], board: Board, folder: Path, smaller: float,
    larger: float, root: Path | None = None,
) -> list[Row]:  # fmt: skip
    """Measure everything; see the module."""
    rows = []

    def add(row: Row) -> None:
        rows.append(row)
        print(
            f"person {row.subject}, {row.what}: float {row.float_:.4f}, int8 {row.int8:.4f}, "
            f"{row.instructions:,} instructions, {row.seconds:.0f} s",
            file=sys.stderr, flush=True,
        )  # fmt: skip
        # As far as it is: what is interrupted has its table all the same.
        storage.write_json(folder / "compression.json", about | {"rows": [asdict(r) for r in rows]})
        storage.write_text(folder / "compression.md", table(rows))

    about: dict[str, Any] = {"recipe": recipe.name, "dataset": recipe.data.dataset,
                             "board": board.name}  # fmt: skip
    for subject in subjects:
        recordings = recipe.recordings(root, [subject])
        own = folder / subject / "own"
        seconds = trained(recipe, recordings, own)
        for scheme in SCHEMES:
            add(measure(scheme, own, scheme, seconds, board, recordings))
        for number, (what, other) in enumerate(networks(recipe, smaller, larger).items()):
            place = folder / subject / f"other{number}"
            seconds = trained(other, recordings, place)
            add(measure(what, place, "ptq", seconds, board, recordings))
    return rows


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", help="a name or a .toml file")
    parser.add_argument("--subject", action="append", required=True, help="can be repeated")
    parser.add_argument("--board", default="mps2-an386")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--data", type=Path, help="folder of data sets")
    parser.add_argument("--smaller", type=float, default=0.5, help="share of the filters")
    parser.add_argument("--larger", type=float, default=1.5, help="of a larger teacher; 0: none")
    options = parser.parse_args()
    try:
        rows = run(
            recipes.load(options.recipe), options.subject, boards.load(options.board),
            options.output, options.smaller, options.larger, options.data,
        )  # fmt: skip
    except EdgebioError as error:
        print(f"bench_compression: {error}", file=sys.stderr)
        return error.exit_code
    print(table(rows), end="")
    return 1 if any(row.differing for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
