"""The board, played: started on a pty or a TCP port, stopped for certain; or run to its end.

QEMU plays most boards; rp2040js, on Node, the RP2040.
"""

import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from edgebio import storage
from edgebio.boards.board import Board
from edgebio.errors import DeviceError, EdgebioError, MissingToolError
from edgebio.processes.programs import run_program

INSTALL = "sudo apt-get install qemu-system-arm"
"""The line that installs the emulator."""

Serial = Literal["pty", "tcp"]

RP2040JS = "1.4.1"
"""Version of rp2040js that the boards are proven with."""

_START_SECONDS = 10.0
_STOP_SECONDS = 3.0
_PTY = re.compile(r"char device redirected to (\S+)")


def program() -> str:
    """Path of QEMU.

    Raises
    ------
    MissingToolError
        Where it is not installed.
    """
    found = shutil.which("qemu-system-arm")
    if not found:
        raise MissingToolError(f"no qemu-system-arm on this machine; install it: {INSTALL}")
    return found


def rp2040js() -> tuple[str, str]:
    """Paths of Node and of the folder of rp2040js.

    ``EDGEBIO_RP2040JS`` names the folder; else it is where ``make setup`` puts it.

    Raises
    ------
    MissingToolError
        Where one of them is not installed.
    """
    node = shutil.which("node")
    if not node:
        raise MissingToolError("no node on this machine; install it: sudo apt-get install nodejs")
    here = Path(sys.prefix) / "node" / "node_modules" / "rp2040js"
    folder = Path(os.environ.get("EDGEBIO_RP2040JS") or here)
    if not (folder / "dist").is_dir():
        raise MissingToolError(
            f"no rp2040js in {folder}; install it: npm install --prefix {sys.prefix}/node "
            f"rp2040js@{RP2040JS}"
        )
    return node, str(folder)


def answer_timeout(board: Board) -> float:
    """Seconds that the emulated board may take to answer: rp2040js is slower than any board."""
    return 60.0 if board.emulator is not None and board.emulator.program == "rp2040js" else 10.0


def available(board: Board) -> None:
    """Raise `MissingToolError` where what plays the board is not installed."""
    if board.emulator is not None and board.emulator.program == "rp2040js":
        rp2040js()
    else:
        program()


def command(board: Board, image: Path) -> list[str]:
    """Return the command that runs `image` on an emulated `board`, without any device of its own.

    Raises
    ------
    EdgebioError
        Where the board has no emulator.
    MissingToolError
        Where QEMU is not installed.
    """
    if board.emulator is None:
        raise EdgebioError(f"board {board.name} has no emulator")
    if board.emulator.program != "qemu":
        raise EdgebioError(
            f"{board.name} is played by {board.emulator.program}, which cannot do this; it has a "
            "serial port: edgebio hil, classify, flash"
        )
    return [
        program(),
        *("-M", board.emulator.machine),
        *board.emulator.options,
        *("-display", "none", "-nodefaults", "-monitor", "none"),
        *("-kernel", str(image)),
    ]


def takes_plugins() -> bool:
    """Whether QEMU was built with support of TCG plugins."""
    text = run_program(program(), "-help").stdout
    return re.search(r"^-plugin\b", text, re.MULTILINE) is not None


