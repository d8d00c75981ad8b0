"""The firmware as a process of this machine: the same application on a pty or a TCP port.

The fastest device, for tests and for a first try without a board.
"""

import contextlib
import hashlib
import os
import socket
import subprocess
import threading
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from edgebio import compiler, storage
from edgebio.firmware import application
from edgebio.firmware.application import ImageIdentity
from edgebio.frontend import c_source as frontend
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler
from edgebio.processes.worker_pool import map_in_order
from edgebio.tflite import Graph, read
from edgebio.tflite.metadata import read_metadata

Transport = Literal["pty", "socket"]


def build(
    model: Path, folder: Path, flags: Sequence[str] = ("-O2",), *, traced: bool = False
) -> Path:
    """Compile the application with a .tflite for this machine, into `folder`.

    Returns the executable, whose UART is standard input and output. `flags` are for edgebio's own
    C. If `traced`, layers and stages can be traced over the link.
    """
    graph = read(model)
    network = compiler.generate(graph, folder / "model")
    return compile_application(
        graph, network.sources, network.include, folder, flags, traced=traced
    )  # fmt: skip


def compile_application(
    graph: Graph, network: Sequence[Path], network_include: Sequence[Path], folder: Path,
    flags: Sequence[str], port: Sequence[Path] = (), *, traced: bool = False,
) -> Path:  # fmt: skip
    """Compile the application around the C of a network (``model.h`` and its sources).

    `port` replaces the host's port; one of its files may contain the `main` that calls it.
    """
    known = read_metadata(graph)
    front = frontend.write(
        folder / "frontend",
        known.frontend if known else None,
        known.standardization if known else None,
    )
    build = hashlib.sha256(graph.sha256.encode()).digest()[:16]
    identity = ImageIdentity("host", os.uname().machine[:16], clock_hz=0, build=build)
    app = application.write(folder / "app", graph, identity, traced=traced)
    ports = storage.assets("firmware_assets") / "ports"
    include = [*app.include, *front.include, *network_include, ports]
    options = [*front.flags, *(f"-I{path}" for path in include)]
    options += [f"-isystem{path}" for path in front.system_include]
    strict = ["-std=gnu11", *host_compiler.STRICT[1:], *flags]  # CMSIS-DSP's headers need gnu11
    traced_flags = [*strict, *(application.TRACE_FLAGS if traced else ())]
    sources = [(path, traced_flags) for path in [*app.own, *network, *front.own]]
    sources += [(path, strict) for path in port or [ports / "host" / "port.c"]]
    sources += [(path, ["-std=gnu11", "-w", "-O2"]) for path in front.vendor]
    (folder / "objects").mkdir(parents=True, exist_ok=True)

    def compile_source(number: int) -> str:
        source, own_flags = sources[number]
        target = str(folder / "objects" / f"{number}-{source.stem}.o")
        run_compiler(
            host_compiler.find_compiler(), *own_flags, *options, "-c", str(source), "-o", target
        )
        return target

    objects = list(map_in_order(compile_source, range(len(sources))))
    executable = folder / "device"
    run_compiler(
        host_compiler.find_compiler(), *flags, *objects, "-lm", "-pthread", "-o", str(executable)
    )
    return executable


class HostDevice:
    """A running process, and the URL of its serial port."""

    def __init__(self, executable: Path, transport: Transport = "pty") -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._executable = executable
        self._resources = contextlib.ExitStack()
        if transport == "pty":
            master, slave = os.openpty()
            tty.setraw(slave)
            # Stays open: a pty without a user at its slave fails at the master.
            self._resources.callback(os.close, slave)
            self.url = os.ttyname(slave)
            self._start(master)
            os.close(master)
        else:
            self._listener = self._resources.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
            threading.Thread(target=self._accept, daemon=True).start()

    def _start(self, descriptor: int) -> None:
        self.process = subprocess.Popen([self._executable], stdin=descriptor, stdout=descriptor)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._start(connection.fileno())

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._resources.close()


@contextlib.contextmanager
def running(executable: Path, transport: Transport = "pty") -> Iterator[HostDevice]:
    """Run the device while the block runs."""
    device = HostDevice(executable, transport)
    try:
        yield device
    finally:
        device.close()
