"""Emulators that outlive the command that starts them, one per folder of an image."""

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from edgebio import storage
from edgebio.boards import emulator, emulator_process
from edgebio.boards.board import Board
from edgebio.boards.emulator_process import Serial
from edgebio.boards.rp2040js_parts import Parts
from edgebio.errors import DeviceError, EdgebioError
from edgebio.processes.programs import run_program

_RECORD = "emulator.json"
_LOG = "emulator.log"


class DetachedEmulator(BaseModel):
    """A detached emulator, as recorded in the folder of its image."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    board: str
    url: str
    pid: int
    image: str

    @property
    def running(self) -> bool:
        """Whether it still runs; another process may have its number by now."""
        return self.image in _command_line(self.pid)


def start(
    board: Board, image: Path, serial: Serial = "pty", parts: Parts | None = None
) -> DetachedEmulator:
    """Start a detached emulator in place of the one that runs from the same folder.

    `EdgebioError` if the folder cannot be written, `DeviceError` if the emulator does not come up.
    """
    stop(image.parent)
    log = image.parent / _LOG
    try:
        log.touch()
    except OSError as error:
        raise EdgebioError(f"{log}: cannot be written: {error.strerror}") from None
    running = emulator.launch(board, image, serial, log, detached=True, parts=parts)
    record = DetachedEmulator(
        board=board.name, url=running.url, pid=running.pid, image=str(image.resolve())
    )
    storage.write_json(image.parent / _RECORD, record.model_dump())
    return record


def find(folder: Path) -> DetachedEmulator | None:
    """Detached emulator that runs the image in `folder`, or None."""
    try:
        record = DetachedEmulator.model_validate_json((folder / _RECORD).read_bytes())
    except (OSError, ValidationError):
        return None
    return record if record.running else None


def stop(folder: Path) -> DetachedEmulator | None:
    """Stop and return the detached emulator of a folder, or None; `DeviceError` if it stays."""
    record = find(folder)
    if record:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, number)
            end = time.monotonic() + emulator_process.STOP_SECONDS
            while record.running and time.monotonic() < end:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(record.pid, os.WNOHANG)  # if this process started it
                time.sleep(0.02)
            if not record.running:
                break
        else:
            raise DeviceError(f"the emulator, process {record.pid}, does not end; kill it")
    (folder / _RECORD).unlink(missing_ok=True)
    return record


def _command_line(pid: int) -> str:
    """Command line of a process; empty if it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    if Path("/proc/self").exists() or not shutil.which("ps"):
        return ""
    return run_program("ps", "-o", "command=", "-p", str(pid)).stdout
