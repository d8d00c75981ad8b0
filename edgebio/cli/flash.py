"""``edgebio flash``: write an image to a board, or start its emulator."""

import dataclasses
from pathlib import Path
from typing import Literal

import click

from edgebio.cli.common import Document, Output, command


@command(
    example="edgebio flash image\nedgebio flash image --stop\n"
    "edgebio flash image --port /dev/ttyUSB0"
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--port", help="Serial port of a real board.")
@click.option(
    "--serial",
    type=click.Choice(["pty", "tcp"]),
    default="pty",
    show_default=True,
    help="Serial port of the emulator: a pseudo-terminal or a TCP port.",
)
@click.option(
    "--method",
    type=click.Choice(["emulator", "pyocd", "openocd", "stm32-bootloader", "uf2"]),
    help="Flash tool; default: the first in the board file that is installed here.",
)
@click.option("--stop", is_flag=True, help="Stop the emulator that runs this image.")
def flash(
    out: Output,
    folder: Path,
    port: str | None,
    serial: Literal["pty", "tcp"],
    method: Literal["emulator", "pyocd", "openocd", "stm32-bootloader", "uf2"] | None,
    stop: bool,
) -> Document:
    """Write the image in FOLDER to its board.

    A real board is flashed with pyOCD, OpenOCD, its serial boot loader or as a UF2 file, and the
    result is verified: the board reports the image's SHA-256, or the tool reads the image back. For
    an emulated board, the emulator is started and keeps running; its serial URL is printed.
    """
    from edgebio.boards import detached_emulator
    from edgebio.firmware import flashing

    if stop:
        stopped = detached_emulator.stop(folder)
        out.result(f"stopped {stopped.board}, process {stopped.pid}" if stopped else "none runs")
        return {"stopped": stopped.model_dump() if stopped else None}
    done = flashing.flash(folder, port, serial, method)
    if isinstance(done, flashing.FlashResult):
        out.result(f"{done.board} flashed by {done.method}; {done.verified}")
        return dataclasses.asdict(done)
    out.result(done.url)
    out.note(f"{done.board} (emulated) runs; stop it: edgebio flash {folder} --stop")
    return done.model_dump()
