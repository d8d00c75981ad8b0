"""External programs that write flash: where they are, how they run and what they report."""

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebio.boards.board import Board
from edgebio.errors import DeviceError, EdgebioError
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


@dataclass(frozen=True)
class Job:
    """An image to write.

    Attributes
    ----------
    board
        The board.
    folder
        The image, as ``edgebio build`` made it.
    port
        Serial port, if the method needs one.
    """

    board: Board
    folder: Path
    port: str | None

    @property
    def binary(self) -> Path:
        """The image, byte for byte."""
        return self.folder / "firmware.bin"


def find_tool(name: str) -> str | None:
    """Path of a tool on the PATH or beside this Python; None if it is not installed."""
    beside = Path(sys.executable).with_name(name)  # of an environment that is not activated
    return shutil.which(name) or (str(beside) if beside.is_file() else None)


def run_tool(job: Job, name: str, arguments: Sequence[str], advance: Advance) -> None:
    """Run a tool to its end and report its progress.

    Raises
    ------
    DeviceError
        If it fails or hangs, with its first error.
    """

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
