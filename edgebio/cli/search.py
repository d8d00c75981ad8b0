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
    from edgebio.search.search import Metric
    from edgebio.search.study import Candidate

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A time, in milliseconds where no unit is given: 10ms, 800us, 0.2s, 10."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give milliseconds."""
        if isinstance(value, int | float):
            return float(value)
        found = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*(us|ms|s)?", str(value).strip().lower())
        if not found or not float(found[1]):
            self.fail(f"{value!r} is no time; say for example 10ms", param, ctx)
        return float(found[1]) * _UNITS[found[2] or "ms"]


@command(
    example="edgebio search emg-grips --board mps2-an386 --max-latency 50ms --max-flash 64k "
    "--max-ram 24k --trials 60 -o found\n"
    "edgebio search emg-grips --subject 2 --subject 11 --epochs 8 --board netduinoplus2 -o found\n"
    "edgebio search emg-grips --protocol cross-subject --board mps2-an386 -o found "
    "--dask tcp://10.0.0.5:8786"
)
@click.argument("recipe")
@click.option("--board", "board_name", required=True, help="Name, or a board's .toml file.")
@click.option("-o", "--output", "folder", required=True, metavar="DIR",
              type=click.Path(path_type=Path),
              help="For the study, search.json, report.html and the recipes.")  # fmt: skip
@click.option("--max-latency", "latency", type=Duration(),
              help="Most computing of a decision, like 10ms: new columns and network.")  # fmt: skip
@click.option("--max-flash", "flash", type=Size(), help="Most flash of the image, like 64k.")
@click.option("--max-ram", "ram", type=Size(), help="Most RAM of the image, like 24k.")
@click.option("--trials", type=click.IntRange(min=1), default=40, show_default=True,
              help="Candidates to train, those of earlier calls included.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=1),
              help="Of each training of the search; the recipe's if not given.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(min=1), default=2, show_default=True,
              help="Seeds that each network of the front is trained with.")  # fmt: skip
@click.option("--metric", type=click.Choice(["accuracy", "balanced_accuracy", "macro_f1"]),
              default="accuracy", show_default=True, help="What accuracy is.")  # fmt: skip
@click.option("--protocol", type=click.Choice(protocols.names()),
              help="How the training side is divided again to choose by; by default as the "
              "recipe is tested.")  # fmt: skip
@click.option("--dataset", help="Another data set than the recipe's (a name or an .npz file).")
@click.option("--subject", "subjects", multiple=True, help="Only this person; can be repeated.")
@click.option("--jobs", type=click.IntRange(min=1),
              help="Candidates at a time; one a core if not given, or with --dask one a thread "
              "of its workers.")  # fmt: skip
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

    Of each candidate the image is built, run on the emulated board and counted first; those beyond
    a limit are not trained. Candidates are chosen by folds within the training side of the recipe:
    its test side is never touched. DIR gets the Pareto front of accuracy against latency and
    flash, with a recipe for each of its networks. The same command goes on after an interruption,
    and with more --trials goes further.
    """
    job = recipes.load(recipe).on(dataset)
    from edgebio import boards, report
    from edgebio.search import Limits, Request
    from edgebio.search import search as search_around

    request = Request(
        job, boards.load(board_name), Limits(latency, flash, ram), trials, protocol, epochs,
        metric, seeds,
    )  # fmt: skip

    def finished(candidate: "Candidate") -> None:
        said = {
            "done": lambda: f"{metric} {candidate.mean():.4f}",
            "stopped": lambda: f"stopped {candidate.reason}",
            "over": lambda: f"not trained: {candidate.reason}",
            "failed": lambda: f"failed: {candidate.reason}",
        }.get(candidate.state or "")
        if said:
            cost = candidate.cost
            taken = (
                f"; {cost.latency:.2f} ms, {cost.flash:,} bytes of flash, {cost.ram:,} of RAM"
                if cost
                else ""
            )
            out.note(f"{candidate.number}: {said()}{taken}")

    recordings = job.recordings(root, subjects or None)
    found = search_around(
        request,
        recordings,
        folder,
        others=job.others(recordings, root),
        jobs=jobs,
        scheduler=scheduler,
        finished=finished,
    )
    if found["gave_up"]:
        out.note(f"gave up {found['gave_up']}")
    rows = [_row(row) for row in found["front"]]
    own = found["recipe_itself"]
    if own and own["number"] not in {row["number"] for row in found["front"]}:
        beyond = f", over {' and '.join(own['over'])}" if own["over"] else ""
        rows.append([f"{job.name} itself{beyond}", *_row(own)[1:]])
    out.table(
        f"Pareto front on {found['board']}, {found['protocol']} within the training side",
        ["recipe", metric.replace("_", " "), "ms a decision", "flash", "RAM", "network", "STFT"],
        rows,
    )
    page = report.write(folder)
    out.result(f"{page}; recipes, search.json and the study are beside it")
    document = {**found, "report": str(page)}
    if not found["front"]:
        more = "allow more, or begin with a smaller recipe"
        remedy = more if found["gave_up"] else "try more --trials"
        raise CheckFailedError(f"nothing that was tried is within the limits: {remedy}", document)
    first = folder / found["front"][0]["file"]
    out.result(f"next: edgebio evaluate {first} --protocol P, on whom nothing was chosen by")
    return document


def _row(row: Document) -> list[Any]:
    cost = row["cost"]
    shown = " ".join(
        f"{width}{'p' if k in row['pool_after'] else ''}" for k, width in enumerate(row["filters"])
    )
    dense = f" +{row['dense']}" if row["dense"] else ""
    return [
        row["name"], f"{row['accuracy']:.4f}", f"{cost['latency']:.2f}", cost["flash"],
        cost["ram"], f"{row['family']} {shown}{dense}",
        f"{row['fft']}/{row['hop']}, {row['bins'][1] - row['bins'][0]} bins",
    ]  # fmt: skip
