"""Methods to write an image to a board's flash.

A method writes the complete image, as far as its tool reports, or raises; the caller verifies that
the board carries the image. No method erases more than the pages of the image.
"""

import itertools
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgebio.boards import uf2
from edgebio.boards.board import Board, FlashMethod
from edgebio.boards.flash_tool import Advance, Job, find_tool, run_tool
from edgebio.errors import DeviceError, EdgebioError, MissingToolError

_BLOCK_FAILED = re.compile(r"Failed to write memory at address (0x[0-9a-fA-F]+)")
_BLOCK_TRIES = 3


@dataclass(frozen=True)
class Flasher:
    """A method and its tool.

    Attributes
    ----------
    method
        Name in board files.
    tool, install
        Program, and the line that installs it; empty if it needs none.
    write
        Writes a job's image.
    reads_back
        Whether the tool compares the flash with the image after writing.
    needs_port
        Whether it writes over the serial port.
    """

    method: FlashMethod
    tool: str
    install: str
    write: Callable[[Job, Advance], None]
    reads_back: bool = False
    needs_port: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether the tool is installed."""
        return not self.tool or find_tool(self.tool) is not None


def choose(board: Board, port: str | None, method: FlashMethod | None) -> Flasher:
    """First method of the board file that is installed here, or the requested one.

    Raises
    ------
    EdgebioError
        If the board has no such method, or it needs a port.
    MissingToolError
        If no tool is installed.
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
        Flasher("uf2", "", "", uf2.copy),
    )
}  # fmt: skip
