"""The board of a command: one on a port, or an emulated one that is built, started and stopped."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edgebio.cli.common import Output

if TYPE_CHECKING:
    from edgebio.link.client import Client

Transport = Literal["pty", "socket"]


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
