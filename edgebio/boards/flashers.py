"""Ways of writing an image into a board's flash: one function a tool, all with the same manners.

A way either has written all of the image, by what its tool says, or raises; whether the board
carries it is for the caller to see. None erases more than the pages that the image takes.
"""

import itertools
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebio.boards.board import Board, FlashMethod
from edgebio.errors import DeviceError, EdgebioError, MissingToolError
from edgebio.processes.programs import stream_program

Advance = Callable[[float], None]
"""Called with the share that has been written, 0 to 1."""

_SILENT_SECONDS = 60.0  # a tool that says nothing for so long hangs
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_FAILURE = re.compile(
    r"^(?:Error\b:? ?|Failed|Cannot|Unable|Unexpected|Got NACK|Wrong|Could ?n.t|No |Timeout)"
    r"|^\d+ [EC] |\berror\b|not\s+found|mismatch|Permission denied",
    re.IGNORECASE,
)
# What these tools say when nothing is wrong, or after they have said what is.
_CHATTER = re.compile(r"^(?:Info|Warn|Licensed|For bug|Open On-Chip|Error probing interface)")
_FORBIDDEN = re.compile(r"LIBUSB_ERROR_ACCESS|Permission denied|Access denied", re.IGNORECASE)

_BLOCK_FAILED = re.compile(r"Failed to write memory at address (0x[0-9a-fA-F]+)")
_BLOCK_TRIES = 3

_UF2_PAYLOAD = 256
_UF2_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
_UF2_HAS_FAMILY = 0x2000


@dataclass(frozen=True)
class Job:
    """What is to be written where.

    Attributes
    ----------
    board
        The board.
    folder
        The image, as ``edgebio build`` made it.
    port
        Serial port, where the way needs one.
    """

    board: Board
    folder: Path
    port: str | None

    @property
    def binary(self) -> Path:
        """The image, byte for byte."""
        return self.folder / "firmware.bin"


@dataclass(frozen=True)
class Way:
    """One way of flashing.

    Attributes
    ----------
    method : str
        Its name in board files.
    tool : str
        What it needs, and `install` the line that installs it.
    write : callable
        Writes, given the job and a callback for progress.
    reads_back : bool
        The tool compares the flash with the image when it has written it.
    needs_port : bool
        It writes over the serial port.
    """

    method: FlashMethod
    tool: str
    install: str
    write: Callable[[Job, Advance], None]
    reads_back: bool
    needs_port: bool = False

    @property
    def here(self) -> bool:
        """Whether its tool is installed."""
        return self.method == "uf2" or bool(_command(self.tool))


def choose(board: Board, port: str | None, method: FlashMethod | None) -> Way:
    """Take the first way of the board file that this machine has, or the one asked for.

    Raises
    ------
    EdgebioError
        Where the board has no such way, or it needs a port.
    MissingToolError
        Where no tool is installed; the text has the line that installs one.
    """
    ways = [WAYS[m] for m in board.flash.methods if m != "emulator"]
    if method:
        ways = [way for way in ways if way.method == method]
    if not ways:
        known = ", ".join(board.flash.methods)
        raise EdgebioError(f"{board.name} is not flashed by {method or 'a port'}; by: {known}")
    usable = [way for way in ways if port or not way.needs_port]
    if not usable:
        raise EdgebioError(f"{ways[0].method} writes over the serial port: give --port")
    found = next((way for way in usable if way.here), None)
    if found is None:
        lines = " or ".join(way.install for way in usable)
        raise MissingToolError(
            f"no {' or '.join(way.tool for way in usable)} on this machine; install it: {lines}"
        )
    return found


def uf2(binary: bytes, origin: int, family: int) -> bytes:
    """Return a UF2 file of an image.

    Parameters
    ----------
    binary
        The image.
    origin
        Its address in flash.
    family
        Family id of the chip, as its boot ROM wants it.

    Notes
    -----
    Format: "USB Flashing Format (UF2)", Microsoft; blocks of 512 bytes with 256 bytes of image.
    """
    pieces = [binary[at : at + _UF2_PAYLOAD] for at in range(0, len(binary), _UF2_PAYLOAD)]
    blocks = []
    for number, piece in enumerate(pieces):
        head = (
            *_UF2_MAGIC[:2], _UF2_HAS_FAMILY, origin + number * _UF2_PAYLOAD, _UF2_PAYLOAD,
            number, len(pieces), family,
        )  # fmt: skip
        body = piece.ljust(476, b"\0")
        blocks.append(
            b"".join(word.to_bytes(4, "little") for word in head)
            + body
            + _UF2_MAGIC[2].to_bytes(4, "little")
        )
    return b"".join(blocks)


def _command(tool: str) -> list[str]:
    """How a tool is called; empty where it is not installed."""
    beside = Path(sys.executable).with_name(tool)  # of the same environment, though not active
    found = shutil.which(tool) or (str(beside) if beside.is_file() else None)
    return [found] if found else []


def _pyocd(job: Job, advance: Advance) -> None:
    target = job.board.flash.pyocd
    hexes = str(job.folder / "firmware.hex")
    line = ["flash", "--no-wait", "--erase", "sector", "-t", str(target), hexes]
    _run(job, [*_command("pyocd"), *line], advance)
    _run(job, [*_command("pyocd"), "reset", "--no-wait", "-t", str(target)], lambda share: None)


def _openocd(job: Job, advance: Advance) -> None:
    files = [word for name in job.board.flash.openocd for word in ("-f", name)]
    program = f"program {{{job.folder / 'firmware.hex'}}} verify reset exit"
    _run(job, [*_command("openocd"), *files, "-c", program], advance)


