"""The device of a command: a board on a port, or an emulated board."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from edgebio.cli.common import Output
from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    from edgebio.runtime.device import Device

Transport = Literal["pty", "socket"]


def stream_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the recording to stream to a board, and how to reach the board."""
    for add in (
        click.option("--segments", "--windows", "segments", type=click.IntRange(min=1), metavar="N",
                     help="Stop after N decisions."),
        click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="HZ",
                     help="Sampling rate of a file that does not state it."),
        click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets."),
        click.option("--transport", default="pty", show_default=True,
                     type=click.Choice(get_args(Transport)),
                     help="Serial port of the emulated board."),
        click.option("--baud", default=921_600, show_default=True,
                     help="Bits per second of the port."),
        click.option("--port",
                     help="Serial URL of a board: /dev/ttyACM0, COM3, socket://host:port."),
        click.option("--board", "board_name",
                     help="Board to emulate: built, started and stopped by this command."),
        click.argument("recording"),
    ):  # fmt: skip
        function = add(function)
    return function


def check_choice(board_name: str | None, port: str | None) -> None:
    """Raise `EdgebioError` unless exactly one of ``--board`` and ``--port`` is given."""
    if bool(board_name) == bool(port):
        raise EdgebioError("choose one of --board and --port")


def open_device(
    out: Output,
    board_name: str | None,
    port: str | None,
    baud: int,
    model: Path | None,
    transport: Transport,
) -> "Device":
    """Open the board at `port`, or emulate `board_name` with an image of `model`."""
    from edgebio.runtime.device import Device

    if board_name and model:
        out.note(f"building the image for {board_name}")
        device = Device.emulate(board_name, model, transport=transport)
    else:
        device = Device(str(port), model, baud=baud)
    identity = device.identify()
    out.note(f"{identity.board} ({identity.cpu}) on {device.url}")
    return device
