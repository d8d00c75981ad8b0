"""Serial ports of boards that carry the link on their own USB, found by their ids."""

from collections.abc import Iterable

from edgebio.boards.board import Board, load, names
from edgebio.errors import DeviceError

USB = "usb"
"""Name of a port that stands for the one board on its own USB."""

MAKER = "edgebio"
"""Start of the product's name on USB, where the system tells it (Windows does not)."""


def resolve(port: str, board: Board | None = None) -> str:
    """Replace `USB` by the name of the port of the one board that is plugged in.

    Parameters
    ----------
    board
        Kind of board to look for; any if None.

    Raises
    ------
    DeviceError
        If none is plugged in, or several.
    """
    if port != USB:
        return port
    ports = _ports([board] if board else map(load, names()))
    if len(ports) == 1:
        return ports[0]
    kind = board.name if board else "board"
    if ports:
        raise DeviceError(f"several boards are on USB: {', '.join(ports)}; choose one with --port")
    raise DeviceError(
        f"no {kind} is on USB with an edgebio image (edgebio build --link usb); give its --port, "
        "or hold BOOTSEL while plugging it in and flash it by --method uf2"
    )


def _ports(boards: Iterable[Board]) -> list[str]:
    from serial.tools import list_ports

    ids = {(link.vid, link.pid) for board in boards if (link := board.usb_link)}
    return sorted(
        str(port.device)
        for port in list_ports.comports()
        if (port.vid, port.pid) in ids and (port.product or MAKER).startswith(MAKER)
    )
