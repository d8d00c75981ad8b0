"""Methods to write an image to a board's flash.

A method writes the complete image, as far as its tool reports, or raises; the caller verifies that
the board carries the image. No method erases more than the pages of the image; a drive's
firmware (drag-and-drop) decides by itself.
"""

import itertools
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebio.boards import flash_drive, uf2
from edgebio.boards.board import Board, FlashMethod
from edgebio.errors import DeviceError, EdgebioError, MissingToolError
from edgebio.processes.programs import ProgramResult, stream_program

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
_LOCKED = "APPROTECT enabled: not automatically unlocking"  # by pyOCD


@dataclass(frozen=True)
class Job:
    """An image to write."""

    board: Board
    folder: Path  # of the image, as ``edgebio build`` made it
    port: str | None = None  # serial port of the boot loader, if the method needs one
    probe: str | None = None  # serial number of the debug probe, or of the board's own USB

    @property
    def binary(self) -> Path:
        """The image, byte for byte."""
        return self.folder / "firmware.bin"

    @property
    def hex(self) -> Path:
        """The image as Intel HEX."""
        return self.folder / "firmware.hex"

    def with_probe(self, *words: str) -> list[str]:
        """Words of a command line that choose the probe, with ``{}`` for its serial number."""
        return [word.format(self.probe) for word in words] if self.probe else []


@dataclass(frozen=True)
class Flasher:
    """A method and its tool."""

    method: FlashMethod
    tool: str  # empty if it needs none
    install: str  # the line that installs the tool
    write: Callable[[Job, Advance], None]
    reads_back: bool = False  # whether the tool compares the flash with the image after writing
    needs_port: bool = False  # whether it writes over the serial port
    has_probe: bool = False  # whether it finds the board by a probe's serial number
    boots: bool = False  # whether a running board is asked to enter its boot loader before
    hint: str = ""  # how the board is made ready for it, if it must be

    @property
    def is_installed(self) -> bool:
        """Whether the tool is installed."""
        return not self.tool or find_tool(self.tool) is not None


def choose(
    board: Board,
    port: str | None,
    method: FlashMethod | None,
    probe: str | None = None,
) -> Flasher:
    """First method of the board file that is installed here, or the requested one.

    `port` is a serial port at which the boot loader listens.

    Raises
    ------
    EdgebioError
        If the board has no such method, it needs a port, it has no probe to choose, or no tool is
        installed.
    """
    methods = [m for m in board.flash.methods if m != "emulator" and method in (None, m)]
    if not methods:
        supported = ", ".join(board.flash.methods)
        raise EdgebioError(f"{board.name} is not flashed by {method or 'a port'}; by: {supported}")
    flashers = [FLASHERS[m] for m in methods]
    if probe is not None:
        flashers = [flasher for flasher in flashers if flasher.has_probe]
        if not flashers:
            raise EdgebioError(f"{method or board.name} has no probe to choose: leave out --probe")
    usable = [flasher for flasher in flashers if port or not flasher.needs_port]
    if not usable:
        raise EdgebioError(_missing_port(board, flashers[0]))
    for flasher in usable:
        if flasher.is_installed:
            return flasher
    raise MissingToolError(
        f"no {' or '.join(flasher.tool for flasher in usable)} on this machine; install it: "
        + " or ".join(flasher.install for flasher in usable)
    )


def _missing_port(board: Board, flasher: Flasher) -> str:
    if board.flash.bootloader_shares_link(board.uart):
        return f"{flasher.method} writes over the serial port: give --port"
    pins = " or ".join("/".join(pair) for pair in board.flash.bootloader_pins)
    return (
        f"{flasher.method} writes to {pins} (TX/RX), where the boot loader of {board.name} "
        "listens, not on the link's pins: give --bootloader-port, a serial port there"
    )


def find_tool(name: str) -> str | None:
    """Path of a tool on the PATH or beside this Python; None if it is not installed."""
    beside = Path(sys.executable).with_name(name)  # of an environment that is not activated
    return shutil.which(name) or (str(beside) if beside.is_file() else None)


def run_tool(job: Job, name: str, arguments: Sequence[str], advance: Advance) -> None:
    """Run a tool to its end; `DeviceError` with its first error if it fails or hangs."""
    _check(job, _run(job, name, arguments, advance))


def _run(job: Job, name: str, arguments: Sequence[str], advance: Advance) -> ProgramResult:
    def on_output(text: str) -> None:
        percentages = _PERCENT.findall(text)
        if percentages:
            advance(min(float(percentages[-1]) / 100, 1.0))

    try:
        return stream_program(
            find_tool(name) or name, *arguments, on_output=on_output, silence=SILENT_SECONDS
        )
    except EdgebioError as error:
        raise DeviceError(str(error)) from None