def run(
    board: Board, image: Path, folder: Path, timeout: float, options: Sequence[str] = ()
) -> None:
    """Run an image that ends by itself, with the files of `folder` open to it by semihosting.

    Parameters
    ----------
    board, image
        What runs where.
    folder
        Folder that the image's file names are relative to.
    timeout
        Seconds until it is taken for hung.
    options
        More options of QEMU.

    Raises
    ------
    DeviceError
        Where the image reports failure, hangs, or QEMU dies.
    """
    line = [
        *command(board, image.resolve()),
        *("-semihosting-config", "enable=on,target=native"),
        *options,
    ]
    process = subprocess.Popen(
        _bound_to_us(line),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    with _ending(process):
        try:
            _, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise DeviceError(
                f"{board.name} (emulated) did not finish within {timeout:g} s; it may hang"
            ) from None
    if process.returncode:
        raise DeviceError(f"{board.name} (emulated) {_end(process.returncode, said)}")


def _end(code: int, said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    lines = [line for line in lines if "warning:" not in line and not _PTY.search(line)]
    # QEMU prints registers after what went wrong.
    what = lines[0].removeprefix("qemu: ").removeprefix("fatal: ") if lines else "no message"
    if code < 0:
        return f"crashed, {signal.Signals(-code).name}: {what}"
    return f"failed: {what}"


@dataclass
class Emulator:
    """A running emulated board.

    Attributes
    ----------
    board : str
        Its name.
    url : str
        Its serial port as pyserial takes it: the name of a pty, or ``socket://127.0.0.1:port``.
    pid : int
        QEMU's process.
    """

    board: str
    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """Number of QEMU's process."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether QEMU still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop it; stopping what has ended is fine."""
        _stop(self.process)


@contextlib.contextmanager
def start(board: Board, image: Path, serial: Serial = "pty") -> Iterator[Emulator]:
    """Run `image` on an emulated `board` while the block runs.

    QEMU ends with the block, whatever ends the block, and with this process even if that is
    killed.

    Parameters
    ----------
    board, image
        What runs where.
    serial
        "pty" for a pseudo-terminal, "tcp" for a port of 127.0.0.1.

    Raises
    ------
    DeviceError
        Where QEMU does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="edgebio-emulator-") as scratch:
        emulator = _launch(board, image, serial, Path(scratch) / "qemu.log", stay=False)
        with _ending(emulator.process):
            yield emulator


class Detached(BaseModel):
    """An emulator that was left running, as its record in the image's folder says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    board: str
    url: str
    pid: int
    image: str

    @property
    def running(self) -> bool:
        """Whether it still runs; a number that another process has now is not it."""
        return self.image in _command_line(self.pid)


_RECORD = "emulator.json"
_LOG = "emulator.log"


def detach(board: Board, image: Path, serial: Serial = "pty") -> Detached:
    """Start an emulator that outlives this process; one that runs from the folder is replaced.

    Parameters
    ----------
    board, image
        What runs where; the record of the emulator is kept beside the image.
    serial
        "pty" or "tcp".

    Returns
    -------
    Detached
        Where it is.
    """
    stop(image.parent)
    log = image.parent / _LOG
    try:
        log.touch()
    except OSError as error:
        raise EdgebioError(f"{log}: cannot be written: {error.strerror}") from None
    emulator = _launch(board, image, serial, log, stay=True)
    detached = Detached(
        board=board.name, url=emulator.url, pid=emulator.pid, image=str(image.resolve())
    )
    storage.write_json(image.parent / _RECORD, detached.model_dump())
    return detached


def detached(folder: Path) -> Detached | None:
    """Return the emulator that was left running from the image in `folder`, or None."""
    try:
        record = Detached.model_validate_json((folder / _RECORD).read_bytes())
    except (OSError, ValidationError):
        return None
    return record if record.running else None


def stop(folder: Path) -> Detached | None:
    """Stop the emulator that was left running from `folder`; None where none was.

    Raises
    ------
    DeviceError
        Where it does not end.
    """
    found = detached(folder)
    if found:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, sign)
            end = time.monotonic() + _STOP_SECONDS
            while found.running and time.monotonic() < end:
                _reap(found.pid)
                time.sleep(0.02)
            if not found.running:
                break
        else:
            raise DeviceError(f"the emulator, process {found.pid}, does not end; stop it by hand")
    (folder / _RECORD).unlink(missing_ok=True)
    return found


def _launch(board: Board, image: Path, serial: Serial, log: Path, *, stay: bool) -> Emulator:
    if board.emulator is not None and board.emulator.program == "rp2040js":
        return _launch_rp2040js(board, image, log, stay=stay)
    line = command(board, image.resolve())
    monitor, theirs = socket.socketpair()
    inherited = [theirs]
    line += ["-chardev", f"socket,id=monitor,fd={theirs.fileno()}"]
    line += ["-mon", "chardev=monitor,mode=control"]
    url = ""
    if serial == "pty":
        line += ["-serial", "pty"]
    else:
        # Handing QEMU a socket that listens already leaves no moment in which somebody else can
        # take the port, and none in which a client comes too early.
        listener = socket.create_server(("127.0.0.1", 0))
        inherited.append(listener)
        url = f"socket://127.0.0.1:{listener.getsockname()[1]}"
        channel = f"socket,id=serial0,fd={listener.fileno()},server=on,wait=off,nodelay=on"
        line += ["-chardev", channel, "-serial", "chardev:serial0"]
    with contextlib.closing(monitor):
        try:
            with log.open("wb") as output, _on_one_core():
                process = subprocess.Popen(
                    line if stay else _bound_to_us(line),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=stay,
                    pass_fds=[end.fileno() for end in inherited],
                )
        finally:
            for end in inherited:
                end.close()
        try:
            _wait_until_up(board, process, monitor, log)
            if serial == "pty":
                url = _PTY.findall(log.read_text(errors="replace"))[0]
        except BaseException:
            _stop(process)
            raise
    return Emulator(board.name, url, process)


_started = itertools.count(1)


@contextlib.contextmanager
def _on_one_core() -> Iterator[None]:
    """Let what is started in the block keep to one core of this machine; the next to another.

    Two threads of QEMU wake one another for every byte of a UART. From core to core, in a virtual
    machine, that takes longer than a byte at 16 kB/s lasts; on one core it is a switch.
    """
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    cores = sorted(allowed)
    # Counted from our number, so that programs side by side do not all take the same one.
    os.sched_setaffinity(0, {cores[(os.getpid() + next(_started)) % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _launch_rp2040js(board: Board, image: Path, log: Path, *, stay: bool) -> Emulator:
    """Start rp2040js, whose serial port is always a TCP port."""
    node, library = rp2040js()
    script = storage.assets("firmware_assets") / "emulator" / "rp2040.mjs"
    line = [node, str(script), library, str(image.resolve())]
    with log.open("wb") as output:
        process = subprocess.Popen(
            line if stay else _bound_to_us(line),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=stay,
        )
    deadline = time.monotonic() + _START_SECONDS
    try:
        while process.poll() is None:
            found = re.search(r"^port (\d+)$", log.read_text(errors="replace"), re.MULTILINE)
            if found:
                return Emulator(board.name, f"socket://127.0.0.1:{found[1]}", process)
            if time.monotonic() > deadline:
                raise DeviceError(
                    f"{board.name} (emulated) did not come up within {_START_SECONDS:g} s"
                )
            time.sleep(0.02)
    except BaseException:
        _stop(process)
        raise
    said = _end(process.returncode, log.read_text(errors="replace"))
    raise DeviceError(f"{board.name} (emulated) {said}")


def _wait_until_up(
    board: Board, process: "subprocess.Popen[bytes]", monitor: socket.socket, log: Path
) -> None:
    """Ask QEMU's machine protocol for its state: it answers once the machine is built."""
    monitor.settimeout(_START_SECONDS)
    said = b""
    try:
        monitor.sendall(b'{"execute": "qmp_capabilities"} {"execute": "query-status"}')
        while b'"running"' not in said:
            more = monitor.recv(4096)
            if not more:
                process.wait(_STOP_SECONDS)
                break
            said += more
    except (TimeoutError, subprocess.TimeoutExpired):
        raise DeviceError(
            f"{board.name} (emulated) did not come up within {_START_SECONDS:g} s"
        ) from None
    except OSError:  # it closed its end while we wrote
        process.wait()
    if process.poll() is not None:
        said_last = _end(process.returncode, log.read_text(errors="replace"))
        raise DeviceError(f"{board.name} (emulated) {said_last}")


@contextlib.contextmanager
def _ending(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> Iterator[None]:
    try:
        yield
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stderr:
        process.stderr.close()


def _bound_to_us(line: list[str]) -> list[str]:
    """Have the kernel end the command with this process, where Linux's setpriv is there."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *line] if setpriv else line


def _command_line(pid: int) -> str:
    """Command line of a process; empty where there is none, or only its remains."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        pass
    if Path("/proc/self").exists() or not shutil.which("ps"):
        return ""
    return run_program("ps", "-o", "command=", "-p", str(pid)).stdout


def _reap(pid: int) -> None:
    """Collect a process that this one started itself, or nothing."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
