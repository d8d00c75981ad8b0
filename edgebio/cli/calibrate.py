"""``edgebio calibrate``: adapt a model to a wearer."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import data_option, model_argument, output_option, rate_option


@command(
    example="edgebio calibrate run emg-3dc:3:2:0 -o wearer.tflite\n"
    "edgebio calibrate model.tflite today.npz --no-labels -o today.tflite"
)
@model_argument
@click.argument("recording")
@output_option("The .tflite to write.", "FILE")
@click.option("--no-labels", is_flag=True, help="Learn from the signal only.")
@data_option
@rate_option
def calibrate(
    out: Output,
    model: Path,
    recording: str,
    output: Path,
    no_labels: bool,
    data: Path | None,
    rate: float | None,
) -> Document:
    """Adapt MODEL (a run or a .tflite) to the wearer of RECORDING; only its constants change.

    One repetition of each class tunes the network to the wearer. If RECORDING has no labels, or
    with --no-labels, only statistics are learned: of the pixels and, if the model was trained for
    it, of the layers. The signal should contain all gestures and rest then.

    RECORDING is a .csv or .npz file, dataset:subject, dataset:subject:session or
    dataset:subject:session:repetition.
    """
    from edgebio import api, storage
    from edgebio.datasets.selection import select

    recordings = select(recording, data, rate)
    result = api.calibrate(model, recordings, output, labels=False if no_labels else None)
    pixels = result.pixels
    if pixels.clipped:
        out.note(f"{pixels.clipped:,} samples clipped at full scale: is the amplifier overdriven?")
    out.result(
        f"{output}: from {pixels.frames:,} STFT frames; the mean moved by {pixels.shift:+.2f} "
        f"octaves, the deviation changed by a factor of {pixels.spread:.2f}"
    )
    if result.layers:
        out.result("the layers have the statistics of the wearer's signal")
    if result.segments:
        out.result(f"the network was tuned on {result.segments:,} labeled segments")
    return {
        "model": str(output),
        "sha256": storage.sha256(output),
        "columns": pixels.frames,
        "railed": pixels.clipped,
        "shift_octaves": pixels.shift,
        "spread": pixels.spread,
        "layers": result.layers,
        "labelled_windows": result.segments,
    }
