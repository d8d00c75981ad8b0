"""What compression schemes and smaller networks cost, and what accuracy they keep, in one table.

    python tools/bench_compression.py RECIPE --subject 2 --board mps2-an386 -o FOLDER

For every subject: the recipe's network by every scheme of `edgebio quantize`; networks with fewer
filters, trained from the labels alone and with a teacher of the recipe's own size; and the recipe's
network with a larger teacher. Each is compared with tflite-micro, counted on the board and scored
by its generated C. FOLDER keeps finished results: a second call continues. It gets compression.json
and compression.md.
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
from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.firmware.bench import bench
from edgebio.recipes import Recipe, Scheme, TeacherSettings
from edgebio.recordings.recording import Recording
from edgebio.tasks.engines import generated_c, interpreter
from edgebio.tasks.run_folder import METRICS, RECIPE
from edgebio.tasks.stft_classifier.run import ImageRun

SCHEMES: tuple[Scheme, ...] = ("ptq", "qat", "prune", "cluster")
COMPARED = 64  # segments that are compared with tflite-micro
COUNTED = 16  # segments that instructions are counted over


@dataclass(frozen=True)
class Row:
    """Measurements of one network of one subject.

    Attributes
    ----------
    network, subject
        Row of the table, and subject.
    float_, int8
        Accuracy on the segments of the test set.
    instructions, flash, ram
        On the board, of an image with a minimal application.
    weights, deflated, zeros, distinct
        See `edgebio.quantization.layer_report.weight_statistics`.
    differing
        Output bytes of `COMPARED` segments that differ from tflite-micro's.
    seconds
        Processor time of training and tuning; for a scheme that trains further, what it added.
    """

    network: str
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


def resized(recipe: Recipe, filters: Sequence[int], teacher: Sequence[int] | None = None) -> Recipe:
    """The recipe with other filters, and with a teacher of those filters."""
    settings = TeacherSettings(filters=tuple(teacher)) if teacher else None
    return recipe.model_copy(
        update={
            "model": recipe.model.model_copy(update={"filters": tuple(filters)}),
            "training": recipe.training.model_copy(update={"teacher": settings}),
        }
    )


def networks(recipe: Recipe, smaller: float, larger: float) -> dict[str, Recipe]:
    """Networks besides the recipe's own, by the names of the table's rows."""
    own = recipe.model.filters
    few, many = ([max(4, 4 * round(n * by / 4)) for n in own] for by in (smaller, larger))
    variants = {
        f"filters x {smaller:g}": resized(recipe, few),
        f"filters x {smaller:g}, teacher x 1": resized(recipe, few, own),
    }
    if larger:
        variants[f"teacher x {larger:g}"] = resized(recipe, own, many)
    return variants


def train_once(recipe: Recipe, recordings: Sequence[Recording], folder: Path) -> float:
    """Train unless that is done, and return the processor time in seconds."""
    path = folder / "seconds.json"
    if (folder / METRICS).is_file() and path.is_file():
        if recipes.load(folder / RECIPE) == recipe:
            return float(json.loads(path.read_text()))
        raise EdgebioError(f"{folder}: a run of another recipe; choose another folder")
    start = time.process_time()
    tasks.train(recipe, recordings, folder)
    seconds = round(time.process_time() - start, 1)
    storage.write_json(path, seconds)
    return seconds


def measure(
    network: str, folder: Path, scheme: Scheme, seconds: float, board: Board,
    recordings: Sequence[Recording],
) -> Row:  # fmt: skip
    """Quantize a run by a scheme, compare and count it; the row is kept beside the run."""
    path = folder / f"measured-{scheme}.json"
    if path.is_file():
        return Row(**json.loads(path.read_text()))
    quantized = tasks.quantize(folder, scheme=scheme, recordings=recordings, engine=generated_c)
    run = ImageRun.load(folder)
    test = run.test_images()
    index = np.unique(np.linspace(0, len(test) - 1, COMPARED).astype(np.int64))
    images, content = test.take(index), quantized.model.read_bytes()
    expected, kernels = interpreter(content, images)
    if kernels != "tflite-micro":
        raise EdgebioError("nothing to compare the generated C with: install tflite-micro")
    differing = int((HostModel(content).run(images) != expected).sum())
    counted = bench(board, quantized.model, images[:: len(images) // COUNTED])
    document = quantized.document()
    tuning, weights = document["tuning"], document["weights"]
    row = Row(
        network=network,
        subject=run.metrics["test"]["subjects"][0],
        float_=quantized.float_metrics.accuracy,
        int8=quantized.int8_metrics.accuracy,
        instructions=counted.instructions,
        flash=counted.flash.total,
        ram=counted.ram.total,
        weights=weights["bytes"],
        deflated=weights["deflated"],
        zeros=weights["zeros"],
        distinct=weights["distinct"],
        differing=differing,
        seconds=tuning["seconds"] if tuning else seconds,
    )
    storage.write_json(path, asdict(row))
    return row


def table(rows: Sequence[Row]) -> str:
    """Means over subjects, as Markdown."""
    lines = [
        "| | float | int8 | instructions | flash | RAM | weights | deflated | zeros "
        "| values per filter | unlike tflite-micro | CPU s |",
        "| --- |" + " --- |" * 11,
    ]
    for network in dict.fromkeys(row.network for row in rows):
        own = [row for row in rows if row.network == network]
        mean = {name: np.mean([getattr(row, name) for row in own]) for name in asdict(own[0])
                if name not in ("network", "subject")}  # fmt: skip
        lines.append(
            f"| {network} | {mean['float_']:.4f} | {mean['int8']:.4f} "
            f"| {mean['instructions']:,.0f} | {mean['flash']:,.0f} | {mean['ram']:,.0f} "
            f"| {mean['weights']:,.0f} | {mean['deflated']:,.0f} | {100 * mean['zeros']:.1f} % "
            f"| {max(row.distinct for row in own)} | {sum(row.differing for row in own)} "
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
            f"person {row.subject}, {row.network}: float {row.float_:.4f}, int8 {row.int8:.4f}, "
            f"{row.instructions:,} instructions, {row.seconds:.0f} s",
            file=sys.stderr, flush=True,
        )  # fmt: skip
        # After every row, so that an interrupted run has its table too.
        storage.write_json(folder / "compression.json", head | {"rows": [asdict(r) for r in rows]})
        storage.write_text(folder / "compression.md", table(rows))

    head: dict[str, Any] = {"recipe": recipe.name, "dataset": recipe.data.dataset,
                            "board": board.name}  # fmt: skip
    for subject in subjects:
        recordings = recipe.recordings(root, [subject])
        own = folder / subject / "own"
        seconds = train_once(recipe, recordings, own)
        for scheme in SCHEMES:
            add(measure(scheme, own, scheme, seconds, board, recordings))
        for number, (name, other) in enumerate(networks(recipe, smaller, larger).items()):
            target = folder / subject / f"other{number}"
            seconds = train_once(other, recordings, target)
            add(measure(name, target, "ptq", seconds, board, recordings))
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
