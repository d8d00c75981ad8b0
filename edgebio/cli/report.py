"""``edgebio report``: the page of a run, an evaluation or a search."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import PATH


@command(example="edgebio report run\nedgebio report results --plots figures")
@click.argument("folder", type=PATH)
@click.option("--plots", "target", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Also write every figure as .svg and .png into this folder.")  # fmt: skip
def report(out: Output, folder: Path, target: Path | None) -> Document:
    """Write FOLDER/report.html: the results of a run, an evaluation or a search on one page.

    The page is one file without scripts. For a run, it includes the ladder, the cost and the
    hardware test if `edgebio validate RUN`, `edgebio bench RUN` and `edgebio hil IMAGE --run RUN`
    were called before.
    """
    from edgebio import api
    from edgebio.report import page

    composed = api.compose_report(folder)
    path = page.write(composed, folder / page.FILE)
    out.result(f"{path}: {path.stat().st_size:,} bytes")
    plots = page.write_charts(composed, target) if target else []
    if target:
        out.result(f"{target}: {len(plots) // 2} figures, each as .svg and .png")
    return {"report": str(path), "plots": [str(plot) for plot in plots]}
