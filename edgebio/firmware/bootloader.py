"""Let a running board enter its boot loader, so that nobody has to press a button."""

import contextlib
import time

import serial

from edgebio.boards import uf2, usb_ports
from edgebio.boards.board import Board, FlashMethod
from edgebio.errors import DeviceError
from edgebio.link.client import Client

DRIVE_SECONDS = 15.0
"""Until the drive of a boot loader is mounted; emulated boards are slower than real ones."""

_ANSWER_SECONDS = 5.0
_OTHER_SECONDS = 1.0
_USB_SECONDS = 2.0  # until the system has found the boot loader
_TOUCH_BAUD = 1200  # by custom, opening and closing a port at this rate asks for the boot loader


def enter(board: Board, port: str, method: FlashMethod) -> None:
    """Ask the device at a port to enter its boot loader, and wait for its drive.

    Any program that follows the custom of 1200 baud is asked by it if it does not speak the link.
    `method` picotool needs no drive.

    Raises
    ------
    DeviceError
        If no drive appears.
    """
    reason = ""
    # A board whose drive is there already answers only if it is another one.
    patience = _ANSWER_SECONDS if not uf2.drives() else _OTHER_SECONDS
    try:
        port = usb_ports.resolve(port, board)
        with Client(port, baud=board.uart.baud, timeout=patience) as device:
            device.enter_bootloader()
    except DeviceError as error:
        reason = str(error)
        if not uf2.drives() and "://" not in port:
            _touch(port)
    if method == "picotool":
        time.sleep(_USB_SECONDS)
        return
    end = time.monotonic() + (DRIVE_SECONDS if not reason else _ANSWER_SECONDS)
    while not uf2.drives():
        if time.monotonic() > end:
            raise DeviceError(
                f"{board.name} was NOT flashed: no drive of its boot loader is mounted; hold "
                f"BOOTSEL while plugging it in{f' ({reason})' if reason else ''}"
            )
        time.sleep(0.1)


def _touch(port: str) -> None:
    with contextlib.suppress(OSError, ValueError), serial.Serial(port, _TOUCH_BAUD) as touched:
        touched.dtr = False
