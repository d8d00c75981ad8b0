"""``edgebio evaluate``: a recipe under a protocol, fold by fold."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import (
    COUNT,
    output_option,
    protocol_option,
    recipe_options,
    worker_options,
)

_PRINTED = (
    "By subject", "Float against int8, by fold", "By seed", "By condition",
    "Calibrated to the wearer", "Predicted features",
)  # fmt: skip
"""Sections of the page whose tables are printed."""


def _counts(context: click.Context, option: click.Parameter, text: str | None) -> list[int]:
    parts = text.split(",") if text else []
    if not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(f"{text!r}: expected numbers such as 0,1,2,4")
    return [int(part) for part in parts]


@command(
    example="edgebio evaluate emg-grips --protocol one-to-one --baseline lda\n"
    "edgebio evaluate emg-grips --protocol cross-subject -o results --dask tcp://10.0.0.5:8786\n"
    "edgebio evaluate emg-grips --protocol transfer --calibration-repetitions 0,1,2,4\n"
    "edgebio evaluate emg-fin --protocol one-to-one"
)
@recipe_options
@protocol_option("What is trained on and what is tested on.", required=True)
@click.option("--baseline", type=click.Choice(["lda"]),
              help="Linear discriminant on time-domain features, on the same folds.")  # fmt: skip
@click.option("--calibration-repetitions", "calibration", metavar="K,...", callback=_counts,
              help="With --protocol transfer: calibrate the network of other subjects on so many "
              "repetitions of the wearer, such as 0,1,2,4.")  # fmt: skip
@click.option("--seeds", type=COUNT, default=1, show_default=True, metavar="N",
              help="Train every fold N times, each with another seed.")  # fmt: skip
@output_option("Folder of the folds, evaluation.json and report.html; default: in the cache.",
               required=False)  # fmt: skip
@worker_options("Folds")
def evaluate(
    out: Output,
    recipe: str,
    dataset: str | None,
    protocol: str,
    output: Path | None,
    **options: Any,
) -> Document:
    """Train, quantize and score RECIPE on every fold of a protocol.

    The int8 model is scored with the C that the board would run. Finished folds are kept: after an
    interruption the same command continues. With --dask, folds run on an existing cluster (dask
    scheduler, dask worker), whose workers have the same edgebio installed.
    """
    from edgebio import api, datasets, storage
    from edgebio.report import page
    from edgebio.tasks.description import describe_artifacts

    job = api.load_recipe(recipe).with_data(dataset)
    folder = output or storage.cache("evaluations")
    evaluation = api.evaluate(
        job, protocol, folder=folder, on_finished=lambda fold: out.note(_progress(fold)), **options
    )
    composed = api.compose_report(folder)
    out.result(composed.subtitle)
    out.sections(composed, _PRINTED)
    seeds, subjects = evaluation.seeds, len(evaluation.subjects)
    out.table(
        "By class, int8: all folds together" + (", mean (and range) over seeds" * (len(seeds) > 1)),
        ["class", "recall", "precision (+P)", "F1", "segments"],
        [_class_row(rows) for rows in zip(*(seed["classes"] for seed in seeds), strict=True)],
    )
    if bounds := evaluation.interval["accuracy_int8"]:
        mean = evaluation.mean_over_subjects["accuracy_int8"]
        out.result(
            f"int8, mean over {subjects} subjects: {mean:.4f}; 95 % interval {bounds[0]:.4f} to "
            f"{bounds[1]:.4f}, by bootstrap over subjects"
        )
    for fold in evaluation.folds:
        if artifacts := describe_artifacts(fold["left_out"]):
            out.note(f"{fold['fold']}: {artifacts}")
    caveat = datasets.get(job.data.dataset).caveat
    if caveat:
        out.result(f"Caveat: {caveat}")
    path = page.write(composed, folder / page.FILE)
    out.result(f"{path}; folds and evaluation.json are beside it")
    return {**evaluation.document(), "caveat": caveat, "report": str(path)}


def _progress(fold: Mapping[str, Any]) -> str:
    accuracy = f"int8 {fold['accuracy_int8']:.4f} after {fold['seconds']:.0f} s"
    return f"fold {fold['fold']}, seed {fold['seed']}: {accuracy}"


def _class_row(seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    """Row of a class: means, and ranges over seeds."""
    from edgebio.training.statistics import mean

    cells = []
    for name in ("recall", "precision", "f1"):
        values = [row[name] for row in seeds if row[name] is not None]
        extent = f" ({min(values):.3f} to {max(values):.3f})" if len(values) > 1 else ""
        cells.append(f"{mean(values):.4f}{extent}" if values else "-")
    return [seeds[0]["class"], *cells, f"{seeds[0]['windows']:,}"]
