"""``edgebio calibrate``: adapt a model to a wearer."""

from pathlib import Path
from typing import Any

import click

from edgebio.cli.common import Output, command


@command(
    example="edgebio calibrate run emg-3dc:3:2:0 -o wearer.tflite\n"
    "edgebio calibrate model.tflite today.npz --no-labels -o today.tflite"
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("recording")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The .tflite.")
@click.option("--no-labels", is_flag=True, help="Learn from the signal alone.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="HZ",
              help="Samples a second of a file that does not say.")  # fmt: skip
def calibrate(
    out: Output,
    model: Path,
    recording: str,
    output: Path,
    no_labels: bool,
    data: Path | None,
    rate: float | None,
) -> dict[str, Any]:
    """Adapt MODEL (a run or a .tflite) to the wearer of RECORDING; only its constants change.

    From one repetition of each class the network learns the wearer. Where RECORDING has no labels,
    or with --no-labels, only statistics are learned anew, of the pixels and, where the model was
    trained for it, of the layers: the signal should hold all gestures and rest.

    RECORDING is a .csv or .npz file, dataset:subject, dataset:subject:session or
    dataset:subject:session:repetition.
    """
    from edgebio import calibration, firmware, storage, tflite
    from edgebio.datasets.selection import select
    from edgebio.parity.decisions import check_fits
    from edgebio.recordings.recording import UNLABELLED
    from edgebio.tflite.metadata import require

    content = firmware.model_file(model).read_bytes()
    spec = require(tflite.read(content), "calibrate").frontend
    recordings = select(recording, data, rate)
    for each in recordings:
        check_fits(each, spec.rate, spec.channels)
    labels = not no_labels and any((each.labels != UNLABELLED).any() for each in recordings)
    made = calibration.calibrate(content, recordings, labels=labels)
    storage.write_bytes(output, made.content)
    pixels = made.pixels
    if pixels.railed:
        out.note(f"{pixels.railed:,} samples are at an end of 16 bits: overdriven?")
    out.result(
        f"{output}: from {pixels.columns:,} columns; the mean moved by {pixels.shift:+.2f} "
        f"octaves, the deviation is {pixels.spread:.2f} times what it was"
    )
    if made.layers:
        out.result("the layers have the statistics of the wearer's signal")
    if labels:
        out.result(f"the network learned from {made.windows:,} labelled windows")
    return {
        "model": str(output),
        "sha256": tflite.read(made.content).sha256,
        "columns": pixels.columns,
        "railed": pixels.railed,
        "shift_octaves": pixels.shift,
        "spread": pixels.spread,
        "layers": made.layers,
        "labelled_windows": made.windows,
    }
