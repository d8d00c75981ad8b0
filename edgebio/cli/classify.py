"""``edgebio classify``: stream a recording to a board and print its decisions."""

from pathlib import Path
from typing import Any

import click

from edgebio.cli.common import Output, command
from edgebio.cli.device import Transport, device, stream_options
from edgebio.errors import CheckFailedError, EdgebioError


@command(
    example="edgebio classify emg-3dc:2:2 --board mps2-an386 --model run\n"
    "edgebio classify day1.csv --rate 1000 --port /dev/ttyACM0 --model run"
)
@stream_options
@click.option("--model", type=click.Path(path_type=Path),
              help="Run or .tflite: names the classes, and is compared with.")  # fmt: skip
@click.option("--real-time", is_flag=True, help="At the recording's own pace.")
@click.option("--votes", type=click.IntRange(1, 31), metavar="N", help="Windows that vote.")
@click.option("--confidence", type=click.FloatRange(0, 1, max_open=True), metavar="P",
              help="Smallest probability of a class that is decided for.")  # fmt: skip
@click.option("--hold", type=click.IntRange(0, 255), metavar="N",
              help="Windows that a class is held while none is certain.")  # fmt: skip
@click.option("--onset", type=click.FloatRange(0, 65535), metavar="COUNTS",
              help="Activity below which the muscle is quiet.")  # fmt: skip
@click.option("--timeout", type=click.IntRange(0, 60000), metavar="MS",
              help="Time without samples until the decision is rest; 0: never.")  # fmt: skip
@click.option("--delay-limit", type=click.FloatRange(min=0), default=300, show_default=True,
              metavar="MS", help="Most window + step x votes + compute; 0: any.")  # fmt: skip
def classify(
    out: Output,
    recording: str,
    board_name: str | None,
    port: str | None,
    baud: int,
    model: Path | None,
    transport: Transport,
    data: Path | None,
    rate: float | None,
    windows: int | None,
    real_time: bool,
    delay_limit: float,
    **settings: float | None,
) -> dict[str, Any]:
    """Stream RECORDING to a board and print one decision a line: time, class, probability.

    RECORDING is a .csv or .npz file, dataset:subject or dataset:subject:session; every recording
    in it is streamed from reset. Where the model is given, each image, logit and decision is
    compared with this machine's; exits with 1 where one differs, or where the delay is above its
    limit. --votes, --confidence, --hold, --onset and --timeout take the place of the model's own
    settings until the end.
    """
    from edgebio import firmware, tflite
    from edgebio.datasets.selection import select
    from edgebio.parity.decisions import Session, check_fits
    from edgebio.tflite.metadata import require

    if bool(board_name) == bool(port):
        raise EdgebioError("choose one of --board and --port")
    if board_name and model is None:
        raise EdgebioError("--board needs --model, a run or a .tflite to build the image of")
    changed = {name: value for name, value in settings.items() if value is not None}
    if changed and model is None:
        raise EdgebioError(f"--{next(iter(changed))} needs --model, whose settings it changes")
    recordings = select(recording, data, rate)
    file = firmware.model_file(model) if model else None
    graph = tflite.read(file) if file else None
    chosen = None
    if graph is not None:
        known = require(graph, "classify")
        spec = known.frontend
        for each in recordings:
            check_fits(each, spec.rate, spec.channels)
        chosen = known.decision.model_copy(update=changed) if changed else None
    with device(out, board_name, port, baud, file, transport) as client:
        session = Session(
            client, graph, file.read_bytes() if file else b"", settings=chosen,
            on_rest=lambda rest: out.detail(f"rest at sample {rest.sample}: {rest.reason}"),
        )  # fmt: skip
        decisions: list[dict[str, Any]] = []
        for one in session.run(recordings, windows, real_time=real_time):
            shown = "" if one.probability is None else f"  {one.probability:.3f}"
            shown += "" if one.made.reason == "vote" else f"  ({one.made.reason})"
            out.result(f"{one.time:9.3f}  {one.name}{shown}")
            decisions.append(
                {
                    "recording": one.source,
                    "time": one.time,
                    "class": one.name,
                    "probability": one.probability,
                    "reason": one.made.reason,
                    "latency": one.latency,
                    "frontend_us": one.made.frontend_us,
                    "compute_us": one.made.compute_us,
                }
            )
        delay = session.delay
        document = {**session.document(), "decisions": decisions}
    tally = session.tally
    if session.labelled:
        out.note(f"{session.correct} of {session.labelled} labelled windows are right")
    if graph is not None:
        out.note(
            f"{tally.windows} windows against this machine: {tally.images} images, "
            f"{tally.logits} logits and {tally.decisions} decisions differ"
        )
    if session.railed:
        out.note(f"{session.railed:,} samples are at an end of 16 bits: overdriven?")
    if delay:
        out.note(str(delay))
    if document["latency"]:
        parts = ", ".join(f"{name} {value:g}" for name, value in document["latency"].items())
        out.note(f"from a window's last sample to its decision here, ms: {parts}")
    if session.approximate:
        out.note("the model lets this core use Helium's FFT: images may differ within its bound")
    elif tally.differing:
        raise CheckFailedError(f"the board differs from this machine: {tally.first}", document)
    if delay and delay_limit and delay.total > delay_limit:
        raise CheckFailedError(
            f"{delay}, above the limit of {delay_limit:g} ms; fewer votes or a shorter window, "
            "or --delay-limit",
            document,
        )
    return document
