"""``edgebio evaluate``: a recipe under a protocol, fold by fold."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebio import datasets, protocols, recipes, storage
from edgebio.cli.common import Document, Output, command
from edgebio.cli.data import folder_option

if TYPE_CHECKING:
    from edgebio.evaluation import Baseline, Evaluation
    from edgebio.recipes import Recipe

_DECIDED = ("accuracy_vote", "accuracy_sure")
_METRICS = (
    "accuracy", "accuracy_int8", "balanced_accuracy_int8", "macro_f1_int8", *_DECIDED,
)  # fmt: skip


@command(
    example="edgebio evaluate emg-grips --protocol one-to-one --baseline lda\n"
    "edgebio evaluate emg-grips --protocol cross-subject -o results --dask tcp://10.0.0.5:8786\n"
    "edgebio evaluate emg-grips --protocol transfer --calibration-repetitions 0,1,2,4\n"
    "edgebio evaluate emg-fin --protocol one-to-one"
)
@click.argument("recipe")
@click.option("--protocol", required=True, type=click.Choice(protocols.names()),
              help="What is trained on and what is tested on.")  # fmt: skip
@click.option("--dataset", help="Another data set than the recipe's (a name or an .npz file).")
@click.option("--subject", "subjects", multiple=True, help="Only this person; can be repeated.")
@click.option("--baseline", type=click.Choice(["lda"]),
              help="Linear discriminant on time-domain features, on the same folds.")  # fmt: skip
@click.option("--calibration-repetitions", "calibration", metavar="K,...",
              callback=lambda context, option, text: _numbers(text),
              help="With --protocol transfer: calibrate the network of other people on so many "
              "repetitions of the wearer, such as 0,1,2,4.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
              help="Train every fold N times, each with another seed.")  # fmt: skip
@click.option("-o", "--output", "folder", metavar="DIR", type=click.Path(path_type=Path),
              help="For folds, evaluation.json, report.html; otherwise the cache.")  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Folds at a time; one per core by default."
)
@click.option("--dask", "scheduler", metavar="URL",
              help="Send folds to the workers of this Dask scheduler, such as "
              "tcp://10.0.0.5:8786.")  # fmt: skip
@folder_option
def evaluate(
    out: Output,
    recipe: str,
    protocol: str,
    dataset: str | None,
    subjects: tuple[str, ...],
    baseline: "Baseline | None",
    calibration: list[int],
    seeds: int,
    folder: Path | None,
    jobs: int | None,
    scheduler: str | None,
    root: Path | None,
) -> Document:
    """Train, quantize and score RECIPE on every fold of a protocol.

    The int8 model is scored with the C that the board would run. Finished folds are kept: after an
    interruption the same command continues. With --dask, folds run on an existing cluster (dask
    scheduler, dask worker), whose workers have the same edgebio installed.
    """
    from edgebio.cli.report import write_report
    from edgebio.evaluation import evaluate as evaluate_recipe
    from edgebio.tasks.description import describe_artifacts

    job = recipes.load(recipe).with_data(dataset)
    recordings = job.recordings(root, subjects or None)
    folder = folder or storage.cache("evaluations")
    evaluation = evaluate_recipe(
        job,
        recordings,
        protocol,
        folder,
        baseline=baseline,
        calibration=calibration,
        pretraining=job.pretraining_recordings(recordings, root),
        seeds=seeds,
        jobs=jobs,
        scheduler=scheduler,
        on_finished=lambda fold: out.note(_progress(fold)),
    )
    _print(out, job, evaluation, recordings[0].rate)
    page = write_report(folder)
    for fold in evaluation.folds:
        if artifacts := describe_artifacts(fold["left_out"]):
            out.note(f"{fold['fold']}: {artifacts}")
    caveat = datasets.get(job.data.dataset).caveat
    if caveat:
        out.result(f"Caveat: {caveat}")
    out.result(f"{page}; folds and evaluation.json are beside it")
    return {**evaluation.document(), "caveat": caveat, "report": str(page)}


def _print(out: Output, job: "Recipe", evaluation: "Evaluation", rate: float) -> None:
    """Print all tables."""
    from edgebio.evaluation.statistics import by_fold
    from edgebio.tasks import task_of
    from edgebio.tasks.subjects_section import VOTED, vote_delay

    seeds, subjects = len(evaluation.seeds), len(evaluation.subjects)
    folds = by_fold(evaluation.folds, list(evaluation.mean))
    # Where several folds test the same people, their names tell them apart.
    name = "fold" if len({fold["test"] for fold in folds}) < len(folds) else "test"
    lines: list[tuple[str, Mapping[str, Any]]] = [(fold[name], fold) for fold in folds]
    spread = "standard deviation" + (", folds and seeds" if seeds > 1 else "")
    lines += [("mean", evaluation.mean), (spread, evaluation.deviation)]
    if subjects > 1:
        lines.append(("mean over people", evaluation.mean_over_subjects))
    rows: list[list[Any]] = [[name, *_numbers_of(row, _METRICS)] for name, row in lines]
    vote, rejected = VOTED.values()
    if job.data.segments == "step":
        vote += f", {vote_delay(job.frontend.step, rate)} later"
    columns = ["tested on", "float", "int8", "balanced int8", "macro F1 int8", vote, rejected]
    if lda := evaluation.baseline:
        columns.append(lda["name"])
        scores: list[Mapping[str, Any]] = [*lda["folds"], lda, lda["deviation"]]
        if subjects > 1:
            scores.append(lda["mean_over_people"])
        for row, score in zip(rows, scores, strict=True):
            row.append(_number(score["accuracy"]))
    out.table(f"{job.name} on {job.data.dataset}, {evaluation.protocol}", columns, rows)
    if bounds := evaluation.interval["accuracy_int8"]:
        out.result(
            f"int8, mean over {subjects} people: 95 % interval {bounds[0]:.4f} to "
            f"{bounds[1]:.4f}, by bootstrap over people"
        )
    if seeds > 1:
        out.table(
            "By seed: mean over folds",
            ["seed", "float", "int8"],
            [[row["seed"], *_numbers_of(row, _METRICS[:2])] for row in evaluation.seeds],
        )
    out.table(
        "By class, int8: all folds together" + (", mean (and range) over seeds" * (seeds > 1)),
        ["class", "recall", "precision (+P)", "F1", "segments"],
        [_class_row(of_seeds) for of_seeds in zip(
            *(row["classes"] for row in evaluation.seeds), strict=True
        )],
    )  # fmt: skip
    if evaluation.conditions:
        out.table(
            "By level of force, or other condition: mean over folds",
            ["trained at", "tested at", "float", "int8", vote, rejected],
            [[row["trained"], row["tested"], *_numbers_of(row, (*_METRICS[:2], *_DECIDED))]
             for row in evaluation.conditions],
        )  # fmt: skip
    if own := task_of(job).own_metrics:
        out.table(
            f"Metrics of task {job.task} only",
            ["tested on", *(name.replace("_", " ") for name in own)],
            [[name, *_numbers_of(row, own)] for name, row in lines],
        )
    if evaluation.calibration:
        out.table(
            "Calibrated on the first repetitions of the wearer",
            ["repetitions", "labeled signal", "calibrated in", "int8", "lowest", "highest",
             vote, rejected, "int8, statistics of session 1"],
            [_calibration_row(row) for row in evaluation.calibration],
        )  # fmt: skip


def _progress(fold: Mapping[str, Any]) -> str:
    return (
        f"fold {fold['fold']}, seed {fold['seed']}: int8 {fold['accuracy_int8']:.4f} after "
        f"{fold['seconds']:.0f} s"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _numbers_of(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [_number(row[name]) for name in names]


def _class_row(seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    """Row of a class: means, and ranges over seeds."""
    from edgebio.training.statistics import mean

    cells = []
    for name in ("recall", "precision", "f1"):
        values = [row[name] for row in seeds if row[name] is not None]
        extent = f" ({min(values):.3f} to {max(values):.3f})" if len(values) > 1 else ""
        cells.append(_number(mean(values)) + extent)
    return [seeds[0]["class"], *cells, f"{seeds[0]['windows']:,}"]


def _calibration_row(row: Mapping[str, Any]) -> list[str]:
    own = [subject["accuracy_int8"] for subject in row["people"]]
    return [
        str(row["repetitions"]),
        f"{row['signal_seconds']:.0f} s",
        "-" if row["seconds"] is None else f"{row['seconds']:.1f} s",
        *(_number(value) for value in (row["accuracy_int8"], min(own), max(own))),
        *_numbers_of(row, (*_DECIDED, "accuracy_as_calibrated")),
    ]


def _numbers(text: str | None) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")] if text else []
    except ValueError:
        numbers = [-1]
    if any(number < 0 for number in numbers):
        raise click.BadParameter(f"{text!r}: expected numbers such as 0,1,2,4")
    return numbers
