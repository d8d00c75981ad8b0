"""``edgebio report``: the page of a run or an evaluation."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command


@command(example="edgebio report run\nedgebio report results")
@click.argument("folder", type=click.Path(path_type=Path))
def report(out: Output, folder: Path) -> Document:
    """Write FOLDER/report.html: what a run or an evaluation found, on one page.

    The page holds everything itself. A run's ladder, board costs and hardware in the loop are in
    it where `edgebio validate RUN`, `edgebio bench RUN` and `edgebio hil IMAGE --run RUN` were
    called before.
    """
    from edgebio.report import write

    path = write(folder)
    out.result(f"{path}: {path.stat().st_size:,} bytes")
    return {"report": str(path)}
