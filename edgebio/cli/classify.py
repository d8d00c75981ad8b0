"""``edgebio classify``: stream a recording to a board and print its decisions."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import PATH, StreamOptions, stream_options
from edgebio.errors import CheckFailedError, EdgebioError

if TYPE_CHECKING:
    from edgebio.parity.decisions import ComparedSession
    from edgebio.runtime.session import Decision


@command(
    example="edgebio classify emg-3dc:2:2 --board mps2-an386 --model run\n"
    "edgebio classify day1.csv --rate 1000 --port /dev/ttyACM0 --model run\n"
    "edgebio classify day1.csv --rate 1000 --host --model run"
)
@stream_options
@click.option("--model", type=PATH,
              help="Run or .tflite of the board: for class names and comparison.")  # fmt: skip
@click.option("--real-time", is_flag=True, help="Send samples at the rate of the recording.")
@click.option("--votes", type=click.IntRange(1, 31), metavar="N",
              help="Segments in the majority vote.")  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0, 1, max_open=True), metavar="P",
              help="Smallest probability of a class that is not rejected.")  # fmt: skip
@click.option("--hold", type=click.IntRange(0, 255), metavar="N",
              help="Segments for which the last class holds while none is certain.")  # fmt: skip
@click.option("--onset", type=click.FloatRange(0, 65535), metavar="COUNTS",
              help="Activity below which the muscle is quiet.")  # fmt: skip
@click.option("--timeout", type=click.IntRange(0, 60000), metavar="MS",
              help="Time without samples after which the decision is rest; 0: never.")  # fmt: skip
@click.option("--delay-limit", type=click.FloatRange(min=0), default=300, show_default=True,
              metavar="MS", help="Most segment + step x votes + compute; 0: any.")  # fmt: skip
def classify(
    out: Output,
    stream: StreamOptions,
    model: Path | None,
    real_time: bool,
    delay_limit: float,
    **settings: float | None,
) -> Document:
    """Stream RECORDING to a board and print one decision per line: time, class, probability.

    RECORDING is a .csv or .npz file, dataset:subject or dataset:subject:session; each recording in
    it is streamed from reset. --host needs no board. With --model, every image, logit and decision
    is compared with those of this machine; exits with 1 if one differs, or if the delay exceeds its
    limit. --votes, --confidence, --hold, --onset and --timeout replace the settings of the model
    for this command.
    """
    from edgebio import firmware, tflite
    from edgebio.parity.decisions import ComparedSession
    from edgebio.runtime.session import Session
    from edgebio.tflite.metadata import require_metadata

    changed = {name: value for name, value in settings.items() if value is not None}
    if changed and model is None:
        raise EdgebioError(f"--{next(iter(changed))} needs --model, whose settings it changes")
    file = firmware.model_file(model) if model else None
    metadata = require_metadata(tflite.read(file), "classify") if file else None
    recordings = stream.recordings(metadata)
    chosen = metadata.decision.model_copy(update=changed) if metadata and changed else None
    with stream.open(out, file) as device:
        session = Session(
            device, chosen,
            lambda event: out.detail(f"rest at sample {event.next_sample}: {event.reason}"),
        )  # fmt: skip
        compared = ComparedSession(session, chosen)
        rows = []
        for decision in compared.run(recordings, stream.segments, real_time=real_time):
            reason = decision.event.reason
            text = "" if decision.probability is None else f"  {decision.probability:.3f}"
            text += "" if reason == "vote" else f"  ({reason})"
            out.result(f"{decision.time_s:9.3f}  {decision.name}{text}")
            rows.append(_row(decision))
        delay = session.delay
        document = {**compared.document(), "decisions": rows}
    _summarize(out, compared, document["latency"])
    if interval := document["interval"]:
        out.note(
            f"from one decision to the next, ms of the board's clock: median "
            f"{interval['median']:g}, longest {interval['max']:g}"
        )
    if delay:
        out.note(str(delay))
    if compared.approximate:
        out.note("the model allows Helium's FFT on this CPU: images may differ within its bound")
    elif compared.first:
        raise CheckFailedError(f"the board differs from this machine: {compared.first}", document)
    if delay and delay_limit and delay.total > delay_limit:
        raise CheckFailedError(
            f"{delay}, above the limit of {delay_limit:g} ms; use fewer votes, a shorter segment, "
            "or --delay-limit",
            document,
        )
    return document


def _row(decision: "Decision") -> dict[str, Any]:
    return {
        "recording": decision.source,
        "time": decision.time_s,
        "class": decision.name,
        "probability": decision.probability,
        "reason": decision.event.reason,
        "latency": decision.latency_s,
        "frontend_us": decision.event.frontend_us,
        "compute_us": decision.event.compute_us,
    }


def _summarize(out: Output, compared: "ComparedSession", latency: dict[str, float] | None) -> None:
    if compared.labeled:
        out.note(f"{compared.correct} of {compared.labeled} labeled segments are correct")
    if compared.session.metadata:
        out.note(
            f"{compared.segments} segments compared with this machine: {{images}} images, "
            "{logits} logits and {decisions} decisions differ".format(**compared.differing)
        )
    if compared.clipped:
        out.note(f"{compared.clipped:,} samples are clipped at full scale")
    if latency:
        values = ", ".join(f"{name} {value:g}" for name, value in latency.items())
        out.note(f"from the last sample of a segment to its decision, ms: {values}")
