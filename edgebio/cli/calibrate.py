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
@click.option("--no-labels", is_flag=True, help="Learn from the signal only.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="HZ",
              help="Sampling rate of a file without one.")  # fmt: skip
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

    One repetition of each class tunes the network to the wearer. If RECORDING has no labels, or
    with --no-labels, only statistics are learned: of the pixels and, if the model was trained for
    it, of the layers. The signal should contain all gestures and rest then.

    RECORDING is a .csv or .npz file, dataset:subject, dataset:subject:session or
    dataset:subject:session:repetition.
    """
    from edgebio import calibration, firmware, storage, tflite
    from edgebio.datasets.selection import select
    from edgebio.recordings.recording import UNLABELED
    from edgebio.runtime.session import check_recording
    from edgebio.tflite.metadata import require_metadata

    content = firmware.model_file(model).read_bytes()
    spec = require_metadata(tflite.read(content), "calibrate").frontend
    recordings = select(recording, data, rate)
    for each in recordings:
        check_recording(each, spec.rate, spec.channels)
    labels = not no_labels and any((each.labels != UNLABELED).any() for each in recordings)
    calibrated = calibration.calibrate(content, recordings, labels=labels)
    storage.write_bytes(output, calibrated.content)
    pixels = calibrated.pixels
    if pixels.clipped:
        out.note(f"{pixels.clipped:,} samples clipped at full scale: is the amplifier overdriven?")
    out.result(
        f"{output}: from {pixels.frames:,} STFT frames; the mean moved by {pixels.shift:+.2f} "
        f"octaves, the deviation changed by a factor of {pixels.spread:.2f}"
    )
    if calibrated.layers:
        out.result("the layers have the statistics of the wearer's signal")
    if labels:
        out.result(f"the network was tuned on {calibrated.segments:,} labeled segments")
    return {
        "model": str(output),
        "sha256": tflite.read(calibrated.content).sha256,
        "columns": pixels.frames,
        "railed": pixels.clipped,
        "shift_octaves": pixels.shift,
        "spread": pixels.spread,
        "layers": calibrated.layers,
        "labelled_windows": calibrated.segments,
    }
