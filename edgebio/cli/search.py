"""``edgebio search``: the most accuracy within what a board can bear."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebio import protocols, recipes
from edgebio.cli.budget import Size
from edgebio.cli.common import Document, Output, command
from edgebio.cli.data import folder_option
from edgebio.errors import CheckFailedError

if TYPE_CHECKING:
    from edgebio.search.optuna_study import Candidate
    from edgebio.search.request import Metric

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A time, in milliseconds where no unit is given: 10ms, 800us, 0.2s, 10."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Convert to milliseconds."""
        if isinstance(value, int | float):
            return float(value)
        match = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*(us|ms|s)?", str(value).strip().lower())
        if not match or not float(match[1]):
            self.fail(f"{value!r} is not a time; give for example 10ms", param, ctx)
        return float(match[1]) * _UNITS[match[2] or "ms"]


@command(
    example="edgebio search emg-grips --board mps2-an386 --max-latency 50ms --max-flash 64k "
    "--max-ram 24k --trials 60 -o results\n"
    "edgebio search emg-grips --subject 2 --epochs 8 --board netduinoplus2 -o results\n"
    "edgebio search emg-grips --protocol cross-subject --board mps2-an386 -o results "
    "--dask tcp://10.0.0.5:8786"
)
@click.argument("recipe")
@click.option("--board", "board_name", required=True, help="Name, or a board's .toml file.")
@click.option("-o", "--output", "folder", required=True, metavar="DIR",
              type=click.Path(path_type=Path),
              help="For the study, search.json, report.html and the recipes.")  # fmt: skip
@click.option("--max-latency", "latency", type=Duration(),
              help="Longest time to compute a decision, such as 10ms.")  # fmt: skip
@click.option("--max-flash", "flash", type=Size(), help="Most flash of the image, such as 64k.")
@click.option("--max-ram", "ram", type=Size(), help="Most RAM of the image, such as 24k.")
@click.option("--trials", type=click.IntRange(min=1), default=40, show_default=True,
              help="Candidates to train, those of earlier calls included.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=1),
              help="Epochs of each training; the recipe's if not given.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(min=1), default=2, show_default=True,
              help="Seeds that each network of the front is trained with.")  # fmt: skip
@click.option("--metric", type=click.Choice(["accuracy", "balanced_accuracy", "macro_f1"]),
              default="accuracy", show_default=True,
              help="Metric that counts as accuracy.")  # fmt: skip
@click.option("--protocol", type=click.Choice(protocols.names()),
              help="How the training set is divided again; by default as the recipe is "
              "tested.")  # fmt: skip
@click.option("--dataset", help="Another data set than the recipe's (a name or an .npz file).")
@click.option("--subject", "subjects", multiple=True, help="Only this person; can be repeated.")
@click.option("--jobs", type=click.IntRange(min=1),
              help="Candidates at a time; by default one per core, or with --dask one per "
              "thread of its workers.")  # fmt: skip
@click.option("--dask", "scheduler", metavar="URL",
              help="Train on the workers of this Dask scheduler, such as "
              "tcp://10.0.0.5:8786.")  # fmt: skip
@folder_option
def search(
    out: Output,
    recipe: str,
    board_name: str,
    folder: Path,
    latency: float | None,
    flash: int | None,
    ram: int | None,
    trials: int,
    epochs: int | None,
    seeds: int,
    metric: "Metric",
    protocol: str | None,
    dataset: str | None,
    subjects: tuple[str, ...],
    jobs: int | None,
    scheduler: str | None,
    root: Path | None,
) -> Document:
    """Search networks and front ends around RECIPE for a board, within limits.

    The image of each candidate is built, run on the emulated board and counted first; candidates
    beyond a limit are not trained. They are chosen by folds within the recipe's training set; its
    test set is never used. DIR gets the Pareto front of accuracy against latency and flash, with a
    recipe for each of its networks. After an interruption the same command continues; with a larger
    --trials it searches further.
    """
    job = recipes.load(recipe).with_data(dataset)
    from edgebio import boards
    from edgebio.cli.report import write_report
    from edgebio.search import Limits, Request
    from edgebio.search import search as search_around

    request = Request(
        job, boards.load(board_name), Limits(latency, flash, ram), trials, protocol, epochs,
        metric, seeds,
    )  # fmt: skip

    def report_candidate(candidate: "Candidate") -> None:
        if candidate.state in (None, "same"):
            return
        results = {
            "stopped": f"stopped {candidate.reason}",
            "over": f"not trained: {candidate.reason}",
            "failed": f"failed: {candidate.reason}",
        }
        result = results.get(candidate.state) or f"{metric} {candidate.mean():.4f}"
        if cost := candidate.cost:
            result += f"; {cost.latency:.2f} ms, {cost.flash:,} bytes of flash, {cost.ram:,} of RAM"
        out.note(f"{candidate.number}: {result}")

    recordings = job.recordings(root, subjects or None)
    result = search_around(
        request,
        recordings,
        folder,
        pretraining=job.pretraining_recordings(recordings, root),
        jobs=jobs,
        scheduler=scheduler,
        on_finished=report_candidate,
    )
    front, start = result["front"], result["recipe_itself"]
    if result["gave_up"]:
        out.note(f"gave up {result['gave_up']}")
    rows = [_row(row) for row in front]
    if start and start["number"] not in {row["number"] for row in front}:
        beyond = f", over {' and '.join(start['over'])}" if start["over"] else ""
        rows.append([f"{job.name} itself{beyond}", *_row(start)[1:]])
    out.table(
        f"Pareto front on {result['board']}, {result['protocol']} within the training set",
        ["recipe", metric.replace("_", " "), "ms a decision", "flash", "RAM", "network", "STFT"],
        rows,
    )
    page = write_report(folder)
    out.result(f"{page}; recipes, search.json and the study are beside it")
    document = {**result, "report": str(page)}
    if not front:
        remedy = "try more --trials"
        if result["gave_up"]:
            remedy = "allow more, or start from a smaller recipe"
        raise CheckFailedError(f"nothing that was tried is within the limits: {remedy}", document)
    out.result(
        f"next: edgebio evaluate {folder / front[0]['file']} --protocol P, on subjects that were "
        "not searched on"
    )
    return document


def _row(row: Document) -> list[Any]:
    cost = row["cost"]
    filters = " ".join(
        f"{width}{'p' if k in row['pool_after'] else ''}" for k, width in enumerate(row["filters"])
    )
    dense = f" +{row['dense']}" if row["dense"] else ""
    return [
        row["name"], f"{row['accuracy']:.4f}", f"{cost['latency']:.2f}", cost["flash"],
        cost["ram"], f"{row['family']} {filters}{dense}",
        f"{row['fft']}/{row['hop']}, {row['bins'][1] - row['bins'][0]} bins",
    ]  # fmt: skip
