"""``edgebio flash``: write an image to a board, or start its emulator."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import PATH

if TYPE_CHECKING:
    from edgebio.boards.board import FlashMethod
    from edgebio.boards.emulator_process import Serial


@command(
    example="edgebio flash image\nedgebio flash image --stop\n"
    "edgebio flash image --port /dev/ttyUSB0\nedgebio flash image --port usb\n"
    "edgebio flash image --port /dev/ttyACM0 --probe 066BFF505055"
)
@click.argument("folder", type=PATH)
@click.option("--port", help="Serial port of a real board, or usb: the one on its own USB.")
@click.option("--serial", type=click.Choice(["pty", "tcp"]), default="pty", show_default=True,
              help="Serial port of the emulator: a pseudo-terminal or a TCP port.")  # fmt: skip
@click.option("--method",
              type=click.Choice(["emulator", "pyocd", "openocd", "jlink", "stm32cubeprogrammer",
                                 "stm32-bootloader", "drag-and-drop", "picotool", "uf2"]),
              help="Flash tool; default: the first in the board file that is installed "
              "here.")  # fmt: skip
@click.option("--probe", help="Serial number of the debug probe, where several are connected.")
@click.option("--bootloader-port",
              help="Serial port of the STM32's boot loader, where it is not that of the "
              "link.")  # fmt: skip
@click.option("--play", metavar="RECORDING",
              help="A recording at the electrodes of the emulated board.")  # fmt: skip
@click.option("--stop", is_flag=True, help="Stop the emulator that runs this image.")
def flash(
    out: Output,
    folder: Path,
    port: str | None,
    serial: "Serial",
    method: "FlashMethod | None",
    probe: str | None,
    bootloader_port: str | None,
    play: str | None,
    stop: bool,
) -> Document:
    """Write the image in FOLDER to its board.

    A real board is flashed by a debug probe (pyOCD, OpenOCD, J-Link, STM32CubeProgrammer), the
    probe's drive, its boot loader or as a UF2 file, and the result is verified: the board reports
    the image's SHA-256, or the tool reads the image back. For an emulated board, the emulator is
    started and keeps running; its serial URL is printed.

    With --play, an emulated board that samples by its converter gets a recording at its electrodes
    from power-on: a .csv or .npz file, dataset:subject, dataset:subject:session or
    dataset:subject:session:repetition, at the rate and with the channels of the model. Its
    decisions and the pulses of its servos are written to FOLDER/emulation.jsonl. It runs as fast as
    this machine emulates it, and keeps to real time after the recording.
    """
    from edgebio import api
    from edgebio.boards import detached_emulator
    from edgebio.datasets.selection import select

    if stop:
        stopped = detached_emulator.stop(folder)
        out.result(f"stopped {stopped.board}, process {stopped.pid}" if stopped else "none runs")
        return {"stopped": stopped.model_dump() if stopped else None}
    result = api.flash(
        folder, port, serial=serial, method=method, probe=probe, bootloader_port=bootloader_port,
        play=select(play) if play else (),
    )  # fmt: skip
    if isinstance(result, detached_emulator.DetachedEmulator):
        out.result(result.url)
        out.note(f"{result.board} (emulated) runs; stop it: edgebio flash {folder} --stop")
        return result.model_dump()
    out.result(f"{result.board} flashed by {result.method}; {result.verified}")
    return dataclasses.asdict(result)
