"""``edgebio train``: recordings to a float network."""

from pathlib import Path

import click

from edgebio import datasets, protocols, recipes
from edgebio.cli.common import Document, Output, command
from edgebio.cli.data import folder_option


@command(
    example="edgebio train emg-grips --subject 2 -o run\n"
    "edgebio train my-recipe.toml --data ~/recordings -o run\n"
    "edgebio train emg-fin --subject 2 --prediction 2 -o run"
)
@click.argument("recipe")
@click.option("-o", "--output", "folder", required=True, metavar="RUN",
              type=click.Path(path_type=Path), help="Folder of the run; replaced if it is one.",
)  # fmt: skip
@click.option("--subject", "subjects", multiple=True, help="Only this person; can be repeated.")
@click.option("--dataset", help="Another data set than the recipe's (a name or an .npz file).")
@click.option("--protocol", type=click.Choice(protocols.names()),
              help="Divide as the first fold of this protocol does.")  # fmt: skip
@click.option("--prediction", type=click.IntRange(min=0), metavar="N",
              help="Imitate the features of the window N windows ahead.")  # fmt: skip
@folder_option
def train(
    out: Output,
    recipe: str,
    folder: Path,
    subjects: tuple[str, ...],
    dataset: str | None,
    protocol: str | None,
    prediction: int | None,
    root: Path | None,
) -> Document:
    """Train the network of RECIPE (a name or a .toml file) and score it on the sessions held back.

    Files in RUN: recipe.toml as run, model.h5, frontend.json, images.npz for calibration and
    scoring, metrics.json, and logs/ for TensorBoard. Of a recipe with [imitation], windows.npz
    instead of images, and classifier.h5 and tuned.h5 besides.
    """
    job = recipes.load(recipe).on(dataset, protocol).ahead(prediction)
    recordings = job.recordings(root, subjects or None)
    from edgebio.report import words
    from edgebio.training.train import train as train_run

    metrics = train_run(job, recordings, folder, job.others(recordings, root))
    out.table(
        f"{job.data.dataset}, {metrics['fold']}: {metrics['test']['windows']:,} test windows",
        ["accuracy", "balanced", "macro F1", "parameters", "epochs", "seconds"],
        [
            [
                f"{metrics['accuracy']:.4f}",
                f"{metrics['balanced_accuracy']:.4f}",
                f"{metrics['macro_f1']:.4f}",
                metrics["parameters"],
                metrics["best_epoch"],
                metrics["seconds"],
            ]
        ],
    )
    if "r2" in metrics:
        imitation(out, metrics)
    if without := words.left_out(metrics["left_out"]):
        out.note(without)
    if caveat := datasets.get(job.data.dataset).caveat:
        out.result(f"Caveat: {caveat}")
    out.result(f"{folder}: next, edgebio quantize {folder}")
    return {"run": str(folder), **metrics}


def imitation(out: Output, metrics: Document) -> None:
    """Show R2 of imitated features, and what the labels were worth."""
    names = metrics["features"]
    out.table("R2", names, [[f"{metrics['r2'][name]:.4f}" for name in names]])
    columns = ["labelled windows", "%", "true features", "imitated", "tuned"]
    out.table(
        "accuracy",
        columns,
        [
            [row["windows"], f"{row['percentage']:g}",
             *(f"{row[name]:.4f}" for name in ("true", "imitated", "tuned"))]
            for row in metrics["percentages"]
        ],
    )  # fmt: skip
