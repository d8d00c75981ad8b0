"""``edgebio classify``: stream a recording to a board and print its decisions."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any, Literal

import click

from edgebio.cli.common import Output, command
from edgebio.errors import CheckFailedError, EdgebioError


@command(
    example="edgebio classify emg-3dc:2:2 --board mps2-an386 --model run\n"
    "edgebio classify day1.csv --rate 1000 --port /dev/ttyACM0 --model run"
)
@click.argument("recording")
@click.option("--board", "board_name", help="Emulated board: built, started and stopped here.")
@click.option("--port", help="Serial URL of a board: /dev/ttyACM0, COM3, socket://host:port.")
@click.option("--baud", default=921_600, show_default=True, help="Rate of the port.")
@click.option("--model", type=click.Path(path_type=Path),
              help="Run or .tflite: names the classes, and is compared with.")  # fmt: skip
@click.option("--transport", default="pty", show_default=True, type=click.Choice(["pty", "socket"]),
              help="How the emulated board is reached.")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="HZ",
              help="Samples a second of a file that does not say.")  # fmt: skip
@click.option("--windows", type=click.IntRange(min=1), metavar="N", help="Stop after N decisions.")
@click.option("--real-time", is_flag=True, help="At the recording's own pace.")
def classify(
    out: Output,
    recording: str,
    board_name: str | None,
    port: str | None,
    baud: int,
    model: Path | None,
    transport: Literal["pty", "socket"],
    data: Path | None,
    rate: float | None,
    windows: int | None,
    real_time: bool,
) -> dict[str, Any]:
    """Stream RECORDING to a board and print one decision a line: time, class, probability.

    RECORDING is a .csv or .npz file, dataset:subject or dataset:subject:session; every recording
    in it is streamed from reset. Where the model is given, each image, logit and decision is
    compared with this machine's; exits with 1 where one differs.
    """
    from edgebio import boards, firmware, tflite
    from edgebio.boards import emulator
    from edgebio.link.client import Client
    from edgebio.parity.decisions import Session, check_fits
    from edgebio.parity.selection import select
    from edgebio.tflite.metadata import require

    if bool(board_name) == bool(port):
        raise EdgebioError("choose one of --board and --port")
    if board_name and model is None:
        raise EdgebioError("--board needs --model, a run or a .tflite to build the image of")
    recordings = select(recording, data, rate)
    file = firmware.model_file(model) if model else None
    graph = tflite.read(file) if file else None
    if graph is not None:
        spec = require(graph, "classify").frontend
        for each in recordings:
            check_fits(each, spec.rate, spec.channels)
    with contextlib.ExitStack() as stack:
        if board_name and file:
            board = boards.load(board_name)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgebio-")))
            out.note(f"building the image for {board.name}")
            firmware.build(file, board, folder)
            serial: emulator.Serial = "pty" if transport == "pty" else "tcp"
            running = emulator.start(board, folder / "firmware.elf", serial)
            port = stack.enter_context(running).url
        device = stack.enter_context(Client(str(port), baud=baud))
        identity = device.identify()
        out.note(f"{identity.board} ({identity.core}) on {port}")
        session = Session(device, graph, file.read_bytes() if file else b"")
        decisions: list[dict[str, Any]] = []
        for one in session.run(recordings, windows, real_time=real_time):
            shown = "" if one.probability is None else f"  {one.probability:.3f}"
            out.result(f"{one.time:9.3f}  {one.name}{shown}")
            decisions.append(
                {
                    "recording": one.source,
                    "time": one.time,
                    "class": one.name,
                    "probability": one.probability,
                    "frontend_us": one.made.frontend_us,
                    "compute_us": one.made.compute_us,
                }
            )
        document = {**session.document(), "decisions": decisions}
    tally = session.tally
    if session.labelled:
        out.note(f"{session.correct} of {session.labelled} labelled windows are right")
    if graph is not None:
        out.note(
            f"{tally.windows} windows against this machine: {tally.images} images, "
            f"{tally.logits} logits and {tally.decisions} decisions differ"
        )
    if tally.differing:
        raise CheckFailedError(f"the board differs from this machine: {tally.first}", document)
    return document
