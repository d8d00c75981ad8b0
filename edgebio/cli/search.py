"""``edgebio search``: the most accuracy within the limits of a board."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import (
    COUNT,
    DURATION,
    SIZE,
    board_option,
    note_stand_in,
    output_option,
    protocol_option,
    recipe_options,
    worker_options,
)
from edgebio.errors import CheckFailedError

if TYPE_CHECKING:
    from edgebio.search.optuna_study import Candidate
    from edgebio.search.request import Metric


@command(
    example="edgebio search emg-grips --board mps2-an386 --max-latency 50ms --max-flash 64k "
    "--max-ram 24k --trials 60 -o results\n"
    "edgebio search emg-grips --subject 2 --epochs 8 --board netduinoplus2 -o results\n"
    "edgebio search emg-grips --protocol cross-subject --board mps2-an386 -o results "
    "--dask tcp://10.0.0.5:8786"
)
@recipe_options
@board_option(required=True)
@output_option("Folder of the study, search.json, report.html and the recipes.")
@click.option("--max-latency", "latency", type=DURATION,
              help="Longest time to compute a decision, such as 10ms.")  # fmt: skip
@click.option("--max-flash", "flash", type=SIZE, help="Most flash of the image, such as 64k.")
@click.option("--max-ram", "ram", type=SIZE, help="Most RAM of the image, such as 24k.")
@click.option("--trials", type=COUNT, default=40, show_default=True, metavar="N",
              help="Candidates to train, those of earlier calls included.")  # fmt: skip
@click.option("--epochs", type=COUNT, metavar="N",
              help="Epochs of each training; default: the recipe's.")  # fmt: skip
@click.option("--seeds", type=COUNT, default=2, show_default=True, metavar="N",
              help="Train each network of the front N times, each with another seed.")  # fmt: skip
@click.option("--metric", type=click.Choice(["accuracy", "balanced_accuracy", "macro_f1"]),
              default="accuracy", show_default=True,
              help="Metric that counts as accuracy.")  # fmt: skip
@protocol_option("Split the training set again by it; default: as the recipe is tested.")
@worker_options("Candidates")
def search(
    out: Output,
    recipe: str,
    dataset: str | None,
    board: str,
    output: Path,
    latency: float | None,
    flash: int | None,
    ram: int | None,
    metric: "Metric",
    **options: Any,
) -> Document:
    """Search networks and front ends around RECIPE for a board, within limits.

    The image of each candidate is built, run on the emulated board and counted first; candidates
    beyond a limit are not trained. They are chosen by folds within the recipe's training set; its
    test set is never used. DIR gets the Pareto front of accuracy against latency and flash, with a
    recipe for each of its networks. After an interruption the same command continues; with a larger
    --trials it searches further.
    """
    from edgebio import api
    from edgebio.report import page
    from edgebio.search import Limits

    job, target = api.load_recipe(recipe).with_data(dataset), api.load_board(board)
    note_stand_in(out, target)
    result = api.search_networks(
        job, target, folder=output, limits=Limits(latency, flash, ram), metric=metric,
        on_finished=lambda candidate: _note(out, metric, candidate), **options,
    )  # fmt: skip
    front = result["front"]
    if result["gave_up"]:
        out.note(f"gave up {result['gave_up']}")
    composed = api.compose_report(output)
    out.sections(composed, ("Pareto front",))
    path = page.write(composed, output / page.FILE)
    out.result(f"{path}; recipes, search.json and the study are beside it")
    document = {**result, "report": str(path)}
    if not front:
        remedy = "try more --trials"
        if result["gave_up"]:
            remedy = "allow more, or start from a smaller recipe"
        raise CheckFailedError(f"nothing that was tried is within the limits: {remedy}", document)
    out.result(
        f"next: edgebio evaluate {output / front[0]['file']} --protocol P, on subjects that were "
        "not searched on"
    )
    return document


def _note(out: Output, metric: str, candidate: "Candidate") -> None:
    if candidate.state in (None, "same"):
        return
    results = {
        "stopped": f"stopped {candidate.reason}",
        "over": f"not trained: {candidate.reason}",
        "failed": f"failed: {candidate.reason}",
    }
    text = results.get(candidate.state) or f"{metric} {candidate.mean():.4f}"
    if cost := candidate.cost:
        text += f"; {cost.latency:.2f} ms, {cost.flash:,} bytes of flash, {cost.ram:,} of RAM"
    out.note(f"{candidate.number}: {text}")