def _stm32_bootloader(job: Job, advance: Advance) -> None:
    """By the system boot loader's USART protocol (AN3155).

    stm32flash gives up at the first block that is refused. It is called again from the page of that
    block on, as long as that gets on.
    """
    port = str(job.port)
    origin, image = job.board.memory.flash.origin, job.binary.read_bytes()
    # The protocol's even parity; a pty has none, and refuses to be asked for it.
    mode = "8n1" if port.startswith("/dev/pts/") else "8e1"
    done, left = 0, _BLOCK_TRIES
    with tempfile.TemporaryDirectory(prefix="edgebio-flash-") as scratch:
        while True:
            rest = Path(scratch) / "rest.bin"
            rest.write_bytes(image[done:])
            line = [
                *_command("stm32flash"),
                *("-b", str(job.board.flash.baud), "-m", mode, "-v"),
                # Erases no page beyond the image.
                *("-S", f"{origin + done:#x}:{len(image) - done}"),
                *("-w", str(rest), "-g", f"{origin:#x}", port),
            ]
            start = done / len(image)

            def show(share: float, start: float = start) -> None:
                advance(start + share * (1 - start))

            try:
                _run(job, line, show)
                return
            except DeviceError as error:
                found = _BLOCK_FAILED.search(str(error))
                page = _page(job.board, int(found[1], 16) - origin) if found else -1
                left = _BLOCK_TRIES if page > done else left - 1
                if page < done or not left:
                    raise
                done = page


def _page(board: Board, offset: int) -> int:
    """Start of the page of flash that an offset lies in."""
    start = 0
    for size in itertools.chain(board.flash.pages, itertools.repeat(board.flash.pages[-1])):
        if offset < start + size:
            return start
        start += size
    raise AssertionError("the last size repeats")


def _copy_uf2(job: Job, advance: Advance) -> None:
    """Copy into the drive that the chip's boot ROM shows; it restarts once it has all blocks."""
    family = job.board.flash.uf2_family
    if family is None:
        raise AssertionError("a board with uf2 says its family")
    origin = job.board.memory.flash.origin
    data = uf2(job.binary.read_bytes(), origin, family)
    drive = _drive(job)
    target = drive / "FIRMWARE.UF2"
    try:
        with target.open("wb", buffering=0) as file:
            for at in range(0, len(data), 1 << 14):
                file.write(data[at : at + (1 << 14)])
                advance(min(at + (1 << 14), len(data)) / len(data))
            os.fsync(file.fileno())
    except OSError as error:
        raise DeviceError(
            f"{target}: the copy was not taken ({error.strerror}); hold BOOTSEL, plug it in again "
            "and repeat"
        ) from None


def _drive(job: Job) -> Path:
    """Drive that the boot ROM shows: the only one that is mounted."""
    marked = [path for path in _mounted() if (path / "INFO_UF2.TXT").is_file()]
    if len(marked) != 1:
        what = "no drive of a boot loader is" if not marked else f"{len(marked)} such drives are"
        raise DeviceError(
            f"{what} mounted: hold BOOTSEL while plugging {job.board.name} in, and mount its drive"
        )
    return marked[0]


def _mounted() -> Iterator[Path]:
    table = Path("/proc/mounts")
    if table.is_file():
        for line in table.read_text().splitlines():
            yield Path(line.split()[1].replace("\\040", " "))
    elif Path("/Volumes").is_dir():
        yield from Path("/Volumes").iterdir()


WAYS: dict[FlashMethod, Way] = {
    way.method: way
    for way in (
        Way("pyocd", "pyocd", "pip install 'edgebio[flash]'", _pyocd, reads_back=False),
        Way("openocd", "openocd", "sudo apt-get install openocd", _openocd, reads_back=True),
        Way("stm32-bootloader", "stm32flash", "sudo apt-get install stm32flash",
            _stm32_bootloader, reads_back=True, needs_port=True),
        Way("uf2", "uf2", "", _copy_uf2, reads_back=False),
    )
}  # fmt: skip


def _run(job: Job, command: Sequence[str], advance: Advance) -> None:
    """Run a flashing tool to its end; report its progress, and its own first error.

    Raises
    ------
    DeviceError
        Where it fails or hangs.
    """

    def on_output(text: str) -> None:
        percentages = _PERCENT.findall(text)
        if percentages:
            advance(min(float(percentages[-1]) / 100, 1.0))

    try:
        result = stream_program(*command, on_output=on_output, silence=_SILENT_SECONDS)
    except EdgebioError as error:
        raise DeviceError(str(error)) from None
    if result.returncode:
        text = result.stdout
        raise DeviceError(f"{result.name}: {first_error(text)}{_permission(job, text)}")


def first_error(text: str) -> str:
    """The first line of a tool's output that says what is wrong; else its last line."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    telling = [line for line in lines if _FAILURE.search(line) and not _CHATTER.search(line)]
    line = (telling or lines[-1:] or ["it says nothing"])[0]
    # "0000382 E No target device available [load_cmd]", as pyOCD writes; "Error: ...", as OpenOCD
    return re.sub(r"^(?:\d+ [EC]|Error:) (.*?)(?: \[\w+\])?$", r"\1", line)


def _permission(job: Job, text: str) -> str:
    """The udev line to add where the system forbids the probe."""
    if not _FORBIDDEN.search(text) or not job.board.usb:
        return ""
    rules = "; ".join(
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{usb.vid:04x}", ATTR{{idProduct}}=="{usb.pid:04x}", '
        'MODE="0666"'
        for usb in job.board.usb
    )
    return f"; no permission: add to /etc/udev/rules.d/60-edgebio.rules: {rules}"
