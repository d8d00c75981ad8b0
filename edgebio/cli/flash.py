"""``edgebio flash``: put an image on a board, or start its emulator."""

from pathlib import Path
from typing import Literal

import click

from edgebio.cli.common import Document, Output, command


@command(example="edgebio flash image\nedgebio flash image --stop")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--port", help="Serial port of a real board.")
@click.option(
    "--serial",
    type=click.Choice(["pty", "tcp"]),
    default="pty",
    show_default=True,
    help="Serial port of the emulator: a pseudo-terminal or a TCP port.",
)
@click.option("--stop", is_flag=True, help="Stop the emulator that runs this image.")
def flash(
    out: Output, folder: Path, port: str | None, serial: Literal["pty", "tcp"], stop: bool
) -> Document:
    """Put the image in FOLDER on its board.

    For an emulated board the emulator is started and left running; its serial URL is printed.
    """
    from edgebio.firmware import flashing

    if stop:
        stopped = flashing.stop(folder)
        out.result(f"stopped {stopped.board}, process {stopped.pid}" if stopped else "none runs")
        return {"stopped": stopped.model_dump() if stopped else None}
    running = flashing.flash(folder, port, serial)
    out.result(running.url)
    out.note(f"{running.board} (emulated) runs; stop it: edgebio flash {folder} --stop")
    return running.model_dump()
