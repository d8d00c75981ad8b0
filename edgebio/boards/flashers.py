"""Methods to write an image to a board's flash.

A method writes the complete image, as far as its tool reports, or raises; the caller verifies that
the board carries the image. No method erases more than the pages of the image.
"""

import itertools
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebio.boards import uf2
from edgebio.boards.board import Board, FlashMethod
from edgebio.errors import DeviceError, EdgebioError, MissingToolError
from edgebio.processes.programs import stream_program

Advance = Callable[[float], None]
"""Callback for progress: the share of the image that is written, 0 to 1."""

SILENT_SECONDS = 60.0  # a tool that prints nothing for so long hangs
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_FAILURE = re.compile(
    r"^(?:Error\b:? ?|Failed|Cannot|Unable|Unexpected|Got NACK|Wrong|Could ?n.t|No |Timeout)"
    r"|^\d+ [EC] |\berror\b|not\s+found|mismatch|Permission denied",
    re.IGNORECASE,
)
# Printed when nothing is wrong, or after the error.
_CHATTER = re.compile(r"^(?:Info|Warn|Licensed|For bug|Open On-Chip|Error probing interface)")
_FORBIDDEN = re.compile(r"LIBUSB_ERROR_ACCESS|Permission denied|Access denied", re.IGNORECASE)
_BLOCK_FAILED = re.compile(r"Failed to write memory at address (0x[0-9a-fA-F]+)")
_BLOCK_TRIES = 3


@dataclass(frozen=True)
class Job:
    """An image to write."""

    board: Board
    folder: Path  # of the image, as ``edgebio build`` made it
    port: str | None  # serial port, if the method needs one

    @property
    def binary(self) -> Path:
        """The image, byte for byte."""
        return self.folder / "firmware.bin"


@dataclass(frozen=True)
class Flasher:
    """A method and its tool."""

    method: FlashMethod
    tool: str  # empty if it needs none
    install: str  # the line that installs the tool
    write: Callable[[Job, Advance], None]
    reads_back: bool = False  # whether the tool compares the flash with the image after writing
    needs_port: bool = False  # whether it writes over the serial port

    @property
    def is_installed(self) -> bool:
        """Whether the tool is installed."""
        return not self.tool or find_tool(self.tool) is not None


def choose(board: Board, port: str | None, method: FlashMethod | None) -> Flasher:
    """First method of the board file that is installed here, or the requested one.

    `EdgebioError` if the board has no such method, it needs a port, or no tool is installed.
    """
    methods = [m for m in board.flash.methods if m != "emulator" and method in (None, m)]
    if not methods:
        supported = ", ".join(board.flash.methods)
        raise EdgebioError(f"{board.name} is not flashed by {method or 'a port'}; by: {supported}")
    usable = [FLASHERS[m] for m in methods if port or not FLASHERS[m].needs_port]
    if not usable:
        raise EdgebioError(f"{methods[0]} writes over the serial port: give --port")
    for flasher in usable:
        if flasher.is_installed:
            return flasher
    raise MissingToolError(
        f"no {' or '.join(flasher.tool for flasher in usable)} on this machine; install it: "
        + " or ".join(flasher.install for flasher in usable)
    )


def find_tool(name: str) -> str | None:
    """Path of a tool on the PATH or beside this Python; None if it is not installed."""
    beside = Path(sys.executable).with_name(name)  # of an environment that is not activated
    return shutil.which(name) or (str(beside) if beside.is_file() else None)


def run_tool(job: Job, name: str, arguments: Sequence[str], advance: Advance) -> None:
    """Run a tool to its end; `DeviceError` with its first error if it fails or hangs."""

    def on_output(text: str) -> None:
        percentages = _PERCENT.findall(text)
        if percentages:
            advance(min(float(percentages[-1]) / 100, 1.0))

    try:
        result = stream_program(
            find_tool(name) or name, *arguments, on_output=on_output, silence=SILENT_SECONDS
        )
    except EdgebioError as error:
        raise DeviceError(str(error)) from None
    if result.returncode:
        text = result.stdout
        raise DeviceError(f"{result.name}: {first_error(text)}{_permission_hint(job, text)}")


