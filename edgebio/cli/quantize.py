"""``edgebio quantize``: a run's float network to its int8 model.tflite."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command


@command(example="edgebio quantize run")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
def quantize(out: Output, folder: Path) -> Document:
    """Make RUN/model.tflite, int8 in and out, and RUN/quantize.json, its report by layer."""
    from edgebio.evaluation.evaluate import by_generated_c
    from edgebio.quantize import quantize as quantize_run
    from edgebio.training import imitation

    # Ten channels' windows to a decision: by tflite-micro they would take minutes.
    decide = by_generated_c if imitation.is_one(folder) else None
    report = quantize_run(folder, decide)
    out.table(
        "",
        ["layer", "operator", "output", "SNR dB", "worst", "saturated %"],
        [
            [
                layer["name"],
                layer["operator"],
                "x".join(map(str, layer["shape"])),
                "exact" if layer["snr_db"] is None else f"{layer['snr_db']:.1f}",
                f"{layer['worst']:.3g}",
                f"{100 * layer['saturated']:.3f}",
            ]
            for layer in report["layers"]
        ],
    )
    if "r2" in report:
        names = list(report["r2"]["int8"])
        rows = [[k, *(f"{row[name]:.4f}" for name in names)] for k, row in report["r2"].items()]
        out.table("R2", ["", *names], rows)
    out.result(
        f"accuracy on {report['windows']:,} test windows: float {report['accuracy_float']:.4f}, "
        f"int8 {report['accuracy_int8']:.4f} (by {report['kernels']})"
    )
    out.result(f"{folder / 'model.tflite'}: {report['bytes']['int8']:,} bytes")
    return {"run": str(folder), **report}
