"""``edgebio calibrate``: adapt a model to a wearer."""

from pathlib import Path
from typing import Any

import click

from edgebio.cli.common import Output, command


@command(example="edgebio calibrate run emg-3dc:3:1 -o wearer.tflite")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("recording")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The .tflite.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="HZ",
              help="Samples a second of a file that does not say.")  # fmt: skip
def calibrate(
    out: Output,
    model: Path,
    recording: str,
    output: Path,
    data: Path | None,
    rate: float | None,
) -> dict[str, Any]:
    """Adapt the normalisation of MODEL (a run or a .tflite) to RECORDING, without labels.

    The mean and deviation of the pixels are learned anew from the wearer's signal, which should
    hold all gestures and rest; the network stays as it is. RECORDING is a .csv or .npz file,
    dataset:subject or dataset:subject:session.
    """
    from edgebio import firmware, storage, tflite
    from edgebio.parity.decisions import check_fits
    from edgebio.parity.selection import select
    from edgebio.tflite import calibration
    from edgebio.tflite.metadata import require

    content = firmware.model_file(model).read_bytes()
    spec = require(tflite.read(content), "calibrate").frontend
    recordings = select(recording, data, rate)
    for each in recordings:
        check_fits(each, spec.rate, spec.channels)
    made = calibration.calibrate(content, recordings)
    storage.write_bytes(output, made.content)
    if made.railed:
        out.note(f"{made.railed:,} samples are at an end of 16 bits: overdriven?")
    out.result(
        f"{output}: from {made.columns:,} columns; the mean moved by {made.shift:+.2f} octaves, "
        f"the deviation is {made.spread:.2f} times what it was"
    )
    return {
        "model": str(output),
        "sha256": tflite.read(made.content).sha256,
        "columns": made.columns,
        "railed": made.railed,
        "shift_octaves": made.shift,
        "spread": made.spread,
    }