def first_error(text: str) -> str:
    """First line of a tool's output that names an error; else its last line."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    errors = [line for line in lines if _FAILURE.search(line) and not _CHATTER.search(line)]
    line = (errors or lines[-1:] or ["it prints nothing"])[0]
    # "0000382 E No target device available [load_cmd]" by pyOCD; "Error: ..." by OpenOCD
    return re.sub(r"^(?:\d+ [EC]|Error:) (.*?)(?: \[\w+\])?$", r"\1", line)


def _permission_hint(job: Job, text: str) -> str:
    """The udev rule to add if the system forbids access to the probe."""
    if not _FORBIDDEN.search(text) or not job.board.usb:
        return ""
    rules = "; ".join(
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{usb.vid:04x}", ATTR{{idProduct}}=="{usb.pid:04x}", '
        'MODE="0666"'
        for usb in job.board.usb
    )
    return f"; no permission: add to /etc/udev/rules.d/60-edgebio.rules: {rules}"


def _pyocd(job: Job, advance: Advance) -> None:
    target = ["--no-wait", "-t", job.board.flash.pyocd]
    image = str(job.folder / "firmware.hex")
    run_tool(job, "pyocd", ["flash", *target, "--erase", "sector", image], advance)
    run_tool(job, "pyocd", ["reset", *target], lambda share: None)


def _openocd(job: Job, advance: Advance) -> None:
    files = [argument for name in job.board.flash.openocd for argument in ("-f", name)]
    program = f"program {{{job.folder / 'firmware.hex'}}} verify reset exit"
    run_tool(job, "openocd", [*files, "-c", program], advance)


def _stm32_bootloader(job: Job, advance: Advance) -> None:
    """Write by the USART protocol of the system boot loader (AN3155).

    stm32flash gives up at the first block that is refused. It is called again from the page of that
    block on, as long as it gets further.
    """
    port = str(job.port)
    origin, image = job.board.memory.flash.origin, job.binary.read_bytes()
    # The protocol has even parity; a pty has none and refuses to set it.
    mode = "8n1" if port.startswith("/dev/pts/") else "8e1"
    start, tries = 0, _BLOCK_TRIES
    with tempfile.TemporaryDirectory(prefix="edgebio-flash-") as scratch:
        rest = Path(scratch) / "rest.bin"
        while True:
            rest.write_bytes(image[start:])
            arguments = [
                *("-b", str(job.board.flash.baud), "-m", mode, "-v"),
                # Erases no page beyond the image.
                *("-S", f"{origin + start:#x}:{len(image) - start}"),
                *("-w", str(rest), "-g", f"{origin:#x}", port),
            ]
            written = start / len(image)

            def show(share: float, written: float = written) -> None:
                advance(written + share * (1 - written))

            try:
                run_tool(job, "stm32flash", arguments, show)
                return
            except DeviceError as error:
                block = _BLOCK_FAILED.search(str(error))
                page = _page_start(job.board, int(block[1], 16) - origin) if block else -1
                tries = _BLOCK_TRIES if page > start else tries - 1
                if page < start or not tries:
                    raise
                start = page


def _uf2(job: Job, advance: Advance) -> None:
    family = job.board.flash.uf2_family
    assert family is not None, "checked with the board file"
    data = uf2.encode(job.binary.read_bytes(), job.board.memory.flash.origin, family)
    uf2.copy(data, job.board.name, advance)


def _page_start(board: Board, offset: int) -> int:
    start = 0
    for size in itertools.chain(board.flash.pages, itertools.repeat(board.flash.pages[-1])):
        if offset < start + size:
            break
        start += size
    return start


FLASHERS: dict[FlashMethod, Flasher] = {
    flasher.method: flasher
    for flasher in (
        Flasher("pyocd", "pyocd", "pip install 'edgebio[flash]'", _pyocd),
        Flasher("openocd", "openocd", "sudo apt-get install openocd", _openocd, reads_back=True),
        Flasher("stm32-bootloader", "stm32flash", "sudo apt-get install stm32flash",
                _stm32_bootloader, reads_back=True, needs_port=True),
        Flasher("uf2", "", "", _uf2),
    )
}  # fmt: skip
