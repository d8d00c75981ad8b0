"""Put an image on its board and verify it, or start its emulator."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebio import progress
from edgebio.boards import detached_emulator, flashers, usb_ports
from edgebio.boards.board import Board, FlashMethod
from edgebio.boards.detached_emulator import DetachedEmulator
from edgebio.boards.emulator_process import Serial
from edgebio.boards.flashers import Flasher, Job
from edgebio.errors import DeviceError, EdgebioError
from edgebio.firmware import bootloader, manifest, playback
from edgebio.firmware.manifest import Manifest
from edgebio.link.client import Client
from edgebio.link.errors import DeviceRestartedError, DisconnectedError, PortError
from edgebio.recordings import Recording

TRIES = 2
"""How often a tool is called; each of them repeats blocks by itself, too."""

_RETURN_SECONDS = 20.0  # until the port of a restarting board is back

_RESTARTING = (PortError, DisconnectedError, DeviceRestartedError)
"""Errors of a board that is shutting down, or not up yet."""


@dataclass(frozen=True)
class FlashResult:
    """A real board with a verified image."""

    board: str
    method: str
    port: str | None  # at which the board answers; None if no port was given
    verified: str  # the evidence: the SHA-256 that the board reports, or the tool's reading back


def flash(
    folder: Path,
    port: str | None = None,
    serial: Serial = "pty",
    method: FlashMethod | None = None,
    probe: str | None = None,
    bootloader_port: str | None = None,
    play: Sequence[Recording] = (),
) -> DetachedEmulator | FlashResult:
    """Put the image in a folder on its board, or start its emulator.

    Parameters
    ----------
    port
        Serial port of a real board.
    serial
        Serial port that the emulator offers.
    method
        By default the first method of the board file that is installed here; without a port the
        emulator, if the board has one.
    probe
        Serial number of the debug probe, where several are connected.
    bootloader_port
        Serial port of a boot loader that does not listen on the pins of the link.
    play
        Recordings at the electrodes of the emulator, one after the other; see `playback.convert`.

    Raises
    ------
    EdgebioError
        If the folder contains no image, or the board cannot be flashed that way.
    DeviceError
        If the emulator does not come up, or the board does not carry the image afterwards.
    """
    record = manifest.load(folder)
    board = manifest.load_board(folder)
    methods = [name for name in board.flash.methods if name != "emulator"]
    is_real = any(choice is not None for choice in (port, method, probe, bootloader_port))
    if method == "emulator" or (not is_real and board.emulator is not None):
        if board.emulator is None:
            raise EdgebioError(f"{board.name} has no emulator; flash it by {' or '.join(methods)}")
        parts = playback.connect(folder, playback.convert(folder, play)) if play else None
        return detached_emulator.start(board, folder / "firmware.elf", serial, parts)
    if play:
        raise EdgebioError("recordings are played to an emulated board; leave out its port")
    if not methods:
        raise EdgebioError(f"{board.name} is an emulated board; leave out --port")
    if bootloader_port is None and board.flash.bootloader_shares_link(board.uart):
        bootloader_port = port
    flasher = flashers.choose(board, bootloader_port, method, probe)
    if port is None and board.link == "usb":
        port = usb_ports.USB
    serial_number = _serial_number(port)
    if flasher.boots and port is not None:
        bootloader.enter(board, port, flasher.method)
    _write(flasher, Job(board, folder, bootloader_port, probe))
    return _verify(flasher, board, record, port, serial_number)


def _write(flasher: Flasher, job: Job) -> None:
    for tries_left in reversed(range(TRIES)):
        try:
            with progress.bar(f"flashing by {flasher.method}", 1.0) as advance:
                written = 0.0

                def show(share: float) -> None:
                    nonlocal written
                    if share > written:  # a repeated block does not turn the bar back
                        advance(share - written)
                        written = share

                flasher.write(job, show)
            return
        except DeviceError as error:
            if not tries_left:
                hint = f"; {flasher.hint}" if flasher.hint else ""
                raise DeviceError(
                    f"{job.board.name} was NOT flashed, its image may be incomplete: {error}{hint}"
                ) from None


def _verify(
    flasher: Flasher, board: Board, record: Manifest, port: str | None, serial_number: str | None
) -> FlashResult:
    """Compare the image that the board reports with the one that was written."""
    if port is None:
        if flasher.reads_back:
            return FlashResult(board.name, flasher.method, None, f"{flasher.tool} has read it back")
        raise DeviceError(
            f"{board.name} was written, but not verified; give --port, its serial port, so that "
            "the board reports its image"
        )
    if record.app != "link":
        raise EdgebioError(f"the image does not speak the link ({record.app}): cannot verify it")
    try:
        new_port, sha256 = _reported_image(port, serial_number, board.uart.baud)
    except DeviceError as error:
        raise DeviceError(f"{board.name} was written, but does not answer: {error}") from None
    if sha256 != record.image.sha256:
        raise DeviceError(
            f"{board.name} was NOT flashed: it carries an image {sha256[:12]}, "
            f"not {record.image.sha256[:12]}"
        )
    verified = f"the board reports SHA-256 {sha256[:12]}"
    return FlashResult(board.name, flasher.method, new_port, verified)


def _reported_image(port: str, serial_number: str | None, baud: int) -> tuple[str, str]:
    """Wait for a board that restarts; return its port and the SHA-256 that it reports."""
    deadline = time.monotonic() + _RETURN_SECONDS
    while True:
        try:
            new_port = _port_after_restart(port, serial_number)
            with Client(new_port, baud=baud) as device:
                return new_port, device.image().sha256.hex()
        except _RESTARTING:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _serial_number(port: str | None) -> str | None:
    """USB serial number of the adapter or board at a port, if it has one."""
    from serial.tools import list_ports

    return next((p.serial_number for p in list_ports.comports() if p.device == port), None)


def _port_after_restart(port: str, serial_number: str | None) -> str:
    """Port of a board, which may have another name after a restart."""
    from serial.tools import list_ports

    if serial_number is None:
        return port
    for candidate in list_ports.comports():
        if candidate.serial_number == serial_number:
            return str(candidate.device)
    raise PortError(f"the board with serial number {serial_number} did not come back")
