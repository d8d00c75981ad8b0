"""``edgebio report``: the page of a run, an evaluation or a search."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command


@command(example="edgebio report run\nedgebio report results --plots figures")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--plots", "target", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Also write every figure as .svg and .png into this folder.",
)  # fmt: skip
def report(out: Output, folder: Path, target: Path | None) -> Document:
    """Write FOLDER/report.html: what a run, an evaluation or a search found, on one page.

    The page holds everything itself. A run's ladder, board costs and hardware in the loop are in
    it where `edgebio validate RUN`, `edgebio bench RUN` and `edgebio hil IMAGE --run RUN` were
    called before.
    """
    from edgebio.report import plots, write

    path = write(folder)
    out.result(f"{path}: {path.stat().st_size:,} bytes")
    written = plots.write(folder, target) if target else []
    if target:
        out.result(f"{target}: {len(written) // 2} figures, each as .svg and .png")
    return {"report": str(path), "plots": [str(plot) for plot in written]}
