"""``edgebio monitor``: watch a board at work in the terminal."""

import contextlib
import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import PATH, StreamOptions, stream_options
from edgebio.errors import EdgebioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from edgebio.recordings import Recording
    from edgebio.runtime.stream_file import StreamFile
    from edgebio.tflite import Graph

_COUNTER_INTERVAL = 1.0  # seconds between two requests for the counters of the link


@command(
    example="edgebio monitor emg-3dc:2:2 --board mps2-an386 --model run\n"
    "edgebio monitor day1.csv --rate 1000 --port /dev/ttyACM0 --model run --record seen.npz\n"
    "edgebio monitor --port /dev/ttyACM0 --model run"
)
@functools.partial(stream_options, needs_recording=False)
@click.option("--model", required=True, type=PATH, help="Run or .tflite of the board.")
@click.option("--fast", is_flag=True,
              help="Send samples as fast as the board accepts them, not in real time.")  # fmt: skip
@click.option("--record", type=PATH, help="Write the samples, labeled with the board's decisions.")
def monitor(
    out: Output, stream: StreamOptions, model: Path, fast: bool, record: Path | None
) -> Document:
    """Stream RECORDING to a board and show signals, STFT image, probabilities and decisions.

    RECORDING is as for edgebio classify. Without it, watch a board that stands alone on --port:
    what it samples, and what it decides. Ctrl-C ends the command. --record writes a recording that
    every other command reads, as it goes: if the command is killed, FILE.npz.part is left, which
    edgebio data import reads. Samples without a decision for a class stay unlabeled.
    """
    from rich.console import Console
    from rich.live import Live

    from edgebio import firmware, tflite
    from edgebio.decision.outputs import Outputs
    from edgebio.parity.decisions import ComparedSession
    from edgebio.recordings.preprocessing import label_by_decisions
    from edgebio.runtime.session import Session
    from edgebio.runtime.stream_file import check_free
    from edgebio.runtime.terminal import Screen
    from edgebio.tflite.metadata import require_metadata

    file = firmware.model_file(model)
    graph = tflite.read(file)
    metadata = require_metadata(graph, "monitor")
    if stream.recording is None:
        return _watch(out, stream, file, graph, record)
    recordings = stream.recordings(metadata)
    if record:
        check_free(record)
    labeled: list[Recording] = []
    next_look = worst = 0.0
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(stream.open(out, file))
        writer = _open_writer(stack, record, recordings[0], metadata.classes)
        session = Session(device)
        compared = ComparedSession(session)
        title = f"{device.identify().board} on {device.url}"
        screen = Screen(metadata, Outputs.from_graph(graph), title)
        console = Console(stderr=True, quiet=out.as_json)
        each, ends = recordings[0], list[tuple[int, int]]()
        with Live(screen, console=console, auto_refresh=False) as live:
            try:
                for each in recordings:
                    left = None if stream.segments is None else stream.segments - compared.segments
                    if left == 0:
                        break
                    if writer and labeled:
                        writer.cut()
                    ends = []
                    for decision in compared.run([each], left, real_time=not fast):
                        if writer:
                            begin = ends[-1][0] if ends else 0
                            writer.add(each.samples[begin : decision.event.end],
                                       decision.event.decision, each.subject,
                                       each.session)  # fmt: skip
                        ends.append((decision.event.end, decision.event.decision))
                        screen.add(each, decision)
                        worst = max(worst, screen.behind_s)
                        screen.delay = screen.delay or session.delay
                        if time.monotonic() >= next_look:
                            next_look = time.monotonic() + _COUNTER_INTERVAL
                            screen.link = session.link_errors()
                        screen.rests = session.rests
                        live.update(screen, refresh=True)
                    labeled.append(label_by_decisions(each, ends, metadata.classes))
            except KeyboardInterrupt:
                out.note("interrupted")
                if ends:
                    labeled.append(label_by_decisions(each, ends, metadata.classes))
        document = compared.document()
    if writer:
        document["record"] = str(writer.finish([each for each in labeled if len(each.samples)]))
        out.result(f"recorded: {document['record']}")
    if worst:
        out.note(f"up to {worst:.1f} s behind the signal: the board or its line is too slow")
    differing = sum(compared.differing.values())
    out.result(f"{compared.segments} decisions, {differing} differ from this machine's")
    return document


def _watch(
    out: Output, stream: StreamOptions, model: Path, graph: "Graph", record: Path | None
) -> Document:
    """Show a board that stands alone."""
    import numpy as np
    from rich.console import Console
    from rich.live import Live

    from edgebio.decision.outputs import Outputs
    from edgebio.recordings import Recording
    from edgebio.runtime.live_view import LiveView
    from edgebio.runtime.stream_file import check_free
    from edgebio.runtime.terminal import Screen
    from edgebio.tflite.metadata import require_metadata

    if stream.board or stream.host or not stream.port:
        raise EdgebioError("give a RECORDING to stream, or the --port of a board that stands alone")
    metadata, outputs = require_metadata(graph, "monitor"), Outputs.from_graph(graph)
    if record:
        check_free(record)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(stream.open(out, model))
        spec = metadata.frontend
        blank = Recording.from_array(np.zeros((1, spec.channels), np.int16), spec.rate)
        writer = _open_writer(stack, record, blank, metadata.classes)

        def write(samples: "npt.NDArray[np.int16]", number: int, is_cut: bool) -> None:
            assert writer is not None
            if is_cut:
                writer.cut()
            writer.add(samples, number)

        view = LiveView(
            device, metadata, outputs, keeps=record is not None, write=write if writer else None
        )
        screen = Screen(metadata, outputs, f"{device.identify().board} on {device.url}")
        console = Console(stderr=True, quiet=out.as_json)
        with Live(screen, console=console, auto_refresh=False) as live:
            try:
                for signal, decision in view.run(stream.segments):
                    if signal is not None:
                        screen.add(signal, decision)
                    screen.delay_by(view.behind_s)
                    screen.rests, screen.link = view.rests, view.counters()
                    live.update(screen, refresh=True)
            except KeyboardInterrupt:
                out.note("interrupted")
    document = view.document()
    if writer:
        document["record"] = str(writer.finish(view.recordings()))
        out.result(f"recorded: {document['record']}")
    rests = ", ".join(f"{count} {reason}" for reason, count in view.rests.items()) or "none"
    out.result(f"{view.decisions} decisions; rests: {rests}; {view.lost_records} records lost")
    return document


def _open_writer(
    stack: contextlib.ExitStack, record: Path | None, of: "Recording", classes: "Sequence[str]"
) -> "StreamFile | None":
    """Open the file that --record names, for samples like those of a recording."""
    from edgebio.runtime.stream_file import StreamFile

    if record is None:
        return None
    return stack.enter_context(
        StreamFile(record, rate=of.rate, units=of.units, channels=of.channels, classes=classes)
    )
