"""An image onto its board: the emulator started, or flash written and read back by the board."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgebio import progress
from edgebio.boards import emulator, flashers
from edgebio.boards.board import Board, FlashMethod
from edgebio.boards.flashers import Job, Way
from edgebio.errors import DeviceError, EdgebioError
from edgebio.firmware import manifest
from edgebio.firmware.manifest import Manifest
from edgebio.link.client import Client
from edgebio.link.errors import DisconnectedError, PortError

TRIES = 2
"""How often a tool is called: every one of them also repeats its blocks by itself."""

_RETURN_SECONDS = 20.0  # until the port of a board that restarts is back


@dataclass(frozen=True)
class Flashed:
    """A real board that carries the image.

    Attributes
    ----------
    board : str
        Its name.
    method : str
        How it was flashed.
    port : str or None
        Serial port at which it answers now; None where it was not looked for.
    verified : str
        By what it is known: the SHA-256 that the board reports, or the tool's reading back.
    """

    board: str
    method: str
    port: str | None
    verified: str


def flash(
    folder: Path,
    port: str | None = None,
    serial: emulator.Serial = "pty",
    method: FlashMethod | None = None,
) -> emulator.Detached | Flashed:
    """Put the image in `folder` on its board.

    Parameters
    ----------
    folder
        What ``edgebio build`` made.
    port
        Serial port of a real board.
    serial
        Serial port that the emulator offers.
    method
        How; by default the first way of the board file that this machine has. Without a port that
        is the emulator where there is one.

    Returns
    -------
    emulator.Detached
        The emulator that runs the image now, and until it is stopped.
    Flashed
        The board, which carries the image for certain.

    Raises
    ------
    EdgebioError
        Where the folder holds no image, or the board cannot be flashed that way.
    DeviceError
        Where the emulator does not come up, or the board does not carry the image afterwards.
    """
    built = manifest.load(folder)
    board = manifest.load_board(folder)
    image = folder / "firmware.elf"
    real = [name for name in board.flash.methods if name != "emulator"]
    if method == "emulator" or (method is None and port is None and board.emulator is not None):
        if board.emulator is None:
            raise EdgebioError(f"{board.name} has no emulator; flash it by {' or '.join(real)}")
        return emulator.detach(board, image, serial)
    if not real:
        raise EdgebioError(f"{board.name} is an emulated board; leave out --port")
    way = flashers.choose(board, port, method)
    serial_number = _serial_number(port)
    _write(way, Job(board, folder, port))
    return _verify(way, board, built, port, serial_number)


def stop(folder: Path) -> emulator.Detached | None:
    """Stop the emulator that runs the image in `folder`; None where none runs.

    Raises
    ------
    DeviceError
        Where it does not end.
    """
    return emulator.stop(folder)


class _Shown:
    """Shares of the whole, as steps of a progress bar that only goes forward."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._shown = 0.0

    def __call__(self, share: float) -> None:
        if share > self._shown:
            self._advance(share - self._shown)
            self._shown = share


def _write(way: Way, job: Job) -> None:
    for left in reversed(range(TRIES)):
        try:
            with progress.bar(f"flashing by {way.method}", 1.0) as advance:
                way.write(job, _Shown(advance))
            return
        except DeviceError as error:
            if not left:
                raise DeviceError(
                    f"{job.board.name} was NOT flashed, its image may be in pieces: {error}"
                ) from None


def _verify(
    way: Way, board: Board, built: Manifest, port: str | None, serial_number: str | None
) -> Flashed:
    """Ask the board what it carries, where there is a port to ask at."""
    if port is None:
        if way.reads_back:
            return Flashed(board.name, way.method, None, f"{way.tool} has read it back")
        raise DeviceError(
            f"{board.name} was written, but nobody has looked whether it is whole; give --port, "
            "its serial port, so that the board is asked"
        )
    if built.app != "link":
        raise EdgebioError(f"the image does not speak the link ({built.app}): it cannot be asked")
    try:
        found, image = _ask(port, serial_number, board.uart.baud)
    except DeviceError as error:
        raise DeviceError(
            f"{board.name} was written, but does not answer as it should: {error}"
        ) from None
    if image != built.image.sha256:
        raise DeviceError(
            f"{board.name} was NOT flashed: it carries an image {image[:12]}, "
            f"not {built.image.sha256[:12]}"
        )
    return Flashed(board.name, way.method, found, f"the board reports SHA-256 {image[:12]}")


def _ask(port: str, serial_number: str | None, baud: int) -> tuple[str, str]:
    """Wait for a board that restarts; return its port and the SHA-256 that it reports."""
    deadline = time.monotonic() + _RETURN_SECONDS
    while True:
        found = _returned(port, serial_number)
        try:
            if found is None:
                raise PortError(f"the board with serial number {serial_number} did not come back")
            with Client(found, baud=baud) as device:
                return found, device.image().sha256.hex()
        except (PortError, DisconnectedError):  # on its way down, or not up yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _serial_number(port: str | None) -> str | None:
    """USB serial number of the adapter or board at a port, where it has one."""
    from serial.tools import list_ports

    return next((p.serial_number for p in list_ports.comports() if p.device == port), None)


def _returned(port: str, serial_number: str | None) -> str | None:
    """Port of a board: it may come back under another name, but as the same one."""
    from serial.tools import list_ports

    if serial_number is None:
        return port
    ports = list_ports.comports()
    return next((str(p.device) for p in ports if p.serial_number == serial_number), None)
