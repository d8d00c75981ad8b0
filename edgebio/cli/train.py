"""``edgebio train``: recordings to a float network."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import COUNT, output_option, protocol_option, recipe_options


@command(
    example="edgebio train emg-grips --subject 2 -o run\n"
    "edgebio train my-recipe.toml --data ~/recordings -o run\n"
    "edgebio train emg-fin --subject 2 --horizon 2 -o run"
)
@recipe_options
@output_option("Folder of the run; replaced if it is one. In a project: the next one.", "RUN",
               project=lambda project: project.next_run())  # fmt: skip
@protocol_option("Split as in the first fold of this protocol.")
@click.option("--horizon", "--prediction", "horizon", type=click.IntRange(min=0), metavar="N",
              help="Predict the features of the segment N steps ahead.")  # fmt: skip
@click.option("--epochs", type=COUNT, help="Another length of training than the recipe's.")
def train(
    out: Output,
    recipe: str,
    dataset: str | None,
    subjects: tuple[str, ...] | None,
    data: Path | None,
    output: Path,
    protocol: str | None,
    horizon: int | None,
    epochs: int | None,
) -> Document:
    """Train the network of RECIPE (a name or a .toml file) and score it on held-out sessions.

    Files in RUN: recipe.toml as run, model.h5, frontend.json, images.npz for calibration and
    scoring, metrics.json, and logs/ for TensorBoard. A feature imitation has segments.npz instead
    of images.npz, and classifier.h5 and tuned.h5 as well.
    """
    from edgebio import api, datasets, tasks
    from edgebio.tasks.description import describe_artifacts

    job = api.load_recipe(recipe).with_data(dataset, protocol).with_horizon(horizon)
    job = job.with_epochs(epochs) if epochs else job
    result = api.train(job, folder=output, subjects=subjects, data=data)
    document, metrics = result.document(), result.metrics
    scores = [metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1]
    out.table(
        f"{job.data.dataset}, {result.fold}: {result.segments:,} test segments",
        ["accuracy", "balanced", "macro F1", "parameters", "epochs", "seconds"],
        [[*(f"{score:.4f}" for score in scores), result.parameters, result.best_epoch,
          result.seconds]],
    )  # fmt: skip
    for table in tasks.task_of(job).tables(document):
        out.table(*table)
    if artifacts := describe_artifacts(document["left_out"]):
        out.note(artifacts)
    if caveat := datasets.get(job.data.dataset).caveat:
        out.result(f"Caveat: {caveat}")
    out.result(f"{output}: next, edgebio quantize {output}")
    return {"run": str(output), **document}
