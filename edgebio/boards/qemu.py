"""QEMU, which emulates most boards."""

import contextlib
import itertools
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgebio.boards import emulator_process
from edgebio.boards.board import Board
from edgebio.boards.emulator_process import PTY, Emulator, Serial
from edgebio.errors import DeviceError, EdgebioError, MissingToolError
from edgebio.processes.programs import run_program

INSTALL = "sudo apt-get install qemu-system-arm"
"""The line that installs QEMU."""

_emulator_numbers = itertools.count(1)


def program() -> str:
    """Path of QEMU; `MissingToolError` if it is not installed."""
    path = shutil.which("qemu-system-arm")
    if not path:
        raise MissingToolError(f"no qemu-system-arm on this machine; install it: {INSTALL}")
    return path


def takes_plugins() -> bool:
    """Whether QEMU was built with support for TCG plugins."""
    text = run_program(program(), "-help").stdout
    return re.search(r"^-plugin\b", text, re.MULTILINE) is not None


def command(board: Board, image: Path) -> list[str]:
    """Command that runs an image, without serial port or files.

    `EdgebioError` if QEMU does not emulate the board, `MissingToolError` if it is not installed.
    """
    if board.emulator is None:
        raise EdgebioError(f"board {board.name} has no emulator")
    if board.emulator.program != "qemu":
        raise EdgebioError(
            f"{board.name} is emulated with {board.emulator.program}, which offers a serial port "
            "only; use it with: edgebio hil, classify, flash"
        )
    return [
        program(),
        *("-M", board.emulator.machine),
        *board.emulator.options,
        *("-display", "none", "-nodefaults", "-monitor", "none"),
        *("-kernel", str(image.resolve())),
    ]


def run(
    board: Board, image: Path, folder: Path, timeout: float, options: Sequence[str] = ()
) -> None:
    """Run an image that ends by itself and works on files of `folder` by semihosting.

    `options` are more options of QEMU. `DeviceError` if the image reports a failure or takes longer
    than `timeout` seconds, or QEMU dies.
    """
    line = [*command(board, image), "-semihosting-config", "enable=on,target=native", *options]
    try:
        result = run_program(
            *emulator_process.bound_to_parent(line), folder=folder, timeout=timeout
        )
    except EdgebioError:
        raise DeviceError(
            f"{board.name} (emulated) did not finish within {timeout:g} s; it may hang"
        ) from None
    if result.returncode:
        raise emulator_process.end_error(board, result.returncode, result.error_lines)


def launch(board: Board, image: Path, serial: Serial, log: Path, *, detached: bool) -> Emulator:
    """Start an emulated board; see `edgebio.boards.emulator.start`."""
    line = command(board, image)
    url = ""
    monitor, qemu_monitor = socket.socketpair()
    with monitor:
        with contextlib.ExitStack() as stack:
            inherited = [stack.enter_context(qemu_monitor)]
            line += ["-chardev", f"socket,id=monitor,fd={qemu_monitor.fileno()}"]
            line += ["-mon", "chardev=monitor,mode=control"]
            if serial == "pty":
                line += ["-serial", "pty"]
            else:
                # QEMU inherits a listening socket: no other program can take the port, and no
                # client can connect too early.
                listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
                inherited.append(listener)
                url = f"socket://127.0.0.1:{listener.getsockname()[1]}"
                channel = f"socket,id=serial0,fd={listener.fileno()},server=on,wait=off,nodelay=on"
                line += ["-chardev", channel, "-serial", "chardev:serial0"]
            with _on_one_core():
                descriptors = [end.fileno() for end in inherited]
                process = emulator_process.launch(
                    line, log, detached=detached, pass_fds=descriptors
                )
        with emulator_process.starting(board, process, log):
            _wait_until_up(process, monitor)
            if serial == "pty":
                url = next(iter(PTY.findall(log.read_text(errors="replace"))), "")
    return Emulator(board.name, url, process)


@contextlib.contextmanager
def _on_one_core() -> Iterator[None]:
    """Bind programs that the block starts to one core of this machine, a different one each time.

    Two threads of QEMU wake each other for every byte of a UART. Across cores of a virtual machine
    that takes longer than a byte at 16 kB/s lasts; on one core it is a context switch.
    """
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    cores = sorted(allowed)
    # Counting from the process id spreads parallel programs over the cores.
    os.sched_setaffinity(0, {cores[(os.getpid() + next(_emulator_numbers)) % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _wait_until_up(process: "subprocess.Popen[bytes]", monitor: socket.socket) -> None:
    """Query QEMU's state by its machine protocol, which answers once the machine is built."""
    monitor.settimeout(emulator_process.START_SECONDS)
    answer = b""
    try:
        monitor.sendall(b'{"execute": "qmp_capabilities"} {"execute": "query-status"}')
        while b'"running"' not in answer:
            piece = monitor.recv(4096)
            if not piece:
                process.wait(emulator_process.STOP_SECONDS)
                break
            answer += piece
    except TimeoutError:
        raise
    except OSError:  # QEMU closed its end before it read the query
        process.wait()
