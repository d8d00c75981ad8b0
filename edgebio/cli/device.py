"""The board of a command: one on a port, or an emulated one that is built, started and stopped."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from edgebio.cli.common import Output

if TYPE_CHECKING:
    from edgebio.link.client import Client

Transport = Literal["pty", "socket"]


def stream_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the recording that is streamed to a board, and how the board is reached."""
    for add in (
        click.option("--windows", type=click.IntRange(min=1), metavar="N",
                     help="Stop after N decisions."),
        click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="HZ",
                     help="Samples a second of a file that does not say."),
        click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets."),
        click.option("--transport", default="pty", show_default=True,
                     type=click.Choice(get_args(Transport)),
                     help="How the emulated board is reached."),
        click.option("--baud", default=921_600, show_default=True, help="Rate of the port."),
        click.option("--port",
                     help="Serial URL of a board: /dev/ttyACM0, COM3, socket://host:port."),
        click.option("--board", "board_name",
                     help="Emulated board: built, started and stopped here."),
        click.argument("recording"),
    ):  # fmt: skip
        function = add(function)
    return function


@contextlib.contextmanager
def device(
    out: Output,
    board_name: str | None,
    port: str | None,
    baud: int,
    model: Path | None,
    transport: Transport,
) -> Iterator["Client"]:
    """Yield the board at `port`, or `board_name` emulated with an image of `model`."""
    from edgebio import boards, firmware
    from edgebio.boards import emulator
    from edgebio.link.client import Client

    with contextlib.ExitStack() as stack:
        if board_name and model:
            board = boards.load(board_name)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgebio-")))
            out.note(f"building the image for {board.name}")
            firmware.build(model, board, folder)
            serial: emulator.Serial = "pty" if transport == "pty" else "tcp"
            running = emulator.start(board, folder / "firmware.elf", serial)
            port = stack.enter_context(running).url
        client = stack.enter_context(Client(str(port), baud=baud))
        identity = client.identify()
        out.note(f"{identity.board} ({identity.core}) on {port}")
        yield client
