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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from edgebio import compiler, generated_c, storage
from edgebio.firmware import application, standalone
from edgebio.firmware.application import ImageIdentity
from edgebio.firmware.stream_choice import stream_hop
from edgebio.frontend import c_source as frontend
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler
from edgebio.processes.worker_pool import map_in_order
from edgebio.sampling.scale import Scale
from edgebio.tflite import Graph, read
from edgebio.tflite.metadata import read_metadata, require_metadata

_UNSCALED = Scale(0, 1 << 30, 30)
_CONVERTERS = {"adc": ("adc.c",), "link": ("no_adc.c",), "test": ()}
Transport = Literal["pty", "socket"]


def build(
    model: Path,
    folder: Path,
    flags: Sequence[str] = ("-O2",),
    *,
    traced: bool = False,
    live: "HostLive | None" = None,
) -> Path:
    """Compile the application with a .tflite for this machine, into `folder`.

    Returns the executable, whose UART is standard input and output. `flags` are for edgebio's own
    C. If `traced`, layers and stages can be traced over the link. With `live` the device stands
    alone.
    """
    graph = read(model)
    hop = None if traced else stream_hop(graph, "portable")
    network = compiler.generate(graph, folder / "model", hop=hop)
    return compile_application(
        graph, network.sources, network.include, folder, flags, traced=traced, live=live
    )  # fmt: skip


@dataclass(frozen=True)
class HostLive:
    """What makes the host a device that stands alone, in virtual time; see ``ports/host``.

    Attributes
    ----------
    source
        ``adc``: the codes in the file of the environment variable EDGEBIO_ADC; ``link``; or the C
        of another source, with its ``host_adc_ended`` and ``host_adc_fail``.
    scale
        From codes to counts, of the source ``adc``.
    ring_frames
        Sample frames that the ring holds; even.
    sink
        ``log``: lines in the file of the environment variable EDGEBIO_SINK_LOG; or ``text``.
    more
        Further C, such as that of a fault.
    link_flags
        Flags of the linker.
    """

    source: Literal["adc", "link"] | Path = "adc"
    scale: Scale = _UNSCALED
    ring_frames: int = 512
    sink: Literal["log", "text"] = "log"
    more: tuple[Path, ...] = ()
    link_flags: tuple[str, ...] = ()

    def write(self, folder: Path, graph: Graph) -> list[Path]:
        """Write the headers of source and sink; returns the C of source, sink and port."""
        metadata = require_metadata(graph, "a host that stands alone")
        spec, scale = metadata.frontend, self.scale
        kind = self.source if isinstance(self.source, str) else "test"
        period = 1_000_000 / Fraction(spec.rate)
        macros = f"""\
#define EB_SOURCE_NAME "{kind}"
#define EB_SOURCE_IS_LINK {int(kind == "link")}
#define EB_SOURCE_CHANNELS {spec.channels}u
#define EB_SOURCE_RATE_MILLIHZ {round(spec.rate * 1000)}u
#define EB_SOURCE_SCALE \\
    {{.zero = {scale.zero}, .multiplier = {scale.multiplier}, .shift = {scale.shift}, \\
     .highpass = {scale.highpass}}}
#define EB_SOURCE_PERIOD_NUMERATOR {period.numerator}u
#define EB_SOURCE_PERIOD_DENOMINATOR {period.denominator}u
#define EB_SOURCE_RING_FRAMES {self.ring_frames}u
"""
        title = "/* Sample source of the host. Generated. */\n"
        header = generated_c.header(title, "EB_SOURCE_CONFIG_H", macros=macros)
        storage.write_text(folder / "source_config.h", header)
        names = ", ".join(f'"{name}"' for name in metadata.classes)
        sink = f"""\
#define EB_SINK_NAME "{self.sink}"
#define EB_SINK_CLASSES {len(metadata.classes)}u
#define EB_SINK_CLASS_NAMES {{{names}}}
"""
        title = "/* Decision sink of the host. Generated. */\n"
        header = generated_c.header(title, "EB_SINK_CONFIG_H", macros=sink)
        storage.write_text(folder / "sink_config.h", header)
        assets = storage.assets("firmware_assets")
        port = assets / "ports" / "host"
        source = (
            self.source
            if isinstance(self.source, Path)
            else assets / "sources" / f"eb_source_{kind}.c"
        )
        sinks = {"log": port / "sink_log.c", "text": assets / "sinks" / "eb_sink_text.c"}
        own = [port / name for name in ("port.c", "virtual_clock.c", *_CONVERTERS[kind])]
        return [source, sinks[self.sink], *own, *self.more]


def compile_application(
    graph: Graph, network: Sequence[Path], network_include: Sequence[Path], folder: Path,
    flags: Sequence[str], port: Sequence[Path] = (), *, traced: bool = False,
    live: HostLive | None = None,
) -> Path:  # fmt: skip
    """Compile the application around the C of a network (``model.h`` and its sources).

    `port` replaces the host's port; one of its files may contain the `main` that calls it. With
    `live` the device stands alone.
    """
    known = read_metadata(graph)
    front = frontend.write(
        folder / "frontend",
        known.frontend if known else None,
        known.standardization if known else None,
    )
    build = hashlib.sha256(graph.sha256.encode()).digest()[:16]
    identity = ImageIdentity("host", os.uname().machine[:16], clock_hz=0, build=build)
    app = application.write(
        folder / "app", graph, identity, traced=traced, live=live is not None
    )  # fmt: skip
    ports = storage.assets("firmware_assets") / "ports"
    own_port = [ports / "host" / "port.c", ports / "host" / "clock.c"]
    live_flags: tuple[str, ...] = ()
    if live:
        own_port = live.write(folder / "app", graph)
        live_flags = (standalone.FLAG, *application.LIVE_FLAGS, f"-I{ports / 'host'}")
    include = [*app.include, *front.include, *network_include, ports]
    options = [*front.flags, *(f"-I{path}" for path in include)]
    options += [f"-isystem{path}" for path in front.system_include]
    strict = [
        "-std=gnu11",
        *host_compiler.STRICT[1:],
        *live_flags,
        *flags,
    ]  # CMSIS-DSP's headers need gnu11
    traced_flags = [*strict, *(application.TRACE_FLAGS if traced else ())]
    sources = [(path, traced_flags) for path in [*app.own, *network, *front.own]]
    sources += [(path, strict) for path in port or own_port]
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
        host_compiler.find_compiler(), *flags, *objects, *(live.link_flags if live else ()),
        "-lm", "-pthread", "-o", str(executable),
    )  # fmt: skip
    return executable


class HostDevice:
    """A running process, and the URL of its serial port."""

    def __init__(
        self,
        executable: Path,
        transport: Transport = "pty",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._executable = executable
        self._environment = {**os.environ, **(environment or {})}
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
        self.process = subprocess.Popen(
            [self._executable], stdin=descriptor, stdout=descriptor, env=self._environment,
            start_new_session=True,  # Ctrl-C is for the command, which then ends the process
        )  # fmt: skip

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
def running(
    executable: Path,
    transport: Transport = "pty",
    environment: Mapping[str, str] | None = None,
) -> Iterator[HostDevice]:
    """Run the device while the block runs, with more environment variables."""
    device = HostDevice(executable, transport, environment)
    try:
        yield device
    finally:
        device.close()