def _check(job: Job, result: ProgramResult) -> None:
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
    """Write by pyOCD, which also resets the chip.

    pyOCD unlocks a protected nRF52 by erasing all of it, and it does so whenever it connects. So
    the first connection must not unlock, and tells whether the chip is protected. The second one
    may: only then does pyOCD write UICR.APPROTECT, without which revision 3 of the nRF52840 is
    locked again at the next reset (nRF52840 PS v1.7, "Debug and trace", access port protection).
    """
    target = ["--no-wait", "-t", job.board.flash.pyocd, *job.with_probe("-u", "{}")]
    if job.board.flash.locks:
        result = _run(
            job, "pyocd", ["reset", *target, "-O", "auto_unlock=false"], lambda share: None
        )
        if _LOCKED in result.stdout:
            raise DeviceError(
                f"pyocd: {job.board.name} is protected (APPROTECT), and unlocking erases all of "
                f"its flash; to do so: pyocd flash -t {job.board.flash.pyocd} {job.hex}"
            )
        _check(job, result)
    run_tool(job, "pyocd", ["flash", *target, "--erase", "sector", str(job.hex)], advance)


def _openocd(job: Job, advance: Advance) -> None:
    files = [argument for name in job.board.flash.openocd for argument in ("-f", name)]
    probe = job.with_probe("-c", "adapter serial {}")
    program = f"program {{{job.hex}}} verify reset exit"
    run_tool(job, "openocd", [*files, *probe, "-c", program], advance)


def _jlink(job: Job, advance: Advance) -> None:
    """Write by SEGGER's J-Link Commander (UM08001, chapter "J-Link Commander")."""
    origin = job.board.memory.flash.origin
    with tempfile.TemporaryDirectory(prefix="edgebio-flash-") as scratch:
        script = Path(scratch) / "commands.jlink"
        script.write_text(
            f'r\nloadfile "{job.hex}"\nverifybin "{job.binary}" {origin:#x}\nr\ng\nexit\n'
        )
        arguments = [
            *("-NoGui", "1", "-ExitOnError", "1", "-AutoConnect", "1"),
            *job.with_probe("-SelectEmuBySN", "{}"),
            *("-Device", job.board.flash.jlink, "-If", "SWD", "-Speed", "4000"),
            *("-CommandFile", str(script)),
        ]
        run_tool(job, "JLinkExe", arguments, advance)


def _stm32cubeprogrammer(job: Job, advance: Advance) -> None:
    """Write by ST's programmer (UM2237): it erases the sectors of the image only."""
    connection = ["-c", "port=SWD", *job.with_probe("sn={}")]
    arguments = [*connection, "-w", str(job.hex), "-v", "-rst"]
    run_tool(job, "STM32_Programmer_CLI", arguments, advance)


def _picotool(job: Job, advance: Advance) -> None:
    """Write by picotool, and start the image."""
    origin = job.board.memory.flash.origin
    image = [str(job.binary), "-t", "bin", "-o", f"{origin:#x}"]
    run_tool(job, "picotool", ["load", "-v", "-x", *image, *job.with_probe("--ser", "{}")], advance)


def _drag_and_drop(job: Job, advance: Advance) -> None:
    flash_drive.copy(job.binary.read_bytes(), job.board, advance)


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
        Flasher("pyocd", "pyocd", "pip install 'edgebio[flash]'", _pyocd, has_probe=True),
        Flasher("openocd", "openocd", "sudo apt-get install openocd", _openocd, reads_back=True,
                has_probe=True),
        Flasher("jlink", "JLinkExe", "segger.com/downloads/jlink", _jlink, reads_back=True,
                has_probe=True),
        Flasher("stm32cubeprogrammer", "STM32_Programmer_CLI", "st.com/stm32cubeprog",
                _stm32cubeprogrammer, reads_back=True, has_probe=True),
        Flasher("stm32-bootloader", "stm32flash", "sudo apt-get install stm32flash",
                _stm32_bootloader, reads_back=True, needs_port=True,
                hint="the boot loader listens after a reset with BOOT0 high; BOOT0 low starts the "
                "image again"),
        Flasher("drag-and-drop", "", "", _drag_and_drop),
        Flasher("picotool", "picotool", "github.com/raspberrypi/picotool", _picotool,
                reads_back=True, has_probe=True,
                boots=True, hint="hold BOOTSEL while plugging the board in"),
        Flasher("uf2", "", "", _uf2, boots=True),
    )
}  # fmt: skip
