"""``edgebio recipes``: list the recipes, and show one."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Group, Output, command
from edgebio.storage import write_text


@click.group(
    cls=Group, epilog="\b\nExample:\n  edgebio recipes list\n  edgebio recipes show emg-grips"
)
def recipes() -> None:
    """List the recipes, and show one."""


@command(recipes, name="list", example="edgebio recipes list")
def list_(out: Output) -> Document:
    """List the recipes: what each trains, on which data set, and how often it decides."""
    from edgebio.recipes import load, names

    every = [load(name) for name in names()]
    documents: list[Document] = [
        {
            "name": recipe.name,
            "title": recipe.title,
            "task": recipe.task,
            "dataset": recipe.data.dataset,
        }
        for recipe in every
    ]
    out.table(
        "",
        ["name", "data set", "title"],
        [[d["name"], d["dataset"], d["title"]] for d in documents],
    )
    return {"recipes": documents}


@command(
    recipes,
    name="show",
    example="edgebio recipes show emg-grips\nedgebio recipes show emg-grips -o mine.toml",
)
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
              help="Write a copy to change, instead of printing it.")  # fmt: skip
def show(out: Output, name: str, output: Path | None) -> Document:
    """Print recipe NAME as it stands in its file, comments included."""
    from edgebio.cli.options import check_output
    from edgebio.recipes import load, path_of

    recipe = load(name)
    text = path_of(name).read_text("utf-8")
    if output is not None:
        check_output(output, False)
        write_text(output, text)
        out.result(f"{output}: change it, then: edgebio train {output} -o run")
    else:
        out.result(text.rstrip("\n"))
    return {"name": recipe.name, "recipe": recipe.model_dump(mode="json"), "text": text}
