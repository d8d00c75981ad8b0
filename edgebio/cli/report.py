"""``edgebio report``: the page of a run, an evaluation or a search."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.common import Document, Output, command

if TYPE_CHECKING:
    from edgebio.report.page import Page


@command(example="edgebio report run\nedgebio report results --plots figures")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--plots", "target", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Also write every figure as .svg and .png into this folder.",
)  # fmt: skip
def report(out: Output, folder: Path, target: Path | None) -> Document:
    """Write FOLDER/report.html: the results of a run, an evaluation or a search on one page.

    The page is one file without scripts. For a run, it includes the ladder, the cost and the
    hardware test if `edgebio validate RUN`, `edgebio bench RUN` and `edgebio hil IMAGE --run RUN`
    were called before.
    """
    from edgebio.report import page

    composed = compose(folder)
    path = page.write(composed, folder / page.FILE)
    out.result(f"{path}: {path.stat().st_size:,} bytes")
    written = page.write_charts(composed, target) if target else []
    if target:
        out.result(f"{target}: {len(written) // 2} figures, each as .svg and .png")
    return {"report": str(path), "plots": [str(plot) for plot in written]}


def write_report(folder: Path) -> Path:
    """Write ``report.html`` into a folder; see `compose`."""
    from edgebio.report import page

    return page.write(compose(folder), folder / page.FILE)


def compose(folder: Path) -> "Page":
    """Compose the page of a folder by what it holds.

    Raises
    ------
    EdgebioError
        Where it holds no search, evaluation or finished run, or a file of it is damaged.
    """
    from edgebio import evaluation, search, tasks
    from edgebio.evaluation.report import evaluation_page
    from edgebio.search.report import search_page

    if (folder / search.DOCUMENT).is_file():
        return search_page(folder)
    if (folder / evaluation.DOCUMENT).is_file():
        return evaluation_page(folder)
    return tasks.task_of_run(folder).page(folder)
