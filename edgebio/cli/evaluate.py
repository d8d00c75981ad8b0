"""``edgebio evaluate``: a recipe under a protocol, fold by fold."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import click

from edgebio import datasets, protocols, recipes, storage
from edgebio.cli.common import Document, Output, command
from edgebio.cli.data import folder_option
from edgebio.evaluation import Baseline
from edgebio.evaluation import evaluate as evaluate_recipe
from edgebio.evaluation.people import REJECTED_SHARE, VOTES, by_fold, mean

_DECIDED = ("accuracy_vote", "accuracy_sure")
_COLUMNS = (
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
              help="Who is trained on and who is tested on.")  # fmt: skip
@click.option("--dataset", help="Another data set than the recipe's (a name or an .npz file).")
@click.option("--subject", "subjects", multiple=True, help="Only this person; can be repeated.")
@click.option("--baseline", type=click.Choice(get_args(Baseline)),
              help="Linear discriminant on time-domain features, on the same folds.")  # fmt: skip
@click.option("--calibration-repetitions", "calibration", metavar="K,...",
              callback=lambda context, option, text: _numbers(text),
              help="With --protocol transfer: calibrate the network of other people on so many "
              "repetitions of the wearer, such as 0,1,2,4.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
              help="Train every fold N times, from another seed each.")  # fmt: skip
@click.option("-o", "--output", "folder", metavar="DIR", type=click.Path(path_type=Path),
              help="For folds, evaluation.json, report.html; otherwise the cache.")  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Folds at a time; one a core if not given."
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
    baseline: Baseline | None,
    calibration: list[int],
    seeds: int,
    folder: Path | None,
    jobs: int | None,
    scheduler: str | None,
    root: Path | None,
) -> Document:
    """Train, quantize and score RECIPE on every fold of a protocol.

    int8 is scored by the C that the board would run. Finished folds are kept: after an
    interruption the same command goes on where it was. With --dask they are computed by an existing
    cluster (dask scheduler, dask worker), whose workers have the same edgebio installed.
    """
    job = recipes.load(recipe).on(dataset)
    recordings = job.recordings(root, subjects or None)
    where = folder or storage.cache("evaluations")
    document = evaluate_recipe(
        job,
        recordings,
        protocol,
        where,
        baseline=baseline,
        calibration=calibration,
        others=job.others(recordings, root),
        seeds=seeds,
        jobs=jobs,
        scheduler=scheduler,
        finished=lambda fold: out.note(
            f"fold {fold['fold']}, seed {fold['seed']}: int8 {fold['accuracy_int8']:.4f} after "
            f"{fold['seconds']:.0f} s"
        ),
    )
    from edgebio import report
    from edgebio.report import words

    folds = by_fold(document["folds"], list(document["mean"]))
    # Where every fold is tested on the same people, what is left out names it.
    alike = len({fold["test"] for fold in folds}) < len(folds)
    lines = [(fold["fold" if alike else "test"], fold) for fold in folds]
    spread = "standard deviation" + (", folds and seeds" if seeds > 1 else "")
    lines += [("mean", document["mean"]), (spread, document["deviation"])]
    several = len(document["people"]) > 1
    if several:
        lines.append(("mean over people", document["mean_over_people"]))
    rows: list[list[Any]] = [
        [name, *(_figure(figures[column]) for column in _COLUMNS)] for name, figures in lines
    ]
    vote = f"vote over {VOTES}"
    if job.data.windows == "stride":
        vote += f", {words.late(job.frontend.step, recordings[0].rate)} later"
    columns = [
        "tested on", "float", "int8", "balanced int8", "macro F1 int8", vote,
        f"{100 * REJECTED_SHARE:.0f} % rejected",
    ]  # fmt: skip
    decided = columns[-len(_DECIDED) :]
    if baseline:
        found = document["baseline"]
        columns.append(baseline)
        scores = [*found["folds"], found, found["deviation"]]
        if several:
            scores.append(found["mean_over_people"])
        for row, figures in zip(rows, scores, strict=True):
            row.append(_figure(figures["accuracy"]))
    out.table(f"{job.name} on {job.data.dataset}, {protocol}", columns, rows)
    if several:
        low, high = document["interval"]["accuracy_int8"]
        out.result(
            f"int8, mean over {len(document['people'])} people: 95 % interval {low:.4f} to "
            f"{high:.4f}, by bootstrap over people"
        )
    if seeds > 1:
        out.table(
            "By seed: mean over folds",
            ["seed", "float", "int8"],
            [[row["seed"], *(_figure(row[c]) for c in _COLUMNS[:2])] for row in document["seeds"]],
        )
    out.table(
        "By class, int8: all folds together" + (", mean (and range) over seeds" * (seeds > 1)),
        ["class", "recall", "precision (+P)", "F1", "windows"],
        [_class([row["classes"][k] for row in document["seeds"]])
         for k in range(len(document["folds"][0]["classes"]))],
    )  # fmt: skip
    if found := document["conditions"]:
        out.table(
            "By level of force, or other condition: mean over folds",
            ["trained at", "tested at", "float", "int8", *decided],
            [[row["trained"], row["tested"], *(_figure(row[c]) for c in (*_COLUMNS[:2], *_DECIDED))]
             for row in found],
        )  # fmt: skip
    if job.imitation:
        told = [name for name in document["mean"] if name.startswith("r2_")]
        out.table(
            "R2 of what is imitated",
            ["tested on", *(name.removeprefix("r2_").replace("_", " ") for name in told)],
            [[name, *(f"{figures[key]:.4f}" for key in told)] for name, figures in lines],
        )
    if calibration:
        out.table(
            "Calibrated by the first repetitions of the wearer",
            ["repetitions", "labelled signal", "taught in", "int8", "lowest", "highest", *decided,
             "int8, today's statistics unknown"],
            [_calibrated(row) for row in document["calibration"]],
        )  # fmt: skip
    page = report.write(where)
    for fold in document["folds"]:
        if without := words.left_out(fold["left_out"]):
            out.note(f"{fold['fold']}: {without}")
    caveat = datasets.get(job.data.dataset).caveat
    if caveat:
        out.result(f"Caveat: {caveat}")
    out.result(f"{page}; folds and evaluation.json are beside it")
    return {**document, "caveat": caveat, "report": str(page)}


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _class(seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    """Row of a class, by what each seed has made of it."""

    def cell(figure: str) -> str:
        there = [row[figure] for row in seeds if row[figure] is not None]
        between = f" ({min(there):.3f} to {max(there):.3f})" if len(there) > 1 else ""
        return _figure(mean(there)) + between

    figures = (cell(figure) for figure in ("recall", "precision", "f1"))
    return [seeds[0]["class"], *figures, f"{seeds[0]['windows']:,}"]


def _numbers(text: str | None) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")] if text else []
    except ValueError:
        numbers = [-1]
    if any(number < 0 for number in numbers):
        raise click.BadParameter(f"{text!r}: expected numbers such as 0,1,2,4")
    return numbers


def _calibrated(row: dict[str, Any]) -> list[str]:
    own = [person["accuracy_int8"] for person in row["people"]]
    return [
        str(row["repetitions"]),
        f"{row['signal_seconds']:.0f} s",
        "-" if row["seconds"] is None else f"{row['seconds']:.1f} s",
        f"{row['accuracy_int8']:.4f}",
        f"{min(own):.4f}",
        f"{max(own):.4f}",
        *(_figure(row[name]) for name in (*_DECIDED, "accuracy_as_calibrated")),
    ]
