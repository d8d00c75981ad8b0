"""Emulated boards: run with QEMU or rp2040js, as the board file says."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgebio.boards import qemu, rp2040js
from edgebio.boards.board import Board
from edgebio.boards.emulator_process import Emulator, Serial
from edgebio.boards.rp2040js_parts import Parts
from edgebio.errors import EdgebioError

__all__ = ["Emulator", "Serial", "answer_timeout", "check_installed", "launch", "start"]


@contextlib.contextmanager
def start(
    board: Board,
    image: Path,
    serial: Serial = "pty",
    *,
    parts: Parts | None = None,
    folder: Path | None = None,
) -> Iterator[Emulator]:
    """Run an image on an emulated board while the block runs.

    The emulator ends with the block, and with this process even if that is killed.

    Parameters
    ----------
    serial
        Serial port; rp2040js always has a TCP port.
    parts
        What is connected to an RP2040 in rp2040js.
    folder
        Gets the log of the emulator and the journal of the parts; by default a temporary one.

    Raises
    ------
    DeviceError
        If the emulator does not come up; `MissingToolError` if it is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="edgebio-emulator-") as scratch:
        log = (folder or Path(scratch)) / "emulator.log"
        emulator = launch(board, image, serial, log, detached=False, parts=parts)
        try:
            yield emulator
        finally:
            emulator.stop()


def launch(
    board: Board,
    image: Path,
    serial: Serial,
    log: Path,
    *,
    detached: bool,
    parts: Parts | None = None,
) -> Emulator:
    """Start an emulator that writes to `log`; `detached`, it outlives this process."""
    if _uses_rp2040js(board):
        return rp2040js.launch(board, image, log, detached=detached, parts=parts)
    if parts:
        raise EdgebioError(f"{board.name}: nothing can be connected to it in its emulator, QEMU")
    return qemu.launch(board, image, serial, log, detached=detached)


def check_installed(board: Board) -> None:
    """Raise `MissingToolError` if the board's emulator is not installed."""
    if _uses_rp2040js(board):
        rp2040js.program()
    else:
        qemu.program()


def answer_timeout(board: Board) -> float:
    """Seconds that an emulated board may take to answer: rp2040js is slower than any board."""
    return 60.0 if _uses_rp2040js(board) else 10.0


def _uses_rp2040js(board: Board) -> bool:
    return board.emulator is not None and board.emulator.program == "rp2040js"
