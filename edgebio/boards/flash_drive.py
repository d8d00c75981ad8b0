"""Drives of debug probes that program what is copied to them (drag-and-drop)."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from edgebio.boards.board import Board
from edgebio.boards.drives import mounted
from edgebio.errors import DeviceError

FAILURE_SECONDS = 3.0  # in which the drive reports that it could not program the chip
_REPORT = "FAIL.TXT"
_CHUNK = 1 << 14


def copy(binary: bytes, board: Board, advance: Callable[[float], None]) -> None:
    """Copy an image to the drive of a board's probe, as ST-LINK/V2-1 has one (UM1724).

    Raises
    ------
    DeviceError
        If not exactly one such drive is mounted, the copy fails, or the drive reports a failure.
    """
    drive = _find(board)
    target = drive / "FIRMWARE.BIN"
    report = drive / _REPORT
    report.unlink(missing_ok=True)  # of an earlier copy
    try:
        with target.open("wb", buffering=0) as file:
            for at in range(0, len(binary), _CHUNK):
                file.write(binary[at : at + _CHUNK])
                advance(min(at + _CHUNK, len(binary)) / len(binary))
            os.fsync(file.fileno())
    except OSError as error:
        raise DeviceError(f"{target}: the copy failed ({error.strerror})") from None
    deadline = time.monotonic() + FAILURE_SECONDS
    while time.monotonic() < deadline:
        try:
            reason = report.read_text(errors="replace").strip()
        except OSError:  # none, or the drive is being mounted again
            time.sleep(0.1)
            continue
        raise DeviceError(f"{drive.name} could not program the chip: {reason or _REPORT}")


def _find(board: Board) -> Path:
    name = board.flash.drive
    # A second drive of that name is mounted with a number behind it.
    drives = [p for p in mounted() if re.fullmatch(re.escape(name) + r"\d*", p.name)]
    if len(drives) != 1:
        raise DeviceError(
            f"{len(drives)} drives {name} are mounted; connect one {board.name}, or flash by a "
            "--method that takes --probe"
            if drives
            else f"no drive {name} is mounted: connect {board.name} and mount its drive"
        )
    return drives[0]
