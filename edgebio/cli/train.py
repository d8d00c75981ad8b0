"""``edgebio train``: recordings to a float network."""

from pathlib import Path

import click

from edgebio import datasets, protocols, recipes
from edgebio.cli.common import Document, Output, command
from edgebio.cli.data import folder_option


@command(
    example="edgebio train emg-grips --subject 2 -o run\n"
    "edgebio train my-recipe.toml --data ~/recordings -o run\n"
    "edgebio train emg-fin --subject 2 --horizon 2 -o run"
)
@click.argument("recipe")
@click.option("-o", "--output", "folder", required=True, metavar="RUN",
              type=click.Path(path_type=Path), help="Folder of the run; replaced if it is one.",
)  # fmt: skip
@click.option("--subject", "subjects", multiple=True, help="Only this subject; can be repeated.")
@click.option("--dataset", help="Another data set than the recipe's (a name or an .npz file).")
@click.option("--protocol", type=click.Choice(protocols.names()),
              help="Split as in the first fold of this protocol.")  # fmt: skip
@click.option("--horizon", "--prediction", "horizon", type=click.IntRange(min=0), metavar="N",
              help="Predict the features of the segment N steps ahead.")  # fmt: skip
@folder_option
def train(
    out: Output,
    recipe: str,
    folder: Path,
    subjects: tuple[str, ...],
    dataset: str | None,
    protocol: str | None,
    horizon: int | None,
    root: Path | None,
) -> Document:
    """Train the network of RECIPE (a name or a .toml file) and score it on held-out sessions.

    Files in RUN: recipe.toml as run, model.h5, frontend.json, images.npz for calibration and
    scoring, metrics.json, and logs/ for TensorBoard. A feature imitation has segments.npz instead
    of images.npz, and classifier.h5 and tuned.h5 as well.
    """
    job = recipes.load(recipe).with_data(dataset, protocol).with_horizon(horizon)
    recordings = job.recordings(root, subjects or None)
    from edgebio import tasks
    from edgebio.tasks.description import describe_artifacts

    pretraining = job.pretraining_recordings(recordings, root)
    result = tasks.train(job, recordings, folder, pretraining)
    document, metrics = result.document(), result.metrics
    out.table(
        f"{job.data.dataset}, {result.fold}: {result.segments:,} test segments",
        ["accuracy", "balanced", "macro F1", "parameters", "epochs", "seconds"],
        [
            [
                f"{metrics.accuracy:.4f}",
                f"{metrics.balanced_accuracy:.4f}",
                f"{metrics.macro_f1:.4f}",
                result.parameters,
                result.best_epoch,
                result.seconds,
            ]
        ],
    )
    for table in tasks.task_of(job).tables(document):
        out.table(*table)
    if artifacts := describe_artifacts(document["left_out"]):
        out.note(artifacts)
    if caveat := datasets.get(job.data.dataset).caveat:
        out.result(f"Caveat: {caveat}")
    out.result(f"{folder}: next, edgebio quantize {folder}")
    return {"run": str(folder), **document}
