"""The process of an emulator: started, watched until it is up, and stopped in any case."""

import contextlib
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgebio.boards.board import Board
from edgebio.errors import DeviceError

Serial = Literal["pty", "tcp"]
"""Serial port that an emulator offers: a pseudo-terminal, or a port of 127.0.0.1."""

START_SECONDS = 10.0
STOP_SECONDS = 3.0
PTY = re.compile(r"char device redirected to (\S+)")


@dataclass
class Emulator:
    """A running emulated board."""

    board: str  # its name
    url: str  # serial port for pyserial: name of a pty, or ``socket://127.0.0.1:port``
    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """Process id of the emulator."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the emulator still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop the emulator, if it still runs."""
        _stop(self.process)


def launch(
    command: list[str], log: Path, *, detached: bool, pass_fds: Sequence[int] = ()
) -> "subprocess.Popen[bytes]":
    """Start a command that writes to `log`; it ends with this process unless `detached`."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command if detached else bound_to_parent(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the command, which then stops its emulator
            pass_fds=pass_fds,
        )


def bound_to_parent(command: list[str]) -> list[str]:
    """Let the kernel kill a command when this process ends, if Linux's setpriv is installed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if setpriv else command


@contextlib.contextmanager
def starting(board: Board, process: "subprocess.Popen[bytes]", log: Path) -> Iterator[None]:
    """Stop an emulator that is not up at the end of the block; the reason is a `DeviceError`."""
    try:
        yield
        if process.poll() is not None:
            lines = log.read_text(errors="replace").splitlines()
            raise end_error(board, process.returncode, lines)
    except (TimeoutError, subprocess.TimeoutExpired):
        _stop(process)
        raise DeviceError(
            f"{board.name} (emulated) did not come up within {START_SECONDS:g} s"
        ) from None
    except BaseException:
        _stop(process)
        raise


def end_error(board: Board, code: int, lines: Sequence[str]) -> DeviceError:
    """Error that reports how an emulator ended: the signal, and its first error line."""
    lines = [line.strip() for line in lines if line.strip()]
    lines = [line for line in lines if "warning:" not in line and not PTY.search(line)]
    # QEMU prints registers after the error.
    reason = lines[0].removeprefix("qemu: ").removeprefix("fatal: ") if lines else "no message"
    end = f"crashed, {signal.Signals(-code).name}" if code < 0 else "failed"
    return DeviceError(f"{board.name} (emulated) {end}: {reason}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
