"""``edgebio monitor``: watch a board at work in the terminal."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import click

from edgebio.cli.common import Output, command
from edgebio.cli.device import Transport, device, stream_options
from edgebio.errors import EdgebioError

_LOOK = 1.0  # seconds from one look at the device's counters to the next


@command(
    example="edgebio monitor emg-3dc:2:2 --board mps2-an386 --model run\n"
    "edgebio monitor day1.csv --rate 1000 --port /dev/ttyACM0 --model run --record seen.npz"
)
@stream_options
@click.option("--model", required=True, type=click.Path(path_type=Path),
              help="Run or .tflite that the board carries.")  # fmt: skip
@click.option("--fast", is_flag=True, help="As fast as the board takes it, not at its own pace.")
@click.option("--record", type=click.Path(path_type=Path),
              help="Write what was streamed, labelled by what the board decided.")  # fmt: skip
def monitor(
    out: Output,
    recording: str,
    board_name: str | None,
    port: str | None,
    baud: int,
    model: Path,
    transport: Transport,
    data: Path | None,
    rate: float | None,
    windows: int | None,
    fast: bool,
    record: Path | None,
) -> dict[str, Any]:
    """Stream RECORDING to a board and show signals, STFT image, probabilities and decisions.

    RECORDING is as in edgebio classify. Ctrl-C ends it. What --record writes is a recording that
    every other command reads; samples that the board decided no class for are unlabelled.
    """
    from rich.console import Console
    from rich.live import Live

    from edgebio import firmware, tflite
    from edgebio.datasets.selection import select
    from edgebio.decision.outputs import Outputs
    from edgebio.parity.decisions import Session, check_fits
    from edgebio.recordings import files
    from edgebio.recordings.deciding import labelled_by
    from edgebio.report.live import Screen
    from edgebio.tflite.metadata import require

    if bool(board_name) == bool(port):
        raise EdgebioError("choose one of --board and --port")
    recordings = select(recording, data, rate)
    file = firmware.model_file(model)
    graph = tflite.read(file)
    known = require(graph, "monitor")
    for each in recordings:
        check_fits(each, known.frontend.rate, known.frontend.channels)
    seen = []
    look = 0.0
    with device(out, board_name, port, baud, file, transport) as client:
        session = Session(client, graph, file.read_bytes())
        screen = Screen(known, Outputs.of(graph), f"{client.identify().board} on {client.url}")
        console = Console(stderr=True, quiet=out.as_json)
        with Live(screen, console=console, auto_refresh=False) as live:
            try:
                for each in recordings:
                    left = None if windows is None else windows - session.tally.windows
                    if left == 0:
                        break
                    decided = []
                    for one in session.run([each], left, real_time=not fast):
                        decided.append((one.made.end, one.made.decision))
                        screen.take(each, one)
                        screen.delay = screen.delay or session.delay
                        if time.monotonic() >= look:
                            look = time.monotonic() + _LOOK
                            screen.link = session.counters()
                        screen.rests = session.rests
                        live.update(screen, refresh=True)
                    seen.append(labelled_by(each, decided, known.classes))
            except KeyboardInterrupt:
                out.note("ended")
        document = session.document()
    if record:
        document["record"] = str(files.save(record, [each for each in seen if len(each.samples)]))
        out.result(f"recorded: {document['record']}")
    tally = session.tally
    out.result(f"{tally.windows} decisions, {tally.differing} unlike this machine's")
    return {**document, "delay": dataclasses.asdict(screen.delay) if screen.delay else None}
