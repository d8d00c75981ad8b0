"""``edgebio init``: make a project."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import PATH


@command(
    example="edgebio init my-hand\n"
    "edgebio init my-hand --source serial:///dev/ttyUSB0 --classes rest,fist,open --board pico"
)
@click.argument("folder", type=PATH)
@click.option("--source", default="synthetic://", show_default=True,
              help="Live source of the project: edgebio sources lists them.")  # fmt: skip
@click.option("--classes", default="rest,fist,open hand", show_default=True,
              metavar="NAME,NAME", help="Classes to record.")  # fmt: skip
@click.option("--board", default="mps2-an386", show_default=True, help="Board to build for.")
@click.option("--recipe", default="emg-grips", show_default=True,
              help="Recipe to copy: edgebio recipes list names them.")  # fmt: skip
def init(out: Output, folder: Path, source: str, classes: str, board: str, recipe: str) -> Document:
    """Make FOLDER a project: a recipe, recordings/, runs/ and a README.

    Inside it, record, train, quantize, live, build and studio need no paths.
    """
    from edgebio import boards
    from edgebio.acquisition import Plan
    from edgebio.project import Project, check_settings
    from edgebio.sources import source_url

    names = tuple(name.strip() for name in classes.split(","))
    Plan(names)
    boards.load(board)
    source_url(source)
    project = Project.create(folder, check_settings(source, names, board), recipe)
    out.result(f"{folder}: a project with {', '.join(names)}")
    out.result(f"next: cd {folder}; edgebio record")
    return {
        "project": str(folder),
        "recipe": str(project.recipe),
        "recordings": str(project.recordings),
        **project.settings.document(),
    }
